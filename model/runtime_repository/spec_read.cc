// What can be read: statuses, leases, counts, history, dead letters, the numbers of runs.
#include <algorithm>

#include "model/runtime_repository/spec_internal.h"

namespace leasecheck::runtime_repository::spec_internal {
namespace {

// Whether the lease may be shown so; of an unseen one the id is open.
bool Shows(const Lease& lease, const LeaseRecord& record) {
  if (lease.seen) return lease.record == record;
  LeaseRecord shown = record;
  shown.lease_id = lease.record.lease_id;
  return lease.record == shown;
}

Verdict BlameLease(const LeaseRecord& expected, const LeaseRecord& got) {
  if (expected.attempt_id != got.attempt_id || expected.worker_id != got.worker_id) return Refuse<"RR-HBT-6">();
  if (expected.version != got.version) return Refuse<"RR-INV-5">();
  return expected.heartbeat_at != got.heartbeat_at || expected.lease_expires_at != got.lease_expires_at ? Refuse<"RR-HBT-1">()
                                                                                                        : Refuse<"RR-FIX-9">();
}

// A lease that is shown; `attempt`, whose lease it should be, may be null.
Verdict TakeLease(Judge& judge, const Attempt* attempt, const LeaseRecord& got) {
  if (attempt == nullptr || attempt->lease == nullptr) return Refuse<"RR-FIX-9">();
  const Lease& lease = *attempt->lease;
  if (!Shows(lease, got)) return BlameLease(lease.record, got);
  if (lease.seen) return kAllowed;
  if (judge.state.FindLease(got.lease_id) != nullptr) return Refuse<"RR-INV-5">();
  SetLease(Edit(judge.state, attempt), got, true);
  return kAllowed;
}

void CountActive(const Judge& judge, const Attempt& attempt, Instant now) {
  judge.Held<"RR-FIX-15">(attempt.LiveAt(now));
  judge.Held<"RR-LAT-5">(attempt.lease->record.lease_expires_at == now);
}

// How many leases live at `now`, of those that are asked for.
template <class Asked>
Verdict JudgeActive(Judge& judge, Instant now, const Answer<uint64_t>& answer, Asked asked) {
  if (answer.unseen) return kAllowed;
  uint64_t active = 0;
  for (const Attempt& attempt : *judge.state.attempts) {
    if (attempt.LiveAt(now) && asked(attempt)) ++active;
  }
  if (answer.response == nullptr || *answer.response != active) return Refuse<"RR-FIX-15">();
  if (!judge.counting()) return kAllowed;
  for (const Attempt& attempt : *judge.state.attempts) {
    if (attempt.lease != nullptr && asked(attempt)) CountActive(judge, attempt, now);
  }
  return kAllowed;
}

// Dead letters.

bool HasLetter(const Attempt& attempt) { return attempt.past != nullptr && attempt.past->letter.has_value(); }

Verdict CheckLetter(const Letter& letter, const DeadLetter& shown) {
  if (shown.replay_status != letter.status) return Refuse<"RR-INV-16">();
  const bool right = shown.reason == letter.reason && (!shown.dead_at.has_value() || *shown.dead_at == letter.dead_at) &&
                     (!shown.replay_count.has_value() || *shown.replay_count == letter.replays);
  if (right) return kAllowed;
  if (shown.replay_count.has_value() && *shown.replay_count != letter.replays) return Refuse<"RR-FIX-13">();
  return letter.reason == kExecutionTimeout ? Refuse<"RR-TMO-4">() : Refuse<"RR-FIX-5">();
}

Verdict BlameMissing(const Letter& letter) {
  return letter.reason == kExecutionTimeout ? Refuse<"RR-TMO-4">() : Refuse<"RR-FIX-5">();
}

}  // namespace

Verdict JudgeCall(Judge& judge, const GetAttemptStatusRequest& request, const Answer<std::optional<AttemptStatus>>& answer) {
  if (answer.unseen) return kAllowed;
  if (answer.error != nullptr) return Refuse<"RR-FIX-9">();
  const Attempt* attempt = judge.state.Find(request.attempt_id);
  const auto& shown = *answer.response;
  if (shown.has_value() != (attempt != nullptr)) return attempt == nullptr ? Refuse<"RR-INV-8">() : Refuse<"RR-FIX-9">();
  judge.Held<"RR-FIX-9">(shown.has_value());
  judge.Refused<"RR-FIX-9">(!shown.has_value());
  if (!shown.has_value() || (shown->status == attempt->status && shown->attempt_no == attempt->attempt_no)) return kAllowed;
  return IsTerminal(attempt->status) && shown->status != attempt->status ? Refuse<"RR-INV-6">() : Refuse<"RR-FIX-9">();
}

Verdict JudgeCall(Judge& judge, const GetLeaseForAttemptRequest& request, const Answer<std::optional<LeaseRecord>>& answer) {
  if (answer.unseen) return kAllowed;
  if (answer.error != nullptr) return Refuse<"RR-FIX-9">();
  const Attempt* attempt = judge.state.Find(request.attempt_id);
  const bool held = attempt != nullptr && attempt->lease != nullptr;
  if (answer.response->has_value()) {
    if (attempt == nullptr) return Refuse<"RR-INV-8">();
    if (Verdict refused = TakeLease(judge, attempt, **answer.response)) return refused;
  } else if (held) {
    return Refuse<"RR-FIX-9">();
  }
  judge.Held<"RR-FIX-9">(held);
  judge.Refused<"RR-FIX-9">(!held);
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const GetLeaseByIdRequest& request, const Answer<std::optional<LeaseRecord>>& answer) {
  if (answer.unseen) return kAllowed;
  if (answer.error != nullptr) return Refuse<"RR-FIX-9">();
  const Attempt* attempt = judge.state.FindLease(request.lease_id);
  if (!answer.response->has_value()) {
    if (attempt != nullptr) return Refuse<"RR-FIX-9">();
    judge.Refused<"RR-FIX-9">();
    return kAllowed;
  }
  const LeaseRecord& shown = **answer.response;
  if (shown.lease_id != request.lease_id) return Refuse<"RR-FIX-9">();
  // The first sight of a lease that nobody was shown when it was made.
  if (attempt == nullptr) attempt = judge.state.Find(shown.attempt_id);
  if (Verdict refused = TakeLease(judge, attempt, shown)) return refused;
  judge.Held<"RR-FIX-9">();
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const ActiveLeasesForWorkerRequest& request, const Answer<uint64_t>& answer) {
  return JudgeActive(judge, request.now, answer,
                     [&](const Attempt& attempt) { return attempt.lease->record.worker_id == request.worker_id; });
}

Verdict JudgeCall(Judge& judge, const ActiveLeasesForTenantRequest& request, const Answer<uint64_t>& answer) {
  return JudgeActive(judge, request.now, answer,
                     [&](const Attempt& attempt) { return attempt.settings->tenant_id == request.tenant_id; });
}

Verdict JudgeCall(Judge& judge, const GetAttemptRetryHistoryRequest& request,
                  const Answer<std::vector<RetryHistoryEntry>>& answer) {
  if (answer.unseen) return kAllowed;
  const Attempt* attempt = judge.state.Find(request.attempt_id);
  static const std::vector<RetryHistoryEntry> kNone;
  const auto& expected = attempt == nullptr || attempt->past == nullptr ? kNone : attempt->past->retries;
  if (answer.error != nullptr || *answer.response != expected) return Refuse<"RR-FIX-4">();
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const ListDeadLettersRequest&, const Answer<std::vector<DeadLetter>>& answer) {
  if (answer.unseen) return kAllowed;
  if (answer.error != nullptr) return Refuse<"RR-INV-16">();
  auto shown = answer.response->begin();
  for (const Attempt& attempt : *judge.state.attempts) {
    if (!HasLetter(attempt)) continue;
    const Letter& letter = *attempt.past->letter;
    const bool there = shown != answer.response->end() && shown->attempt_id == attempt.id();
    if (!there && shown != answer.response->end() && shown->attempt_id < attempt.id()) return Refuse<"RR-INV-16">();
    if (!there) return BlameMissing(letter);
    if (Verdict refused = CheckLetter(letter, *shown)) return refused;
    ++shown;
  }
  return shown == answer.response->end() ? kAllowed : Refuse<"RR-INV-16">();
}

Verdict JudgeCall(Judge& judge, const LatestSeqForRunRequest& request, const Answer<uint64_t>& answer) {
  if (answer.unseen) return kAllowed;
  const uint64_t head = judge.state.HeadOf(request.run_id);
  const bool no_log = judge.Upstream() && judge.Declares("RR-LAT-12", "none");
  const bool none = head == 0 || no_log;
  if (answer.error != nullptr) return none ? Refuse<"RR-SEQ-2">() : Refuse<"RR-SEQ-1">();
  if (*answer.response != (no_log ? 0 : head)) {
    if (none) return Refuse<"RR-SEQ-2">();
    return *answer.response > head && judge.state.runs->size() > 1 ? Refuse<"RR-SEQ-3">() : Refuse<"RR-SEQ-1">();
  }
  judge.Held<"RR-SEQ-1">(!none);
  judge.Refused<"RR-SEQ-2">(none);
  judge.Held<"RR-SEQ-3">(!none && judge.state.runs->size() > 1);
  return kAllowed;
}

}  // namespace leasecheck::runtime_repository::spec_internal
