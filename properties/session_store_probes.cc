// Probes: two observations of one session with only calls in between that must not have changed it.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "model/session_store/clauses.h"
#include "properties/session_store_calls.h"
#include "properties/session_store_scans.h"

namespace leasecheck::session_store {
namespace {

using engine::Finding;

// What a call between two observations is, seen from the observed session.
struct Between {
  bool elsewhere = false;       // it names another session (QW-INV-16)
  bool without_effect = false;  // a read, an error, a "none" (QW-INV-19)
  bool repeated = false;        // of an idempotent call (QW-INV-17)
  bool renewed = false;         // a claim (QW-INV-20)
};

class Observations {
 public:
  explicit Observations(ClauseHits* hits) : hits_(hits) {}

  std::optional<Finding> Take(std::size_t i, const SessionCall& call, bool overlaps) {
    if (overlaps || IsIndefinite(call) || engine::RequestIf<SessionStoreFamily>(call.action) == nullptr) {
      // A clock move changes what is pending; a crash or an overlap may change anything. Reopening must change nothing.
      if (std::holds_alternative<engine::SetClock>(call.action)) {
        for (auto& [session, seen] : pending_) seen.reset();
      } else if (!std::holds_alternative<engine::Reopen>(call.action)) {
        list_.clear();
        pending_.clear();
      }
      return std::nullopt;
    }
    // Time passes by itself, and what is pending changes with it.
    if (call.window.has_value()) pending_.clear();
    if (const auto* list = CallOf<ListQueuedWorkRequest>(call)) {
      return Compare(i, list_[list->session_id], AnswerOf<ListQueuedWorkRequest>(call), "the list");
    }
    if (const auto* pending = CallOf<ListPendingQueuedWorkRequest>(call)) {
      return Compare(i, pending_[pending->session_id], AnswerOf<ListPendingQueuedWorkRequest>(call), "the pending list");
    }
    TakeChange(call);
    return std::nullopt;
  }

 private:
  struct Seen {
    std::size_t call;
    const std::vector<QueuedWorkBatch>* batches;
    Between between;
  };
  using Sessions = absl::flat_hash_map<std::string, std::optional<Seen>>;

  std::optional<Finding> Compare(std::size_t i, std::optional<Seen>& seen, const std::vector<QueuedWorkBatch>* now,
                                 const char* what) {
    if (now == nullptr) return std::nullopt;
    std::optional<Finding> finding;
    if (seen.has_value()) {
      const Between& between = seen->between;
      Count(between);
      if (!(*seen->batches == *now)) {
        const char* clause = between.without_effect ? "QW-INV-19"
                             : between.repeated     ? "QW-INV-17"
                             : between.renewed      ? "QW-INV-20"
                             : between.elsewhere    ? "QW-INV-16"
                                                    : "QW-INV-19";
        finding = Finding{
            clause, i,
            absl::StrCat(what, " was observed by call ", seen->call, " and nothing since then may change it, yet it differs")};
      }
    }
    seen = Seen{i, now, {}};
    return finding;
  }

  void Count(const Between& between) {
    if (hits_ == nullptr) return;
    if (between.elsewhere) hits_->Add(Clause<"QW-INV-16">(), Sense::kHeld);
    if (between.without_effect) hits_->Add(Clause<"QW-INV-19">(), Sense::kHeld);
    if (between.repeated) hits_->Add(Clause<"QW-INV-17">(), Sense::kHeld);
    if (between.renewed) hits_->Add(Clause<"QW-INV-20">(), Sense::kHeld);
  }

  // What a call may change of its session: nothing, what is pending, or the list.
  enum class Change { kNothing, kPending, kList };

  void TakeChange(const SessionCall& call) {
    Between kind;
    const Change change = ChangeOf(call, kind);
    const std::string session = SessionOf(call);
    for (auto* sessions : {&list_, &pending_}) {
      for (auto& [name, seen] : *sessions) {
        if (!seen.has_value()) continue;
        if (name != session) {
          seen->between.elsewhere = true;
        } else if (change == Change::kList || (change == Change::kPending && sessions == &pending_)) {
          seen.reset();
        } else {
          seen->between.without_effect |= kind.without_effect;
          seen->between.repeated |= kind.repeated;
          seen->between.renewed |= kind.renewed;
        }
      }
    }
  }

  Change ChangeOf(const SessionCall& call, Between& kind) {
    if (!Succeeded(call)) {
      kind.without_effect = true;
      return Change::kNothing;
    }
    if (const auto* batch = AnswerOf<EnqueueQueuedWorkRequest>(call)) {
      kind.repeated = !enqueued_.insert(batch->batch_id).second;
      return kind.repeated ? Change::kNothing : Change::kList;
    }
    if (GrantOf(call) != nullptr) return Change::kPending;
    if (const auto* cancelled = AnswerOf<CancelQueuedWorkBatchRequest>(call)) {
      if (cancelled->has_value()) return Change::kList;
      kind.without_effect = true;
      return Change::kNothing;
    }
    if (const auto* abandon = CallOf<AbandonQueuedWorkClaimRequest>(call)) {
      kind.repeated = !abandoned_.insert({abandon->claim.session_id, abandon->claim.claim_id, abandon->claim.lease_token}).second;
      return kind.repeated ? Change::kNothing : Change::kPending;
    }
    if (const auto* commit = CallOf<CommitRuntimeStateRequest>(call)) {
      const auto& stamp = commit->commit.turn_commit;
      kind.repeated = stamp.has_value() && !stamped_.insert({stamp->session_id, stamp->turn_id}).second;
      return kind.repeated ? Change::kNothing : Change::kList;
    }
    if (CallOf<RenewQueuedWorkClaimRequest>(call) != nullptr) {
      kind.renewed = true;
      return Change::kPending;
    }
    if (const auto* release = CallOf<ReleaseSessionExecutionLeaseRequest>(call)) {
      kind.repeated = !released_.insert(release->completion.lease_token).second;
      return Change::kNothing;
    }
    if (MayTakeFromTheDead(call)) return Change::kPending;
    kind.without_effect = IsNone(call) || CallOf<LoadSessionRequest>(call) != nullptr;
    return Change::kNothing;  // a lane's affairs never touch the queue
  }

  // A claim by ids that does not match may claim and give back (QW-LAT-22): what a dead holder held is pending from then on.
  static bool MayTakeFromTheDead(const SessionCall& call) {
    const auto* claim = CallOf<ClaimReadyQueuedWorkByBatchIdsRequest>(call);
    return claim != nullptr && !claim->batch_ids.empty() && std::holds_alternative<LocalProcessOwner>(claim->owner.liveness);
  }

  static bool IsNone(const SessionCall& call) {
    for (const auto* answer :
         {AnswerOf<ClaimLeadingReadySessionCommandRequest>(call), AnswerOf<ClaimReadyQueuedWorkRequest>(call),
          AnswerOf<ClaimReadyQueuedWorkByBatchIdsRequest>(call)}) {
      if (answer != nullptr && !answer->has_value()) return true;
    }
    return false;
  }

  // The session that a call names and may change.
  static std::string SessionOf(const SessionCall& call) {
    const RequestOf<SessionStoreFamily>& request = *engine::RequestIf<SessionStoreFamily>(call.action);
    return std::visit(
        [](const auto& r) -> std::string {
          using R = std::decay_t<decltype(r)>;
          if constexpr (requires { r.session_id; }) {
            return r.session_id;
          } else if constexpr (requires { r.batch.session_id; }) {
            return r.batch.session_id;
          } else if constexpr (requires { r.input.session_id; }) {
            return r.input.session_id;
          } else if constexpr (requires { r.claim.session_id; }) {
            return r.claim.session_id;
          } else if constexpr (requires { r.fence.session_id; }) {
            return r.fence.session_id;
          } else if constexpr (requires { r.completion.session_id; }) {
            return r.completion.session_id;
          } else if constexpr (requires { r.commit.session_id; }) {
            return r.commit.session_id;
          } else {
            static_assert(std::is_same_v<R, LoadSessionRequest> || std::is_same_v<R, VacuumRequest>);
            return "";
          }
        },
        request);
  }

  ClauseHits* hits_;
  Sessions list_;
  Sessions pending_;
  absl::flat_hash_set<std::string> enqueued_;
  absl::flat_hash_set<std::tuple<std::string, std::string, std::string>> abandoned_;
  absl::flat_hash_set<std::pair<std::string, std::string>> stamped_;
  absl::flat_hash_set<std::string> released_;
};

}  // namespace

std::vector<Finding> ProbeObservations(const SessionHistory& history, ClauseHits* hits) {
  Observations observations(hits);
  engine::Instant latest = -1;
  for (std::size_t i = 0; i < history.calls.size(); ++i) {
    const SessionCall& call = history.calls[i];
    const bool overlaps = call.called < latest || (i + 1 < history.calls.size() && history.calls[i + 1].called < call.returned);
    latest = std::max(latest, call.returned);
    if (auto finding = observations.Take(i, call, overlaps)) return {*std::move(finding)};
  }
  return {};
}

}  // namespace leasecheck::session_store
