#include "memstore/state_backend_choices.h"

#include <cstddef>
#include <iterator>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "model/state_backend/dialects.h"

namespace leasecheck::memstore {
namespace {

namespace sb = state_backend;

constexpr absl::string_view kLeaseLengthPoint = "SB-LAT-35";

// Calls visit(id, words, choice&) for each point whose words are the values of an enumeration, in order.
template <class Choices, class Visit>
void ForEachPoint(Choices& choices, Visit&& visit) {
  visit("SB-LAT-5", absl::MakeConstSpan(sb::kListOrders), choices.list_order);
  visit("SB-LAT-9", absl::MakeConstSpan(sb::kDatabaseOrAccepted), choices.unknown_execution);
  visit("SB-LAT-10", absl::MakeConstSpan(sb::kNumberings), choices.numbering);
  visit("SB-LAT-15", absl::MakeConstSpan(sb::kClaimOrders), choices.claim_order);
  visit("SB-LAT-16", absl::MakeConstSpan(sb::kWaitsOrStealing), choices.expired_item);
  visit("SB-LAT-17", absl::MakeConstSpan(sb::kBackoffs), choices.backoff);
  visit("SB-LAT-20", absl::MakeConstSpan(sb::kSinkOrRequeue), choices.failed_item);
  visit("SB-LAT-34", absl::MakeConstSpan(sb::kSupportedOrNot), choices.tenant_calls);
}

absl::Status NoSuchWord(absl::string_view id, absl::string_view word) {
  return absl::InvalidArgumentError(absl::StrCat("the reference stores have no \"", word, "\" at ", id));
}

// Sets the choice at the point, if it has it.
absl::Status Choose(const std::string& id, const std::string& word, StateBackendChoices* choices) {
  bool is_point = false;
  bool is_word = false;
  ForEachPoint(*choices, [&](absl::string_view point, absl::Span<const absl::string_view> words, auto& choice) {
    if (point != id) return;
    is_point = true;
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (words[i] != word) continue;
      is_word = true;
      choice = static_cast<std::remove_reference_t<decltype(choice)>>(i);
    }
  });
  if (id == kLeaseLengthPoint) {
    is_point = true;
    is_word = absl::SimpleAtoi(word, &choices->lease_length_ms);
  }
  // They have views, and whether these are used is the caller's business.
  if (id == "views") is_point = is_word = true;
  if (id == "preset") {
    is_point = true;
    is_word = word == "none";
  }
  if (!is_point) return absl::InvalidArgumentError(absl::StrCat("state_backend has no dialect \"", id, "\""));
  return is_word ? absl::OkStatus() : NoSuchWord(id, word);
}

}  // namespace

absl::StatusOr<StateBackendChoices> ChoicesOf(const Dialects& dialects) {
  StateBackendChoices choices;
  for (const auto& [id, word] : dialects) {
    if (absl::Status status = Choose(id, word, &choices); !status.ok()) return status;
  }
  return choices;
}

Dialects DialectsOf(const StateBackendChoices& choices) {
  Dialects dialects;
  ForEachPoint(choices, [&](absl::string_view id, absl::Span<const absl::string_view> words, const auto& choice) {
    const auto position = static_cast<std::size_t>(choice);
    if (position != 0) dialects.emplace(id, words[position]);
  });
  if (choices.lease_length_ms != sb::kLeaseLengthMs) dialects.emplace(kLeaseLengthPoint, absl::StrCat(choices.lease_length_ms));
  const bool views = choices.unknown_execution == UnknownExecution::kDatabase && choices.tenant_calls == TenantCalls::kSupported;
  if (views) dialects.emplace("views", "tenants");
  return dialects;
}

}  // namespace leasecheck::memstore
