// Probes: two observations of one thing with only calls in between that must not have changed what it shows.
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "model/runtime_persistence/clauses.h"
#include "properties/runtime_persistence_scans.h"

namespace leasecheck::runtime_persistence {
namespace {

using engine::Finding;

// What stood between two observations.
struct Between {
  bool vacuumed = false;
  bool collected = false;
  bool rejected = false;   // a commit
  bool aside = false;      // meta, queue, attachments: nothing of the state
  bool elsewhere = false;  // a queue call of another session
  bool reopened = false;   // the store
};

class Observations {
 public:
  explicit Observations(ClauseHits* hits) : hits_(hits) {}

  std::optional<Finding> Take(std::size_t i, const PersistenceCall& call, bool overlaps) {
    if (overlaps || IsIndefinite(call) || engine::RequestIf<RuntimePersistenceFamily>(call.action) == nullptr) {
      // A clock move changes what is pending; a crash or an overlap may change anything. Reopening must change nothing.
      if (std::holds_alternative<engine::SetClock>(call.action)) {
        pending_.clear();
      } else if (std::holds_alternative<engine::Reopen>(call.action)) {
        Mark([](Between& between) { between.reopened = true; });
      } else {
        Forget();
      }
      return std::nullopt;
    }
    if (call.window.has_value()) pending_.clear();  // time passes by itself
    if (const auto* load = CallOf<LoadSessionRequest>(call)) return TakeRead(i, *load, AnswerOf<LoadSessionRequest>(call));
    if (const auto* list = CallOf<ListQueuedWorkRequest>(call)) {
      return TakeList(i, list_[list->session_id], AnswerOf<ListQueuedWorkRequest>(call));
    }
    if (const auto* pending = CallOf<ListPendingQueuedWorkRequest>(call)) {
      return TakeList(i, pending_[pending->session_id], AnswerOf<ListPendingQueuedWorkRequest>(call));
    }
    TakeChange(call);
    return std::nullopt;
  }

 private:
  using Read = std::optional<PersistedSessionRead>;
  using List = std::vector<QueuedWorkBatch>;
  struct SeenRead {
    std::size_t call = 0;
    const Read* read = nullptr;
    Between between;
  };
  struct SeenList {
    std::size_t call = 0;
    const List* list = nullptr;
    Between between;
  };

  void Forget() {
    full_ = path_ = SeenRead();
    list_.clear();
    pending_.clear();
  }
  void Held(ClauseIndex clause, bool applies) {
    if (applies && hits_ != nullptr) hits_->Add(clause, Sense::kHeld);
  }

  // Reads.

  std::optional<Finding> TakeRead(std::size_t i, const LoadSessionRequest& load, const Read* read) {
    const auto* path = std::get_if<ActivePath>(&load.scope);
    if (path != nullptr && path->leaf_node_id.has_value()) return std::nullopt;
    SeenRead& seen = path == nullptr ? full_ : path_;
    std::optional<Finding> finding;
    if (read != nullptr && seen.read != nullptr) finding = Compare(i, seen, *read);
    seen = {i, read, {}};
    return finding;
  }

  // A path through a tombstoned node, and the leaf that is one, may look otherwise once it is gone (RP-LAT-3).
  static bool SameRead(const Read& a, const Read& b, bool vacuumed) {
    if (!vacuumed || !a.has_value() || !b.has_value()) return a == b;
    PersistedSessionRead other = *b;
    other.graph.leaf_node_id = a->graph.leaf_node_id;
    return *a == other;
  }

  std::optional<Finding> Compare(std::size_t i, const SeenRead& seen, const Read& read) {
    const Between& between = seen.between;
    const bool path = &seen == &path_;
    if (path && between.vacuumed) return std::nullopt;
    Held(Clause<"RP-VAC-3">(), between.vacuumed);
    Held(Clause<"RP-INV-9">(), between.collected);
    Held(Clause<"RP-INV-4">(), between.rejected);
    Held(Clause<"RP-DUR-3">(), between.reopened);
    Held(Clause<"RP-INV-18">(), between.aside || between.vacuumed || between.collected);
    if (SameRead(*seen.read, read, between.vacuumed)) return std::nullopt;
    const bool moved =
        seen.read->has_value() != read.has_value() || (read.has_value() && (*seen.read)->head_revision != read->head_revision);
    const char* clause = between.reopened    ? "RP-DUR-3"
                         : between.rejected  ? "RP-INV-4"
                         : moved             ? "RP-INV-18"
                         : between.collected ? "RP-INV-9"
                         : between.vacuumed  ? "RP-VAC-3"
                                             : "RP-INV-18";
    return Finding{
        clause, i,
        absl::StrCat("the session was read by call ", seen.call, " and nothing since then may change it, yet it differs")};
  }

  // Lists.

  std::optional<Finding> TakeList(std::size_t i, SeenList& seen, const List* list) {
    std::optional<Finding> finding;
    if (list != nullptr && seen.list != nullptr) {
      Held(Clause<"RP-INV-16">(), seen.between.elsewhere);
      Held(Clause<"RP-INV-4">(), seen.between.rejected);
      if (!(*seen.list == *list)) {
        finding = Finding{
            seen.between.rejected ? "RP-INV-4" : "RP-INV-16", i,
            absl::StrCat("the queue was listed by call ", seen.call, " and nothing since then may change it, yet it differs")};
      }
    }
    seen = {i, list, {}};
    return finding;
  }

  // What lies between.

  void TakeChange(const PersistenceCall& call) {
    if (CallOf<CommitRuntimeStateRequest>(call) != nullptr) {
      if (Succeeded(call)) return Forget();
      Mark([](Between& between) { between.rejected = true; });
      return;
    }
    if (CallOf<TombstoneNodesRequest>(call) != nullptr) {
      full_ = path_ = SeenRead();
    } else if (CallOf<VacuumRequest>(call) != nullptr) {
      MarkReads([](Between& between) { between.vacuumed = true; });
    } else if (CallOf<GcUnreachableRequest>(call) != nullptr) {
      MarkReads([](Between& between) { between.collected = true; });
    } else {
      MarkReads([](Between& between) { between.aside = true; });
      TakeQueueCall(call);
    }
  }

  template <class Change>
  void MarkReads(Change change) {
    change(full_.between);
    change(path_.between);
  }
  template <class Change>
  void Mark(Change change) {
    MarkReads(change);
    for (auto* lists : {&list_, &pending_}) {
      for (auto& [session, seen] : *lists) change(seen.between);
    }
  }

  // The session of a queue call that may change it.
  static const std::string* SessionOf(const PersistenceCall& call) {
    if (const auto* enqueue = CallOf<EnqueueQueuedWorkRequest>(call)) return &enqueue->batch.session_id;
    if (const auto* claim = CallOf<ClaimReadyQueuedWorkRequest>(call)) return &claim->session_id;
    if (const auto* claim = CallOf<ClaimReadyQueuedWorkByBatchIdsRequest>(call)) return &claim->session_id;
    if (const auto* renew = CallOf<RenewQueuedWorkClaimRequest>(call)) return &renew->claim.session_id;
    if (const auto* abandon = CallOf<AbandonQueuedWorkClaimRequest>(call)) return &abandon->claim.session_id;
    if (const auto* cancel = CallOf<CancelQueuedWorkBatchRequest>(call)) return &cancel->session_id;
    return nullptr;
  }

  void TakeQueueCall(const PersistenceCall& call) {
    const std::string* session = SessionOf(call);
    if (session == nullptr) return;
    for (auto* lists : {&list_, &pending_}) {
      for (auto& [name, seen] : *lists) {
        if (name != *session) {
          seen.between.elsewhere = true;
        } else {
          seen = SeenList();
        }
      }
    }
  }

  ClauseHits* hits_;
  SeenRead full_;
  SeenRead path_;
  absl::flat_hash_map<std::string, SeenList> list_;
  absl::flat_hash_map<std::string, SeenList> pending_;
};

}  // namespace

std::vector<Finding> ProbeObservations(const PersistenceHistory& history, ClauseHits* hits) {
  Observations observations(hits);
  engine::Instant latest = -1;
  for (std::size_t i = 0; i < history.calls.size(); ++i) {
    const PersistenceCall& call = history.calls[i];
    const bool overlaps = call.called < latest || (i + 1 < history.calls.size() && history.calls[i + 1].called < call.returned);
    latest = std::max(latest, call.returned);
    if (auto finding = observations.Take(i, call, overlaps)) return {*std::move(finding)};
  }
  return {};
}

}  // namespace leasecheck::runtime_persistence
