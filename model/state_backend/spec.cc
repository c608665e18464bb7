#include "model/state_backend/spec.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <iterator>

#include "model/state_backend/dialects.h"
#include "model/state_backend/spec_internal.h"

namespace leasecheck::state_backend {

using spec_internal::Answer;
using spec_internal::Judge;

namespace {

// That a reclaim was the last call counts only while nothing else may have changed the store.
void ForgetLast(const StateBackendSpec::Request& request, SpecState& state) {
  if (OperationEffect<StateBackendFamily>(request.index()) == Effect::kRead) return;
  if (std::holds_alternative<ReclaimExpiredLeasesRequest>(request) || !state.memory->reclaimed) return;
  state.memory.Edit().reclaimed = false;
}

void CountOverlap(const Judge& judge, const StateBackendSpec::Request& request, const StateBackendSpec::Outcome& outcome) {
  if (!judge.Overlaps() || outcome.index() != 0) return;
  judge.Held<"SB-GEN-1">();
  judge.Held<"SB-GEN-5">(OperationEffect<StateBackendFamily>(request.index()) == Effect::kWrite);
}

bool IsSequenceConflict(const StateBackendSpec::Outcome& outcome) {
  const auto* error = std::get_if<1>(&outcome);
  return error != nullptr && std::holds_alternative<SequenceConflict>(*error);
}

}  // namespace

SpecState StateBackendSpec::Initial(const SpecSetup&) { return SpecState(); }

std::optional<ClauseIndex> StateBackendSpec::Step(State& state, const Request& request, const Outcome& outcome, EpochMs now,
                                                  const Context& context, std::vector<State>* alternatives) {
  assert(outcome.index() <= 2);
  if (IsSequenceConflict(outcome)) return spec_internal::Refuse<"SB-SEQ-7">();
  Judge judge{state, now, context, alternatives};
  const auto refused = VisitOperation<Family>(request.index(), [&]<std::size_t I>() -> std::optional<ClauseIndex> {
    Answer<typename OperationAt<Family, I>::Response> answer;
    answer.response = ResponseIf<Family, I>(outcome);
    answer.error = std::get_if<1>(&outcome);
    answer.unseen = std::holds_alternative<Indefinite>(outcome);
    return JudgeCall(judge, std::get<I>(request), answer);
  });
  if (refused.has_value() || !judge.counting()) return refused;
  ForgetLast(request, state);
  CountOverlap(judge, request, outcome);
  return refused;
}

int StateBackendSpec::Parts(const Request&, const Outcome&, const Context&) { return 1; }
std::optional<std::string> StateBackendSpec::PartitionKey(const Request&) { return std::nullopt; }

std::optional<EpochMs> StateBackendSpec::ReportedInstant(const Request&, const Outcome& outcome) {
  const auto* created = ResponseIf<Family, OperationIndexOf<Family, CreateTokenRequest>()>(outcome);
  if (created == nullptr || created->info.created_at.ms < 0) return std::nullopt;
  return static_cast<EpochMs>(created->info.created_at.ms);
}

void StateBackendSpec::AppendDeadlines(const State& state, std::vector<EpochMs>* deadlines) {
  const auto append = [&](int64_t ms) {
    if (ms > 0) deadlines->push_back(static_cast<EpochMs>(ms));
  };
  const auto append_both = [&](const Moment& moment, int64_t later) {
    append(moment.from.ms + later);
    if (moment.to != moment.from) append(moment.to.ms + later);
  };
  for (const Item& item : *state.items) {
    if (item.stage == Stage::kClaimed) append_both(item.lease, 1);
    if (item.retry_after.has_value()) append_both(*item.retry_after, 0);
  }
  for (const TokenRow& row : *state.tokens) {
    if (row.expires_at.has_value() && !row.revoked) append(row.expires_at->ms);
  }
}

absl::Span<const ClauseInfo> StateBackendSpec::Clauses() { return kClauses; }
absl::Span<const DialectPoint> StateBackendSpec::DialectPoints() { return kDialectPoints; }

namespace {

// A clause that a store which declares `word` at `point` never shows.
struct Exemption {
  absl::string_view point;
  absl::string_view word;
  absl::string_view reason;
  std::array<const char*, 16> clauses;  // null fills up
};

constexpr Exemption kExemptions[] = {
    {"SB-LAT-34",
     "unsupported",
     "the store has no tenants (dialect SB-LAT-34)",
     {"SB-WF-6", "SB-WF-7", "SB-TEN-1", "SB-TEN-2", "SB-TEN-3", "SB-TEN-4", "SB-TEN-5", "SB-TEN-6", "SB-TEN-7", "SB-TEN-8",
      "SB-TEN-9"}},
    {"SB-LAT-9",
     "accepted",
     "the store takes records for unknown executions (dialect SB-LAT-9)",
     {"SB-EVT-7", "SB-SNP-6", "SB-ENQ-5"}},
    {"SB-LAT-10", "global", "the store numbers events over all executions (dialect SB-LAT-10)", {"SB-SEQ-2"}},
    {"SB-LAT-15", "any", "the store hands out any eligible item (dialect SB-LAT-15)", {"SB-CLM-4", "SB-CLM-10"}},
    {"SB-LAT-16",
     "stealing",
     "claims take expired items back (dialect SB-LAT-16)",
     {"SB-CLM-9", "SB-RCL-5", "SB-INV-5", "SB-INV-1"}},
    {"SB-LAT-17", "none", "the store has no backoff (dialect SB-LAT-17)", {"SB-RCL-6"}},
    {"SB-LAT-20",
     "requeue",
     "a failed item is pending again (dialect SB-LAT-20)",
     {"SB-FAI-2", "SB-FAI-5", "SB-RCL-5", "SB-INV-5"}},
    {"preset",
     "memory",
     "the contract's table leaves it to a store of preset memory",
     {"SB-WF-7", "SB-EXE-2", "SB-TEN-2", "SB-TEN-6", "SB-TEN-12", "SB-RCL-8", "SB-EXE-7"}},
};

// What only a view can show.
constexpr absl::string_view kOfViews[] = {"SB-TEN-9",  "SB-TEN-10", "SB-TEN-11", "SB-TEN-12",
                                          "SB-TEN-13", "SB-TEN-14", "SB-TEN-15", "SB-INV-14"};
constexpr absl::string_view kOfNoTenants[] = {"SB-DEF-1", "SB-DEF-2", "SB-DEF-3", "SB-DEF-4"};

template <class Ids>
bool Names(const Ids& ids, absl::string_view id) {
  return std::any_of(std::begin(ids), std::end(ids), [&](absl::string_view own) { return own == id; });
}

}  // namespace

absl::string_view StateBackendSpec::NotApplicable(ClauseIndex clause, const Dialects& dialects) {
  const absl::string_view id = kClauses[clause].id;
  if (Names(kOfNoTenants, id) && !Declares(dialects, "SB-LAT-34", "unsupported")) return "the store has tenants";
  if (Names(kOfViews, id) && !Declares(dialects, "views", "tenants")) return "the store has no views of tenants";
  for (const Exemption& exemption : kExemptions) {
    const auto names = [&](const char* own) { return own != nullptr && id == own; };
    if (!Declares(dialects, exemption.point, exemption.word)) continue;
    if (std::any_of(exemption.clauses.begin(), exemption.clauses.end(), names)) return exemption.reason;
  }
  return "";
}

}  // namespace leasecheck::state_backend
