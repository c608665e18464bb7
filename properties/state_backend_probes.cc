// Probes: observations with only calls in between that must not have changed what they show.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "model/state_backend/clauses.h"
#include "properties/state_backend_scans.h"

namespace leasecheck::state_backend {
namespace {

using engine::Finding;
using F = StateBackendFamily;

class Observations {
 public:
  Observations(const BackendHistory& history, ClauseHits* hits) : history_(history), hits_(hits) {}

  std::optional<Finding> Take(std::size_t i, bool overlaps) {
    const BackendCall& call = history_.calls[i];
    const bool moves_clock = std::holds_alternative<engine::SetClock>(call.action);
    // Only a token's validity depends on the clock. The system's goes on by itself.
    if (moves_clock || call.window.has_value()) {
      std::erase_if(seen_, [&](const Seen& seen) { return CallOf<ValidateTokenRequest>(history_.calls[seen.call]) != nullptr; });
    }
    if (moves_clock) return std::nullopt;
    if (std::holds_alternative<engine::Reopen>(call.action)) {
      for (Seen& seen : seen_) seen.reopened = true;
      return std::nullopt;
    }
    const RequestOf<F>* request = engine::RequestIf<F>(call.action);
    if (overlaps || IsIndefinite(call) || request == nullptr) {
      seen_.clear();
      return std::nullopt;
    }
    if (OperationEffect<F>(request->index()) == Effect::kRead) return TakeRead(i, call);
    TakeWrite(call);
    return std::nullopt;
  }

 private:
  // A read, and what lay between it and now. Only calls that must not change anything did.
  struct Seen {
    std::size_t call = 0;
    bool failed = false;    // another call
    bool reopened = false;  // the store
  };
  static constexpr std::size_t kSeenKept = 48;

  void Hit(ClauseIndex clause, bool applies) {
    if (applies && hits_ != nullptr) hits_->Add(clause, Sense::kHeld);
  }

  // A success may have changed anything.
  void TakeWrite(const BackendCall& call) {
    if (call.outcome.index() == 0) return seen_.clear();
    for (Seen& seen : seen_) seen.failed = true;
  }

  // What may be answered in several ways at any time: the order of equals, one of several tenants' definitions, another tenant's
  // token.
  static bool MayVary(const BackendCall& read) {
    const auto* workflow = CallOf<GetWorkflowRequest>(read);
    const auto* token = CallOf<ValidateTokenRequest>(read);
    return CallOf<ListExecutionsRequest>(read) != nullptr || CallOf<ListTenantsRequest>(read) != nullptr ||
           CallOf<ListDeadLettersRequest>(read) != nullptr || (workflow != nullptr && !workflow->view.has_value()) ||
           (token != nullptr && token->view.has_value());
  }

  std::optional<Finding> TakeRead(std::size_t i, const BackendCall& read) {
    if (read.outcome.index() != 0 || MayVary(read)) return std::nullopt;
    std::optional<Finding> finding = CompareWithSame(i, read);
    if (seen_.size() == kSeenKept) seen_.erase(seen_.begin());
    seen_.push_back({i});
    return finding;
  }

  std::optional<Finding> CompareWithSame(std::size_t i, const BackendCall& read) {
    for (auto seen = seen_.begin(); seen != seen_.end(); ++seen) {
      const BackendCall& other = history_.calls[seen->call];
      if (*engine::RequestIf<F>(other.action) != *engine::RequestIf<F>(read.action)) continue;
      const Seen before = *seen;
      seen_.erase(seen);
      Hit(Clause<"SB-DUR-1">(), before.reopened);
      Hit(Clause<"SB-GEN-2">(), before.failed);
      if (other.outcome == read.outcome || (!before.failed && !before.reopened)) return std::nullopt;
      return Finding{before.reopened ? "SB-DUR-1" : "SB-GEN-2", i,
                     absl::StrCat("call ", before.call, " read the same, and nothing since then may change it, yet it differs")};
    }
    return std::nullopt;
  }

  const BackendHistory& history_;
  ClauseHits* hits_;
  std::vector<Seen> seen_;
};

}  // namespace

std::vector<Finding> ProbeObservations(const BackendHistory& history, ClauseHits* hits) {
  Observations observations(history, hits);
  engine::Instant latest = -1;
  for (std::size_t i = 0; i < history.calls.size(); ++i) {
    const BackendCall& call = history.calls[i];
    const bool overlaps = call.called < latest || (i + 1 < history.calls.size() && history.calls[i + 1].called < call.returned);
    latest = std::max(latest, call.returned);
    if (auto finding = observations.Take(i, overlaps)) return {*std::move(finding)};
  }
  return {};
}

}  // namespace leasecheck::state_backend
