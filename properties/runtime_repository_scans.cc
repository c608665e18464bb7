// Scans over attempts and runs: order, numbers, ends, retries, dead letters, events.
#include "properties/runtime_repository_scans.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "model/runtime_repository/clauses.h"

namespace leasecheck::runtime_repository {
namespace {

using engine::Finding;
using Indices = std::vector<std::size_t>;

class AttemptScan {
 public:
  AttemptScan(const RepositoryHistory& history, const SpecSetup& setup, ClauseHits* hits) : history_(history), hits_(hits) {
    if (setup.dialects == nullptr) return;
    upstream_ = Declares(*setup.dialects, "profile", "upstream");
    counts_events_ = !(upstream_ && Declares(*setup.dialects, "RR-LAT-12", "none"));
    by_priority_ = !Declares(*setup.dialects, "RR-LAT-7", "no,id");
  }

  std::vector<Finding> Run() {
    for (std::size_t i = 0; i < history_.calls.size(); ++i) Collect(i);
    for (std::size_t i = 0; i < history_.calls.size() && findings_.empty(); ++i) Check(i);
    return std::move(findings_);
  }

 private:
  // The calls about one attempt, each in the order of the calls.
  struct Facts {
    std::optional<std::size_t> enqueue;  // the first
    Indices acks;                        // that took effect, or may have; so have all below
    Indices claims;
    Indices replays;
    Indices priorities;
    Indices ends;  // answers that showed it terminal
    bool marked = false;
  };
  struct RunFacts {
    Indices appends;
    Indices readings;
  };

  const RepositoryCall& call(std::size_t i) const { return history_.calls[i]; }
  void Find(absl::string_view clause, std::size_t at, std::string explanation) {
    findings_.push_back({std::string(clause), at, std::move(explanation)});
  }
  void Held(ClauseIndex clause) {
    if (hits_ != nullptr) hits_->Add(clause, Sense::kHeld);
  }
  bool MayFollow(std::size_t later, std::size_t earlier) const {
    return IsIndefinite(call(later)) || call(later).returned > call(earlier).called;
  }
  // Whether one of `calls` may have taken effect after `from` and before `to`, other than these two.
  bool AnyBetween(const Indices& calls, std::size_t from, std::size_t to) const {
    return std::any_of(calls.begin(), calls.end(), [&](std::size_t i) {
      return i != from && i != to && MayFollow(i, from) && call(i).called < call(to).returned;
    });
  }

  void Collect(std::size_t i) {
    const RepositoryCall& c = call(i);
    if (const auto* enqueue = CallOf<EnqueueAttemptRequest>(c)) {
      Facts& facts = facts_[enqueue->attempt_id];
      if (!facts.enqueue.has_value()) facts.enqueue = i;
    }
    if (!MayHaveDone(c)) return;
    if (const auto* ack = CallOf<AckAttemptRequest>(c)) CollectAck(i, *ack);
    if (const auto* claim = CallOf<UpsertLeaseRequest>(c)) facts_[claim->attempt_id].claims.push_back(i);
    if (const auto* replay = CallOf<ReplayDeadLetterRequest>(c)) facts_[replay->attempt_id].replays.push_back(i);
    if (const auto* set = CallOf<SetAttemptPriorityRequest>(c)) facts_[set->attempt_id].priorities.push_back(i);
    if (const std::string* marked = MarkedBy(c)) facts_[*marked].marked = true;
    if (const auto* status = CallOf<GetAttemptStatusRequest>(c)) {
      const auto* shown = AnswerOf<GetAttemptStatusRequest>(c);
      if (shown != nullptr && shown->has_value()) {
        if (IsTerminal((*shown)->status)) facts_[status->attempt_id].ends.push_back(i);
      }
    }
    if (const auto* append = CallOf<AppendRunEventsRequest>(c)) runs_[append->run_id].appends.push_back(i);
    if (CallOf<TransitionTimedOutAttemptsRequest>(c) != nullptr) {
      const auto* ended = AnswerOf<TransitionTimedOutAttemptsRequest>(c);
      if (ended == nullptr || *ended > 0) timeouts_.push_back(i);
    }
  }
  void CollectAck(std::size_t i, const AckAttemptRequest& ack) {
    Facts& facts = facts_[ack.attempt_id];
    facts.acks.push_back(i);
    const auto* result = AnswerOf<AckAttemptRequest>(call(i));
    if (result != nullptr && IsTerminal(result->status)) facts.ends.push_back(i);
  }

  void Check(std::size_t i) {
    const RepositoryCall& c = call(i);
    if (const auto* list = CallOf<ListDispatchableAttemptsRequest>(c)) {
      if (const auto* records = AnswerOf<ListDispatchableAttemptsRequest>(c)) CheckList(i, *list, *records);
    }
    if (const auto* lease = AnswerOf<UpsertLeaseRequest>(c)) {
      CheckEnqueued(i, lease->attempt_id);
      CheckNotEnded(i, lease->attempt_id, "was granted");
      if (!upstream_) CheckBackoff(i, lease->attempt_id, lease->heartbeat_at, "was granted");
    }
    if (const auto* shown = AnswerOf<GetLeaseForAttemptRequest>(c); shown != nullptr && shown->has_value()) {
      CheckEnqueued(i, (*shown)->attempt_id);
    }
    if (const auto* status = CallOf<GetAttemptStatusRequest>(c)) {
      const auto* shown = AnswerOf<GetAttemptStatusRequest>(c);
      if (shown != nullptr && shown->has_value()) CheckStatus(i, status->attempt_id, **shown);
    }
    if (const auto* letters = AnswerOf<ListDeadLettersRequest>(c)) CheckLetters(i, *letters);
    if (const auto* last = AnswerOf<AppendRunEventsRequest>(c)) {
      CheckNumberOfRun(i, CallOf<AppendRunEventsRequest>(c)->run_id, *last);
    }
    if (const auto* last = AnswerOf<LatestSeqForRunRequest>(c)) {
      if (counts_events_) CheckNumberOfRun(i, CallOf<LatestSeqForRunRequest>(c)->run_id, *last);
    }
    if (const auto* result = AnswerOf<AckAttemptRequest>(c)) {
      CheckNumber(i, CallOf<AckAttemptRequest>(c)->attempt_id, result->next_attempt_no);
    }
  }

  // Lists.

  void CheckList(std::size_t i, const ListDispatchableAttemptsRequest& list, const std::vector<AttemptDispatchRecord>& records) {
    absl::flat_hash_set<std::string> seen;
    if (records.size() > list.limit) {
      return Find("RR-INV-9", i, absl::StrCat(records.size(), " attempts in a list with limit ", list.limit));
    }
    for (const AttemptDispatchRecord& record : records) {
      if (!seen.insert(record.attempt_id).second) {
        return Find("RR-INV-9", i, absl::StrCat("attempt ", record.attempt_id, " is listed twice"));
      }
      CheckEnqueued(i, record.attempt_id);
      CheckNotEnded(i, record.attempt_id, "is listed");
      CheckBackoff(i, record.attempt_id, list.now, "is listed");
      CheckNumber(i, record.attempt_id, record.attempt_no);
    }
    for (std::size_t k = 1; k < records.size(); ++k) CheckOrder(i, records[k - 1], records[k]);
  }

  void CheckOrder(std::size_t i, const AttemptDispatchRecord& a, const AttemptDispatchRecord& b) {
    const std::optional<int32_t> first = by_priority_ ? PriorityAt(i, a.attempt_id) : 0;
    const std::optional<int32_t> second = by_priority_ ? PriorityAt(i, b.attempt_id) : 0;
    if (!first.has_value() || !second.has_value()) return;
    Held(Clause<"RR-INV-9">());
    const auto behind = std::pair(a.attempt_no, a.attempt_id) >= std::pair(b.attempt_no, b.attempt_id);
    if (*first > *second || (*first == *second && !behind)) return;
    Find("RR-INV-9", i,
         absl::StrCat("attempt ", a.attempt_id, " (priority ", *first, ", attempt_no ", a.attempt_no, ") is listed before ",
                      b.attempt_id, " (priority ", *second, ", attempt_no ", b.attempt_no, ")"));
  }

  // The attempt's priority at the call, where it is certain.
  std::optional<int32_t> PriorityAt(std::size_t i, const std::string& attempt_id) {
    const Indices& sets = facts_[attempt_id].priorities;
    std::optional<std::size_t> last;
    for (std::size_t set : sets) {
      if (call(set).called >= call(i).returned) break;
      if (IsIndefinite(call(set)) || !Precedes(call(set), call(i))) return std::nullopt;
      if (last.has_value() && !Precedes(call(*last), call(set))) return std::nullopt;
      last = set;
    }
    return last.has_value() ? CallOf<SetAttemptPriorityRequest>(call(*last))->priority : 0;
  }

  // Attempts.

  void CheckEnqueued(std::size_t i, const std::string& attempt_id) {
    Held(Clause<"RR-INV-8">());
    const auto found = facts_.find(attempt_id);
    if (found != facts_.end() && found->second.enqueue.has_value() && call(*found->second.enqueue).called < call(i).returned) {
      return;
    }
    Find("RR-INV-8", i, absl::StrCat("nobody has enqueued attempt ", attempt_id));
  }

  void CheckStatus(std::size_t i, const std::string& attempt_id, const AttemptStatus& shown) {
    CheckEnqueued(i, attempt_id);
    CheckNumber(i, attempt_id, shown.attempt_no);
    if (!IsTerminal(shown.status)) CheckNotEnded(i, attempt_id, "is not terminal");
  }

  // No earlier answer, with no replay since then, showed it terminal.
  void CheckNotEnded(std::size_t i, const std::string& attempt_id, const char* what) {
    const Facts& facts = facts_[attempt_id];
    if (facts.marked) return;
    Held(Clause<"RR-INV-6">());
    for (auto end = facts.ends.rbegin(); end != facts.ends.rend(); ++end) {
      if (*end == i || !Precedes(call(*end), call(i)) || AnyBetween(facts.replays, *end, i)) continue;
      return Find("RR-INV-6", i,
                  absl::StrCat("attempt ", attempt_id, " ", what, ", though call ", *end,
                               " showed it terminal and no dead letter was replayed since then"));
    }
  }

  void CheckNumber(std::size_t i, const std::string& attempt_id, uint32_t number) {
    Facts& facts = facts_[attempt_id];
    Held(Clause<"RR-INV-11">());
    uint32_t least = 1;
    uint32_t most = 1;
    for (std::size_t ack : facts.acks) {
      if (call(ack).called >= call(i).returned && ack != i) break;
      const auto* result = AnswerOf<AckAttemptRequest>(call(ack));
      if (result != nullptr && result->status != AttemptExecutionStatus::kRetryBackoff) continue;
      if (result == nullptr && CallOf<AckAttemptRequest>(call(ack))->status != AttemptExecutionStatus::kFailed) continue;
      ++most;
      if (ack == i || (result != nullptr && Precedes(call(ack), call(i)))) ++least;
    }
    if (number >= least && number <= most) return;
    Find("RR-INV-11", i,
         absl::StrCat("attempt ", attempt_id, " has attempt_no ", number, " after ", least - 1, " to ", most - 1,
                      " acks that scheduled a retry"));
  }

  // No retry is listed or granted at an instant before the one that its ack answered.
  void CheckBackoff(std::size_t i, const std::string& attempt_id, Instant at, const char* what) {
    const Facts& facts = facts_[attempt_id];
    if (facts.marked) return;
    for (auto ack = facts.acks.rbegin(); ack != facts.acks.rend(); ++ack) {
      const auto* result = AnswerOf<AckAttemptRequest>(call(*ack));
      if (result == nullptr || !result->next_retry_at.has_value() || !Precedes(call(*ack), call(i))) continue;
      const bool left =
          AnyBetween(facts.acks, *ack, i) || AnyBetween(facts.claims, *ack, i) || AnyBetween(facts.replays, *ack, i);
      if (left) return;
      Held(Clause<"RR-INV-12">());
      if (at >= *result->next_retry_at) return;
      return Find("RR-INV-12", i,
                  absl::StrCat("attempt ", attempt_id, " ", what, " at ", at.ms, ", before its retry_at of ",
                               result->next_retry_at->ms, " (call ", *ack, ")"));
    }
  }

  // Dead letters.

  void CheckLetters(std::size_t i, const std::vector<DeadLetter>& letters) {
    for (const DeadLetter& letter : letters) CheckLetter(i, letter);
    for (const auto& [attempt_id, facts] : facts_) {
      const auto shown = std::find_if(letters.begin(), letters.end(),
                                      [&, &id = attempt_id](const DeadLetter& letter) { return letter.attempt_id == id; });
      const bool pending = shown != letters.end() && shown->replay_status == ReplayStatus::kPending;
      CheckWritten(i, attempt_id, facts, pending);
    }
  }

  static bool MayFail(const RepositoryCall& ack) {
    const auto* result = AnswerOf<AckAttemptRequest>(ack);
    if (result != nullptr) return result->status == AttemptExecutionStatus::kFailed;
    return CallOf<AckAttemptRequest>(ack)->status == AttemptExecutionStatus::kFailed;
  }

  // A letter that is there was written by some call, and replayed by one.
  void CheckLetter(std::size_t i, const DeadLetter& letter) {
    const Facts& facts = facts_[letter.attempt_id];
    Held(Clause<"RR-INV-16">());
    const auto before = [&](std::size_t k) { return call(k).called < call(i).returned; };
    const bool failed =
        std::any_of(facts.acks.begin(), facts.acks.end(), [&](std::size_t ack) { return before(ack) && MayFail(call(ack)); });
    if (!failed && std::none_of(timeouts_.begin(), timeouts_.end(), before)) {
      return Find("RR-INV-16", i, absl::StrCat("a dead letter of attempt ", letter.attempt_id, ", which never failed"));
    }
    const bool replayed = std::any_of(facts.replays.begin(), facts.replays.end(), before);
    if (letter.replay_status == ReplayStatus::kReplayed && !replayed) {
      Find("RR-INV-16", i, absl::StrCat("the dead letter of attempt ", letter.attempt_id, " is replayed, and nobody did"));
    }
  }

  // What certainly failed, and was not replayed since, has a pending letter.
  void CheckWritten(std::size_t i, const std::string& attempt_id, const Facts& facts, bool pending) {
    for (auto ack = facts.acks.rbegin(); ack != facts.acks.rend(); ++ack) {
      const auto* result = AnswerOf<AckAttemptRequest>(call(*ack));
      const bool failed = result != nullptr && result->status == AttemptExecutionStatus::kFailed;
      if (!failed || !Precedes(call(*ack), call(i))) continue;
      if (pending || AnyBetween(facts.replays, *ack, i)) return;
      return Find("RR-INV-16", i,
                  absl::StrCat("attempt ", attempt_id, " failed for good in call ", *ack,
                               ", was not replayed since, and has no pending dead letter"));
    }
  }

  // Runs.

  void CheckNumberOfRun(std::size_t i, const std::string& run_id, uint64_t number) {
    RunFacts& run = runs_[run_id];
    uint64_t least = 0;
    uint64_t most = 0;
    for (std::size_t append : run.appends) {
      if (call(append).called >= call(i).returned && append != i) break;
      const uint64_t count = CallOf<AppendRunEventsRequest>(call(append))->count;
      most += count;
      if (append == i || (call(append).outcome.index() == 0 && Precedes(call(append), call(i)))) least += count;
    }
    Held(Clause<"RR-INV-14">());
    for (std::size_t reading : run.readings) {
      const auto* appended = AnswerOf<AppendRunEventsRequest>(call(reading));
      const uint64_t before = appended != nullptr ? *appended : *AnswerOf<LatestSeqForRunRequest>(call(reading));
      if (!Precedes(call(reading), call(i))) continue;
      Held(Clause<"RR-SEQ-4">());
      if (number >= before) continue;
      return Find("RR-SEQ-4", i, absl::StrCat("run ", run_id, " is at ", number, ", and was at ", before, " in call ", reading));
    }
    run.readings.push_back(i);
    if (number >= least && number <= most) return;
    Find("RR-INV-14", i, absl::StrCat("run ", run_id, " is at ", number, " after ", least, " to ", most, " events"));
  }

  const RepositoryHistory& history_;
  ClauseHits* hits_;
  bool upstream_ = false;
  bool counts_events_ = true;
  bool by_priority_ = true;
  absl::flat_hash_map<std::string, Facts> facts_;
  absl::flat_hash_map<std::string, RunFacts> runs_;
  Indices timeouts_;  // that ended something, or may have
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> ScanAttempts(const RepositoryHistory& history, const SpecSetup& setup, ClauseHits* hits) {
  return AttemptScan(history, setup, hits).Run();
}

}  // namespace leasecheck::runtime_repository
