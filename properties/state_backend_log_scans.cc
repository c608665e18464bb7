// Scans over logs, snapshots and arrays: order, gaps, prefixes, cursors, agreement of the reads.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "model/state_backend/clauses.h"
#include "properties/state_backend_scans.h"

namespace leasecheck::state_backend {
namespace {

using engine::Finding;
using Indices = std::vector<std::size_t>;

class LogScan {
 public:
  LogScan(const BackendHistory& history, const SpecSetup& setup, ClauseHits* hits) : history_(history), hits_(hits) {
    if (setup.dialects == nullptr) return;
    global_ = Declares(*setup.dialects, "SB-LAT-10", "global");
  }

  std::vector<Finding> Run() {
    for (std::size_t i = 0; i < history_.calls.size(); ++i) Collect(i);
    for (std::size_t i = 0; i < history_.calls.size() && findings_.empty(); ++i) Check(i);
    for (const auto& [id, facts] : facts_) {
      if (findings_.empty()) CheckArrays(id, facts);
    }
    return std::move(findings_);
  }

 private:
  // A read that showed something of a log: its numbers above `since`, and the events that it showed, if it showed them.
  struct Sight {
    std::size_t call = 0;
    EventSequence since = 0;
    EventSequence last = 0;
    const std::vector<Event>* events = nullptr;  // null: only the last number
  };
  struct Facts {
    Indices appends;    // that succeeded
    Indices unseen;     // appends that may have
    Indices snapshots;  // written, or maybe
    Indices snapshot_reads;
    Indices patches;       // that succeeded, or may have
    Indices replacements;  // of the whole state, that succeeded or may have
    Indices states;        // reads of the execution
    Indices creations;     // that succeeded or may have
    std::vector<Sight> sights;
  };

  const BackendCall& call(std::size_t i) const { return history_.calls[i]; }
  void Find(absl::string_view clause, std::size_t at, std::string explanation) {
    findings_.push_back({std::string(clause), at, std::move(explanation)});
  }
  void Held(ClauseIndex clause) {
    if (hits_ != nullptr) hits_->Add(clause, Sense::kHeld);
  }
  bool MayPrecede(std::size_t earlier, std::size_t later) const { return call(earlier).called < call(later).returned; }

  void Collect(std::size_t i) {
    const BackendCall& c = call(i);
    if (!MayHaveDone(c)) return;
    if (const auto* append = CallOf<AppendEventRequest>(c)) {
      Facts& facts = facts_[append->event.execution_id];
      (IsIndefinite(c) ? facts.unseen : facts.appends).push_back(i);
    }
    if (const auto* write = CallOf<WriteSnapshotRequest>(c)) facts_[write->snapshot.execution_id].snapshots.push_back(i);
    if (const auto* read = CallOf<LatestSnapshotRequest>(c); read != nullptr && c.outcome.index() == 0) {
      facts_[read->execution_id].snapshot_reads.push_back(i);
    }
    if (const auto* patch = CallOf<PatchAppendArrayRequest>(c)) facts_[patch->execution_id].patches.push_back(i);
    if (const auto* state = CallOf<UpdateExecutionCurrentStateRequest>(c)) facts_[state->id].replacements.push_back(i);
    if (const auto* create = CallOf<CreateExecutionRequest>(c)) {
      facts_[create->execution.execution_id].replacements.push_back(i);
      facts_[create->execution.execution_id].creations.push_back(i);
    }
    if (const auto* get = CallOf<GetExecutionRequest>(c); get != nullptr && c.outcome.index() == 0) {
      facts_[get->id].states.push_back(i);
    }
  }

  void Check(std::size_t i) {
    const BackendCall& c = call(i);
    if (const auto* number = AnswerOf<AppendEventRequest>(c)) CheckAppend(i, *CallOf<AppendEventRequest>(c), *number);
    if (const auto* events = AnswerOf<GetEventsRequest>(c)) See(i, CallOf<GetEventsRequest>(c)->execution_id, 0, *events);
    if (const auto* events = AnswerOf<GetEventsSinceRequest>(c)) {
      const auto* since = CallOf<GetEventsSinceRequest>(c);
      See(i, since->execution_id, since->since_sequence, *events);
    }
    if (const auto* last = AnswerOf<LatestSequenceRequest>(c); last != nullptr && *last > 0) {
      SeeLast(CallOf<LatestSequenceRequest>(c)->execution_id, {i, 0, *last, nullptr});
    }
    if (const auto* snapshot = AnswerOf<LatestSnapshotRequest>(c); snapshot != nullptr && snapshot->has_value()) {
      CheckSnapshot(i, **snapshot);
    }
    if (AnswerOf<UpdateExecutionCurrentStateRequest>(c) != nullptr) WarnOfNowhere(i);
  }

  // A state that was stored nowhere. The spec cannot tell this from an update that came before the creation it raced with.
  void WarnOfNowhere(std::size_t i) {
    const Indices& creations = facts_[CallOf<UpdateExecutionCurrentStateRequest>(call(i))->id].creations;
    const bool any = std::any_of(creations.begin(), creations.end(), [&](std::size_t earlier) { return MayPrecede(earlier, i); });
    if (!any) Held(Clause<"SB-LAT-4">());
  }

  // Numbers.

  void CheckAppend(std::size_t i, const AppendEventRequest& append, EventSequence number) {
    const ExecutionId& id = append.event.execution_id;
    const Facts& facts = facts_[id];
    if (number < 1) return Find("SB-SEQ-4", i, absl::StrCat("an append to ", UuidText(id), " was answered ", number));
    for (std::size_t other : facts.appends) {
      if (other == i) break;
      const EventSequence before = *AnswerOf<AppendEventRequest>(call(other));
      Held(Clause<"SB-SEQ-4">());
      if (before == number) {
        return Find("SB-SEQ-4", i, absl::StrCat("call ", other, " was answered ", number, " for the same execution"));
      }
      if (!Precedes(call(other), call(i))) continue;
      Held(Clause<"SB-INV-10">());
      if (before < number) continue;
      return Find("SB-INV-10", i,
                  absl::StrCat("the append of call ", other, " was over, and was answered ", before, "; this one ", number));
    }
    Held(Clause<"SB-INV-9">());
    if (global_) {
      if (!numbers_.insert(number).second) Find("SB-INV-9", i, absl::StrCat("number ", number, " was given before"));
      return;
    }
    const auto before = [&](const Indices& appends, bool surely) {
      return std::count_if(appends.begin(), appends.end(),
                           [&](std::size_t k) { return k != i && (surely ? Precedes(call(k), call(i)) : MayPrecede(k, i)); });
    };
    const auto least = static_cast<EventSequence>(before(facts.appends, true)) + 1;
    const auto most = static_cast<EventSequence>(before(facts.appends, false) + before(facts.unseen, false)) + 1;
    if (number >= least && number <= most) return;
    Find("SB-INV-9", i,
         absl::StrCat("the append to ", UuidText(id), " was answered ", number, " after ", least - 1, " to ", most - 1,
                      " appends"));
  }

  // Reads.

  void See(std::size_t i, const ExecutionId& id, EventSequence since, const std::vector<Event>& events) {
    CheckListed(i, id, events);
    if (!findings_.empty() || events.empty()) return;
    SeeLast(id, {i, std::max<EventSequence>(since, 0), events.back().sequence, &events});
  }

  // A list rises, without gaps where it has none, and has events that were appended, as they were.
  void CheckListed(std::size_t i, const ExecutionId& id, const std::vector<Event>& events) {
    const Facts& facts = facts_[id];
    for (std::size_t n = 0; n < events.size(); ++n) {
      if (n > 0 && events[n].sequence <= events[n - 1].sequence) {
        return Find("SB-INV-8", i, absl::StrCat("number ", events[n].sequence, " comes after ", events[n - 1].sequence));
      }
      if (n > 0 && !global_ && events[n].sequence != events[n - 1].sequence + 1) {
        return Find("SB-INV-9", i, absl::StrCat("number ", events[n].sequence, " comes after ", events[n - 1].sequence));
      }
      const auto made = [&](std::size_t k) {
        return MayPrecede(k, i) && CallOf<AppendEventRequest>(call(k))->event.id == events[n].id;
      };
      const bool known = std::any_of(facts.appends.begin(), facts.appends.end(), made) ||
                         std::any_of(facts.unseen.begin(), facts.unseen.end(), made);
      if (!known)
        return Find("SB-INV-8", i, absl::StrCat("nobody appended event ", UuidText(events[n].id), " to ", UuidText(id)));
    }
  }

  // A read of what is there now, against those before it: nothing new comes below what was seen, nothing that was seen is gone.
  void SeeLast(const ExecutionId& id, const Sight& sight) {
    Facts& facts = facts_[id];
    CheckAppended(facts, sight);
    for (const Sight& before : facts.sights) {
      if (!findings_.empty()) return;
      if (!Precedes(call(before.call), call(sight.call))) continue;
      Held(Clause<"SB-INV-12">());
      if (sight.last < before.last && (sight.events == nullptr || sight.since < before.last)) {
        return Find("SB-INV-12", sight.call,
                    absl::StrCat("the last number is ", sight.last, ", and call ", before.call, " saw ", before.last));
      }
      if (before.events != nullptr && sight.events != nullptr) ComparePrefix(before, sight);
      if (before.events == nullptr && sight.events != nullptr) CheckReaches(before, sight);
    }
    facts.sights.push_back(sight);
  }

  // Above the greater `since` and up to what the earlier read saw last, both show the same.
  void ComparePrefix(const Sight& before, const Sight& after) {
    const EventSequence from = std::max(before.since, after.since);
    const auto part = [&](const std::vector<Event>& events) {
      std::vector<const Event*> own;
      for (const Event& event : events) {
        if (event.sequence > from && event.sequence <= before.last) own.push_back(&event);
      }
      return own;
    };
    const auto a = part(*before.events);
    const auto b = part(*after.events);
    Held(Clause<"SB-INV-8">());
    Held(Clause<"SB-INV-11">());
    if (std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Event* x, const Event* y) { return *x == *y; })) return;
    const char* clause = b.size() > a.size() ? "SB-INV-11" : "SB-INV-8";
    Find(clause, after.call,
         absl::StrCat("between ", from, " and ", before.last, " there are ", b.size(), " events, and call ", before.call, " saw ",
                      a.size(), " there", b.size() > a.size() ? ": a reader that went on from there has missed some" : ""));
  }

  // A list that goes beyond a number which was seen as the last has the events up to it.
  void CheckReaches(const Sight& before, const Sight& after) {
    if (global_ || after.since >= before.last) return;
    const auto shown = [&](const Event& event) { return event.sequence == before.last; };
    if (std::any_of(after.events->begin(), after.events->end(), shown)) return;
    Find("SB-INV-12", after.call,
         absl::StrCat("call ", before.call, " saw the number ", before.last, ", which is not in the list"));
  }

  // Every append that is over is seen, where the read begins below its number.
  void CheckAppended(const Facts& facts, const Sight& sight) {
    for (std::size_t append : facts.appends) {
      if (!Precedes(call(append), call(sight.call))) continue;
      const EventSequence number = *AnswerOf<AppendEventRequest>(call(append));
      if (sight.events == nullptr) {
        if (number <= sight.last) continue;
        return Find("SB-INV-12", sight.call,
                    absl::StrCat("call ", append, " was answered ", number, ", and the last number is ", sight.last));
      }
      const auto shows = [&](const Event& event) { return event.sequence == number; };
      if (number <= sight.since || std::any_of(sight.events->begin(), sight.events->end(), shows)) continue;
      return Find("SB-INV-8", sight.call,
                  absl::StrCat("the event that call ", append, " appended as ", number, " is not in the list"));
    }
  }

  // Snapshots.

  void CheckSnapshot(std::size_t i, const Snapshot& shown) {
    const Facts& facts = facts_[shown.execution_id];
    bool known = false;
    for (std::size_t write : facts.snapshots) {
      const Snapshot& written = CallOf<WriteSnapshotRequest>(call(write))->snapshot;
      known |= MayPrecede(write, i) && written == shown;
      if (IsIndefinite(call(write)) || !Precedes(call(write), call(i))) continue;
      Held(Clause<"SB-INV-15">());
      if (written.at_sequence <= shown.at_sequence) continue;
      return Find("SB-INV-15", i,
                  absl::StrCat("the latest snapshot is at ", shown.at_sequence, ", and call ", write, " wrote one at ",
                               written.at_sequence));
    }
    if (!known) return Find("SB-INV-15", i, "nobody wrote the snapshot that is shown");
    for (std::size_t read : facts.snapshot_reads) {
      const auto& before = *AnswerOf<LatestSnapshotRequest>(call(read));
      if (!Precedes(call(read), call(i)) || !before.has_value() || before->at_sequence <= shown.at_sequence) continue;
      return Find(
          "SB-INV-15", i,
          absl::StrCat("the latest snapshot is at ", shown.at_sequence, ", and was at ", before->at_sequence, " in call ", read));
    }
  }

  // Arrays: between two reads of a state, with appends and nothing else that changes the state in between, it grows by them.

  void CheckArrays(const ExecutionId& id, const Facts& facts) {
    for (std::size_t n = 1; n < facts.states.size() && findings_.empty(); ++n) {
      const std::size_t from = facts.states[n - 1];
      const std::size_t to = facts.states[n];
      const auto& before = *AnswerOf<GetExecutionRequest>(call(from));
      const auto& after = *AnswerOf<GetExecutionRequest>(call(to));
      if (!before.has_value() || !after.has_value() || !Precedes(call(from), call(to))) continue;
      const auto between = [&](std::size_t k) {
        return (IsIndefinite(call(k)) || call(k).returned > call(from).called) && call(k).called < call(to).returned;
      };
      if (std::any_of(facts.replacements.begin(), facts.replacements.end(), between)) continue;
      CheckGrowth(id, facts, from, to, before->current_state.text, after->current_state.text);
    }
  }

  void CheckGrowth(const ExecutionId& id, const Facts& facts, std::size_t from, std::size_t to, const std::string& before,
                   const std::string& after) {
    std::size_t least = 0;  // bytes by which the text has to grow: each value that was surely appended in between
    for (std::size_t patch : facts.patches) {
      if (IsIndefinite(call(patch)) || !Precedes(call(from), call(patch)) || !Precedes(call(patch), call(to))) continue;
      least += CallOf<PatchAppendArrayRequest>(call(patch))->value.text.size();
      Held(Clause<"SB-INV-16">());
    }
    if (after.size() >= before.size() + least) return;
    Find("SB-INV-16", to,
         absl::StrCat("the state of ", UuidText(id), " has ", after.size(), " bytes, and had ", before.size(), " in call ", from,
                      "; the values that were appended since then have ", least));
  }

  const BackendHistory& history_;
  ClauseHits* hits_;
  bool global_ = false;
  absl::flat_hash_map<ExecutionId, Facts> facts_;
  absl::flat_hash_set<EventSequence> numbers_;  // that were given, of all executions
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> ScanLogs(const BackendHistory& history, const SpecSetup& setup, ClauseHits* hits) {
  return LogScan(history, setup, hits).Run();
}

}  // namespace leasecheck::state_backend
