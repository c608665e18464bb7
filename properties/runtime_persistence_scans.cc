// Scans over commits, reads and attachments: revisions, replays, one state a revision, the ledger, tombstones, the manifest.
#include "properties/runtime_persistence_scans.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "model/runtime_persistence/clauses.h"

namespace leasecheck::runtime_persistence {
namespace {

using engine::Finding;
using engine::Instant;

const RuntimeCommit* CommitOf(const PersistenceCall& call) {
  const auto* request = CallOf<CommitRuntimeStateRequest>(call);
  return request == nullptr ? nullptr : &request->commit;
}

std::pair<std::string, std::string> TurnOf(const RuntimeCommit& commit) {
  return {commit.turn_commit->session_id, commit.turn_commit->turn_id};
}

// One scan over what a history says of its commits and reads.
class CommitScan {
 public:
  CommitScan(const PersistenceHistory& history, ClauseHits* hits) : history_(history), hits_(hits) {}

  std::vector<Finding> Run() {
    for (std::size_t i = 0; i < history_.calls.size(); ++i) {
      const RuntimeCommit* commit = CommitOf(call(i));
      if (commit != nullptr && commit->turn_commit.has_value() && Succeeded(call(i))) ++by_turn_[TurnOf(*commit)];
      if (commit != nullptr && IsIndefinite(call(i))) unseen_.push_back(i);
      if (commit != nullptr && (Succeeded(call(i)) || IsIndefinite(call(i)))) may_raise_.push_back(call(i).called);
    }
    for (std::size_t i = 0; i < history_.calls.size() && findings_.empty(); ++i) Take(i);
    if (findings_.empty()) CheckGaps();
    return std::move(findings_);
  }

 private:
  // What is known of a revision.
  struct Revision {
    bool made = false;                      // by a commit whose answer is known
    std::size_t call = 0;                   // that commit
    const RuntimeCommit* commit = nullptr;  // null where it is not certain which of several made it
    const PersistedSessionRead* read = nullptr;
    std::size_t read_call = 0;
  };
  struct Turn {
    std::size_t call;
    const RuntimeCommitResult* result;
    std::string hash;
  };

  const PersistenceCall& call(std::size_t i) const { return history_.calls[i]; }
  void Find(absl::string_view clause, std::size_t at, std::string explanation) {
    findings_.push_back({std::string(clause), at, std::move(explanation)});
  }
  void Held(ClauseIndex clause) {
    if (hits_ != nullptr) hits_->Add(clause, Sense::kHeld);
  }

  void Take(std::size_t i) {
    if (const RuntimeCommit* commit = CommitOf(call(i))) {
      TakeAdditions(i, *commit);
      if (const auto* result = AnswerOf<CommitRuntimeStateRequest>(call(i))) TakeResult(i, *commit, *result);
      if (const auto* conflict = ErrorOf<HeadRevisionConflict>(call(i))) TakeConflict(i, *commit, *conflict);
    }
    if (const PersistedSessionRead* read = ReadOf(call(i))) TakeRead(i, *read);
    if (const auto* tombstone = CallOf<TombstoneNodesRequest>(call(i))) TakeTombstones(i, *tombstone);
    if (const auto* node = AnswerOf<LoadNodeRequest>(call(i)); node != nullptr && node->has_value()) {
      CheckHidden(i, (*node)->node_id);
    }
    if (const auto* report = AnswerOf<VacuumRequest>(call(i))) TakeVacuum(i, *report);
  }

  // Commits.

  void TakeResult(std::size_t i, const RuntimeCommit& commit, const RuntimeCommitResult& result) {
    if (commit.turn_commit.has_value()) {
      const auto [turn, is_new] = turns_.try_emplace(TurnOf(commit), Turn{i, &result, commit.turn_commit->turn_commit_hash});
      if (!is_new) return CheckReplay(i, commit, result, turn->second);
    }
    const auto [known, is_new] = revisions_.try_emplace(result.head_revision, Revision());
    if (!is_new && known->second.made) {
      return Find("RP-INV-1", i,
                  absl::StrCat("revision ", result.head_revision, " was given before, to call ", known->second.call));
    }
    known->second.made = true;
    known->second.call = i;
    const bool one = !commit.turn_commit.has_value() || (by_turn_[TurnOf(commit)] == 1 && unseen_.empty());
    if (one) known->second.commit = &commit;
    Held(Clause<"RP-INV-1">());
    if (const uint64_t least = LeastBefore(i); one && result.head_revision <= least) {
      return Find(
          "RP-INV-1", i,
          absl::StrCat("expected a revision above ", least, ", which was there before the call; got ", result.head_revision));
    }
    if (one) CheckExpected(i, commit, result);
    ++accepted_;
    RaiseLeast(call(i).returned, result.head_revision);
  }

  void CheckReplay(std::size_t i, const RuntimeCommit& commit, const RuntimeCommitResult& result, const Turn& turn) {
    Held(Clause<"RP-INV-3">());
    if (turn.hash != commit.turn_commit->turn_commit_hash) {
      return Find(
          "RP-INV-3", i,
          absl::StrCat("turn ", commit.turn_commit->turn_id, " was accepted by call ", turn.call, " with hash ", turn.hash));
    }
    if (*turn.result == result) return;
    Find("RP-INV-3", i,
         absl::StrCat("turn ", commit.turn_commit->turn_id, " was answered with head_revision ", turn.result->head_revision,
                      " and checkpoint_ref ", turn.result->checkpoint_ref, " by call ", turn.call, "; now with ",
                      result.head_revision, " and ", result.checkpoint_ref));
  }

  void CheckExpected(std::size_t i, const RuntimeCommit& commit, const RuntimeCommitResult& result) {
    if (!commit.expected_head_revision.has_value()) return;
    Held(Clause<"RP-INV-2">());
    const auto [other, is_new] = expected_.try_emplace(*commit.expected_head_revision, i);
    if (!is_new || result.head_revision != *commit.expected_head_revision + 1) {
      Find("RP-INV-2", i,
           absl::StrCat("expected revision ", *commit.expected_head_revision, " and got ", result.head_revision,
                        is_new ? "" : absl::StrCat("; call ", other->second, " was accepted with the same expectation")));
    }
  }

  void TakeConflict(std::size_t i, const RuntimeCommit& commit, const HeadRevisionConflict& conflict) {
    Held(Clause<"RP-INV-2">());
    const bool same = commit.expected_head_revision.has_value() && *commit.expected_head_revision == conflict.actual;
    const uint64_t least = LeastBefore(i);
    const uint64_t most = MostDuring(i);
    // A loser of a race may be told of what it read (RP-LAT-21): then nothing is certain but that.
    if (!commit.expected_head_revision.has_value()) return;
    if (same || conflict.actual < least || conflict.actual > most) {
      Find("RP-INV-2", i,
           absl::StrCat("a conflict with revision ", conflict.actual, ", while the revision was from ", least, " to ", most));
    }
  }

  // The largest revision that was certainly there before the call.
  uint64_t LeastBefore(std::size_t i) const {
    const auto behind = least_.lower_bound(call(i).called);
    return behind == least_.begin() ? 0 : std::prev(behind)->second;
  }
  void RaiseLeast(Instant returned, uint64_t revision) {
    auto at = least_.lower_bound(returned);
    if (at != least_.begin() && std::prev(at)->second >= revision) return;
    while (at != least_.end() && at->second <= revision) at = least_.erase(at);
    least_.emplace_hint(at, returned, revision);
  }
  // The largest revision that may have been there before the call, which is not such a commit, returned.
  uint64_t MostDuring(std::size_t i) const {
    return std::lower_bound(may_raise_.begin(), may_raise_.end(), call(i).returned) - may_raise_.begin();
  }

  void CheckGaps() {
    uint64_t largest = 0;
    std::size_t last = 0;
    for (const auto& [revision, known] : revisions_) {
      largest = std::max(largest, revision);
      last = std::max(last, known.call);
    }
    const uint64_t unknown = largest - std::min<uint64_t>(largest, accepted_);
    if (unknown <= unseen_.size()) return;
    Find("RP-INV-1", last,
         absl::StrCat("revision ", largest, " was reached by ", accepted_, " accepted commits and ", unseen_.size(),
                      " of unknown outcome"));
  }

  // Reads.

  void TakeRead(std::size_t i, const PersistedSessionRead& read) {
    Held(Clause<"RP-INV-5">());
    const uint64_t least = LeastBefore(i);
    const uint64_t most = MostDuring(i);
    if (read.head_revision < least || read.head_revision > most) {
      return Find("RP-INV-5", i, absl::StrCat("read revision ", read.head_revision, ", while it was from ", least, " to ", most));
    }
    uint64_t& seen = seen_by_[call(i).client];
    if (read.head_revision < seen && call(i).loss == engine::Loss::kNone) {
      return Find("RP-INV-5", i, absl::StrCat("the client had read revision ", seen, " before, and now ", read.head_revision));
    }
    seen = std::max(seen, read.head_revision);
    Revision& revision = revisions_.try_emplace(read.head_revision).first->second;
    if (const RuntimeCommit* commit = CommitBehind(i, read.head_revision)) CheckAgainstCommit(i, read, *commit);
    if (revision.read != nullptr) CheckAgainstRead(i, read, revision);
    revision.read = &read;
    revision.read_call = i;
    CheckLedger(i, read);
    for (const SessionNodeRecord& node : read.graph.nodes) CheckHidden(i, node.node_id);
  }

  // The commit that made this revision, which may return after a read that shows it.
  const RuntimeCommit* CommitBehind(std::size_t i, uint64_t revision) {
    const auto known = revisions_.find(revision);
    if (known != revisions_.end() && known->second.commit != nullptr) return known->second.commit;
    for (std::size_t j = i + 1; j < history_.calls.size() && call(j).called < call(i).returned; ++j) {
      const auto* result = AnswerOf<CommitRuntimeStateRequest>(call(j));
      const RuntimeCommit* commit = CommitOf(call(j));
      if (result != nullptr && result->head_revision == revision && !commit->turn_commit.has_value()) return commit;
    }
    return nullptr;
  }

  void CheckAgainstCommit(std::size_t i, const PersistedSessionRead& read, const RuntimeCommit& commit) {
    const bool same = read.session_id == commit.session_id && read.config == commit.config &&
                      read.agent_frames == commit.agent_frames && read.current_agent_frame_id == commit.current_agent_frame_id &&
                      read.checkpoint.has_value() && read.checkpoint->turn_state == commit.checkpoint.turn_state &&
                      read.checkpoint->plugin_snapshot_revision == commit.checkpoint.plugin_snapshot_revision;
    if (same) return;
    Find("RP-INV-5", i,
         absl::StrCat("the read of revision ", read.head_revision, " does not show what the commit of that revision left"));
  }

  void CheckAgainstRead(std::size_t i, const PersistedSessionRead& read, const Revision& revision) {
    const PersistedSessionRead& other = *revision.read;
    const bool same = read.config == other.config && read.agent_frames == other.agent_frames &&
                      read.current_agent_frame_id == other.current_agent_frame_id && read.token_ledger == other.token_ledger &&
                      read.checkpoint_ref == other.checkpoint_ref;
    if (same) return;
    Find("RP-INV-5", i,
         absl::StrCat("the read differs from that of call ", revision.read_call, ", which shows the same revision ",
                      read.head_revision));
  }

  // The ledger.

  // Sums over the commits up to a revision; false where one of them is not known for certain.
  bool SumUpTo(uint64_t revision, std::map<std::pair<std::string, std::string>, TokenUsage>* sums) {
    for (uint64_t r = 1; r <= revision; ++r) {
      const auto known = revisions_.find(r);
      if (known == revisions_.end() || known->second.commit == nullptr) return false;
      for (const TokenLedgerEntry& delta : known->second.commit->usage_deltas) {
        TokenUsage& sum = (*sums)[{delta.source, delta.model}];
        sum.input_tokens += delta.usage.input_tokens;
        sum.output_tokens += delta.usage.output_tokens;
        sum.cached_input_tokens += delta.usage.cached_input_tokens;
        sum.reasoning_tokens += delta.usage.reasoning_tokens;
      }
    }
    return true;
  }

  void CheckLedger(std::size_t i, const PersistedSessionRead& read) {
    constexpr uint64_t kLong = 500;  // each read costs its revision
    std::map<std::pair<std::string, std::string>, TokenUsage> sums;
    if (read.head_revision > kLong || !SumUpTo(read.head_revision, &sums)) return;
    Held(Clause<"RP-INV-6">());
    for (const TokenLedgerEntry& entry : read.token_ledger) {
      const TokenUsage wanted = sums[{entry.source, entry.model}];
      sums.erase({entry.source, entry.model});
      // Cached tokens alone may not count (RP-LAT-7).
      const bool right = entry.usage.input_tokens == wanted.input_tokens && entry.usage.output_tokens == wanted.output_tokens &&
                         entry.usage.reasoning_tokens == wanted.reasoning_tokens &&
                         entry.usage.cached_input_tokens <= wanted.cached_input_tokens;
      if (right) continue;
      return Find("RP-INV-6", i,
                  absl::StrCat("the ledger of ", entry.source, "/", entry.model, " is not the sum of the commits up to revision ",
                               read.head_revision));
    }
    for (const auto& [pair, wanted] : sums) {
      if (wanted.input_tokens + wanted.output_tokens + wanted.reasoning_tokens == 0) continue;
      return Find("RP-INV-6", i, absl::StrCat("the ledger has nothing of ", pair.first, "/", pair.second));
    }
  }

  // Tombstones.

  void TakeAdditions(std::size_t i, const RuntimeCommit& commit) {
    if (!Succeeded(call(i)) && !IsIndefinite(call(i))) return;
    const auto add = [&](const std::vector<SessionNodeRecord>& nodes) {
      for (const SessionNodeRecord& node : nodes) {
        Instant& last = added_[node.node_id];
        last = std::max(last, IsIndefinite(call(i)) ? engine::kNeverReturned : call(i).returned);
      }
    };
    if (const auto* append = std::get_if<Append>(&commit.graph)) add(append->nodes);
    if (const auto* replace = std::get_if<ReplaceFull>(&commit.graph)) add(replace->graph.nodes);
  }

  void TakeTombstones(std::size_t i, const TombstoneNodesRequest& request) {
    const std::set<std::string> ids(request.ids.begin(), request.ids.end());
    tombstoned_count_ += ids.size();
    if (!Succeeded(call(i))) return;
    for (const std::string& id : ids) tombstones_[id].push_back(i);
  }

  void CheckHidden(std::size_t i, const std::string& id) {
    const auto tombstones = tombstones_.find(id);
    if (tombstones == tombstones_.end()) return;
    const auto before = std::find_if(tombstones->second.rbegin(), tombstones->second.rend(),
                                     [&](std::size_t tombstone) { return Precedes(call(tombstone), call(i)); });
    if (before == tombstones->second.rend()) return;
    Held(Clause<"RP-INV-7">());
    const auto added = added_.find(id);
    if (added != added_.end() && added->second >= call(*before).called) return;
    for (std::size_t j = i + 1; j < history_.calls.size() && call(j).called < call(i).returned; ++j) {
      if (CommitOf(call(j)) != nullptr) return;
    }
    Find("RP-INV-7", i, absl::StrCat("node ", id, " was tombstoned by call ", *before, " and no commit added it since"));
  }

  void TakeVacuum(std::size_t i, const VacuumReport& report) {
    removed_count_ += report.removed_node_count;
    // An earlier vacuum that goes on longer may have removed what is tombstoned after this one.
    last_vacuum_ended_ = std::max(last_vacuum_ended_, call(i).returned);
    Held(Clause<"RP-INV-8">());
    uint64_t most = tombstoned_count_;
    for (std::size_t j = i + 1; j < history_.calls.size() && call(j).called < last_vacuum_ended_; ++j) {
      if (const auto* tombstone = CallOf<TombstoneNodesRequest>(call(j))) most += tombstone->ids.size();
    }
    if (removed_count_ <= most) return;
    Find("RP-INV-8", i,
         absl::StrCat("vacuums removed ", removed_count_, " nodes so far, yet only ", most, " can have been tombstoned"));
  }

  const PersistenceHistory& history_;
  ClauseHits* hits_;
  absl::flat_hash_map<std::pair<std::string, std::string>, int> by_turn_;  // how many commits of a turn succeeded
  std::vector<std::size_t> unseen_;                                        // commits of unknown outcome
  std::map<uint64_t, Revision> revisions_;
  absl::flat_hash_map<std::pair<std::string, std::string>, Turn> turns_;
  std::map<uint64_t, std::size_t> expected_;  // the accepted commit that expected a revision
  uint64_t accepted_ = 0;
  std::map<Instant, uint64_t> least_;           // from this instant on, the revision is at least that
  std::vector<Instant> may_raise_;              // when the commits were called that were accepted, replayed or never answered
  absl::flat_hash_map<int, uint64_t> seen_by_;  // the largest revision that a client has read
  absl::flat_hash_map<std::string, Instant> added_;
  absl::flat_hash_map<std::string, std::vector<std::size_t>> tombstones_;
  uint64_t tombstoned_count_ = 0;
  uint64_t removed_count_ = 0;
  Instant last_vacuum_ended_ = 0;
  std::vector<Finding> findings_;
};

// One scan over the manifest. Of an id that two sessions recorded it says nothing (RP-LAT-20).
class AttachmentScan {
 public:
  AttachmentScan(const PersistenceHistory& history, ClauseHits* hits) : history_(history), hits_(hits) {}

  std::vector<Finding> Run() {
    for (std::size_t i = 0; i < history_.calls.size(); ++i) Note(i);
    for (std::size_t i = 0; i < history_.calls.size(); ++i) {
      const auto* list = AnswerOf<ListUncommittedRequest>(call(i));
      if (list == nullptr) continue;
      const EpochMs cutoff = CallOf<ListUncommittedRequest>(call(i))->older_than_epoch_ms;
      for (const auto& [id, events] : ids_) {
        const bool listed = std::any_of(list->begin(), list->end(), [&, wanted = &id](const AttachmentManifestEntry& entry) {
          return entry.attachment_id == *wanted;
        });
        if (auto finding = Check(i, id, events, listed, cutoff)) return {*std::move(finding)};
      }
    }
    return {};
  }

 private:
  struct Events {
    std::vector<std::size_t> intents;
    std::vector<std::size_t> stamps;  // of any session
    std::vector<std::size_t> forgets;
    std::set<std::string> sessions;  // that recorded it
  };

  const PersistenceCall& call(std::size_t i) const { return history_.calls[i]; }
  bool MayHaveHappened(std::size_t i) const { return Succeeded(call(i)) || IsIndefinite(call(i)); }

  void Note(std::size_t i) {
    if (!MayHaveHappened(i)) return;
    if (const auto* record = CallOf<RecordIntentRequest>(call(i))) {
      ids_[record->intent.attachment_id].intents.push_back(i);
      ids_[record->intent.attachment_id].sessions.insert(record->intent.session_id);
    }
    if (const auto* forget = CallOf<ForgetRequest>(call(i))) ids_[forget->attachment_id].forgets.push_back(i);
    if (const auto* refs = CallOf<CommitRefsRequest>(call(i))) {
      for (const std::string& id : refs->attachment_ids) ids_[id].stamps.push_back(i);
    }
    if (const RuntimeCommit* commit = CommitOf(call(i))) {
      for (const std::string& id : commit->committed_attachment_ids) ids_[id].stamps.push_back(i);
    }
  }

  // Whether the stamp certainly took: of the row's session, by a call that is no replay.
  bool Stamps(std::size_t i, const std::string& session) const {
    if (!Succeeded(call(i))) return false;
    if (const auto* refs = CallOf<CommitRefsRequest>(call(i))) return refs->session_id == session;
    const RuntimeCommit* commit = CommitOf(call(i));
    return commit->session_id == session && !commit->turn_commit.has_value();
  }

  std::optional<Finding> Check(std::size_t i, const std::string& id, const Events& events, bool listed, EpochMs cutoff) const {
    if (events.sessions.size() > 1) return std::nullopt;
    if (hits_ != nullptr && !events.intents.empty()) hits_->Add(Clause<"RP-INV-17">(), Sense::kHeld);
    const auto begun = [&](std::size_t j) { return call(j).called < call(i).returned; };
    const auto before = [&](std::size_t j) { return Succeeded(call(j)) && Precedes(call(j), call(i)); };
    const auto after = [&](std::size_t j, std::size_t k) { return begun(j) && !Precedes(call(j), call(k)); };  // k may be first
    const auto ended = [&](const std::vector<std::size_t>& calls, std::size_t k) {
      return std::any_of(calls.begin(), calls.end(), [&](std::size_t j) { return after(j, k) && j != k; });
    };
    if (!listed) {
      for (std::size_t intent : events.intents) {
        const bool early = CallOf<RecordIntentRequest>(call(intent))->intent.intent_at_epoch_ms <= cutoff;
        if (!early || !before(intent)) continue;
        const bool stamped = std::any_of(events.stamps.begin(), events.stamps.end(), begun);
        const bool moved = events.intents.size() > 1 && LatestOf(events) > cutoff;
        if (stamped || moved || ended(events.forgets, intent)) continue;
        return Finding{"RP-INV-17", i,
                       absl::StrCat("attachment ", id, " was recorded by call ", intent,
                                    " and not stamped or forgotten since, yet it is not listed")};
      }
      return std::nullopt;
    }
    if (std::none_of(events.intents.begin(), events.intents.end(), begun)) {
      return Finding{"RP-INV-17", i, absl::StrCat("attachment ", id, " is listed, and nobody recorded it")};
    }
    for (std::size_t forget : events.forgets) {
      if (!before(forget) || ended(events.intents, forget)) continue;
      return Finding{"RP-INV-17", i, absl::StrCat("attachment ", id, " was forgotten by call ", forget, ", yet it is listed")};
    }
    for (std::size_t stamp : events.stamps) {
      const bool recorded = std::any_of(events.intents.begin(), events.intents.end(), [&](std::size_t intent) {
        return Succeeded(call(intent)) && Precedes(call(intent), call(stamp)) && !ended(events.forgets, intent);
      });
      if (!recorded || !before(stamp) || !Stamps(stamp, *events.sessions.begin())) continue;
      return Finding{"RP-INV-17", i, absl::StrCat("attachment ", id, " was stamped by call ", stamp, ", yet it is listed")};
    }
    return std::nullopt;
  }

  EpochMs LatestOf(const Events& events) const {
    EpochMs latest = 0;
    for (std::size_t intent : events.intents) {
      latest = std::max(latest, CallOf<RecordIntentRequest>(call(intent))->intent.intent_at_epoch_ms);
    }
    return latest;
  }

  const PersistenceHistory& history_;
  ClauseHits* hits_;
  std::map<std::string, Events> ids_;
};

}  // namespace

std::vector<Finding> ScanCommits(const PersistenceHistory& history, const SpecSetup& /*setup*/, ClauseHits* hits) {
  return CommitScan(history, hits).Run();
}

std::vector<Finding> ScanAttachments(const PersistenceHistory& history, const SpecSetup& setup, ClauseHits* hits) {
  if (setup.dialects != nullptr && Declares(*setup.dialects, "AM-NOP-1", "noop")) return {};
  return AttachmentScan(history, hits).Run();
}

}  // namespace leasecheck::runtime_persistence
