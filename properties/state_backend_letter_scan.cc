// The scan over dead letters: whatever it is called, one reason for every item that was exhausted.
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "model/state_backend/clauses.h"
#include "model/state_backend/dialects.h"
#include "properties/state_backend_scans.h"

namespace leasecheck::state_backend {
namespace {

using engine::Finding;

// Keeps the ids of items that a reclaim has listed as exhausted, without those that may have been given a text of the caller's.
absl::flat_hash_set<WorkItemId> ExhaustedOf(const BackendHistory& history) {
  absl::flat_hash_set<WorkItemId> exhausted;
  for (const BackendCall& call : history.calls) {
    const auto* result = AnswerOf<ReclaimExpiredLeasesRequest>(call);
    if (result == nullptr) continue;
    for (const WorkItem& item : result->exhausted) exhausted.insert(item.id);
  }
  for (const BackendCall& call : history.calls) {
    const auto* move = CallOf<MoveToDeadLetterRequest>(call);
    if (move != nullptr && MayHaveDone(call)) exhausted.erase(move->item_id);
  }
  return exhausted;
}

}  // namespace

std::vector<Finding> ScanLetters(const BackendHistory& history, const SpecSetup& setup, ClauseHits* hits) {
  // Upstream's store in memory is not among those that the clause was read from.
  const bool may_be_empty = setup.dialects != nullptr && Declares(*setup.dialects, "preset", "memory");
  const absl::flat_hash_set<WorkItemId> exhausted = ExhaustedOf(history);
  std::optional<std::string> reason;
  for (std::size_t i = 0; i < history.calls.size(); ++i) {
    const auto* letters = AnswerOf<ListDeadLettersRequest>(history.calls[i]);
    if (letters == nullptr) continue;
    for (const DeadLetter& letter : *letters) {
      if (!exhausted.contains(letter.id)) continue;
      if (hits != nullptr) hits->Add(Clause<"SB-RCL-13">(), Sense::kHeld);
      const std::string about = absl::StrCat("item ", UuidText(letter.id), " was exhausted, and its dead letter ");
      if (letter.last_error.empty() && !may_be_empty) return {{"SB-RCL-13", i, absl::StrCat(about, "gives no reason")}};
      if (!reason.has_value()) reason = letter.last_error;
      if (letter.last_error == *reason) continue;
      return {{"SB-RCL-13", i, absl::StrCat(about, "says \"", letter.last_error, "\", another one's \"", *reason, "\"")}};
    }
  }
  return {};
}

}  // namespace leasecheck::state_backend
