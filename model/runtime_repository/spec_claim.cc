// Claims and heartbeats.
#include <algorithm>
#include <string>

#include "model/runtime_repository/spec_internal.h"

namespace leasecheck::runtime_repository::spec_internal {
namespace {

// Whether a claim has to succeed, may not, or may do either (RR-LAT-2).
enum class Fate { kMust, kEither, kNever };

Fate FateOf(const Judge& judge, const Attempt* attempt, Instant clock) {
  if (attempt == nullptr || attempt->LiveAt(clock)) return Fate::kNever;
  if (attempt->ReadyAt(clock)) return Fate::kMust;
  return attempt->status == Status::kRetryBackoff && judge.Upstream() ? Fate::kEither : Fate::kNever;
}

// A claim that succeeded though it may not.
Verdict BlameGrant(const Attempt* attempt, const UpsertLeaseRequest& request, Instant clock) {
  if (attempt == nullptr) return Refuse<"RR-UPS-2">();
  if (IsTerminal(attempt->status)) return Refuse<"RR-UPS-6">();
  if (!attempt->Executes()) return attempt->ReadyAt(clock) ? Refuse<"RR-UPS-9">() : Refuse<"RR-UPS-7">();
  if (attempt->lease == nullptr) return Refuse<"RR-INV-4">();
  if (!attempt->LiveAt(clock)) return Refuse<"RR-UPS-5">();
  return attempt->lease->record.worker_id == request.worker_id ? Refuse<"RR-UPS-4">() : Refuse<"RR-UPS-3">();
}

// A claim that was refused though it has to succeed.
Verdict BlameRefusal(const Attempt& attempt, const UpsertLeaseRequest& request, Instant clock) {
  if (attempt.lease != nullptr) return Refuse<"RR-UPS-9">();
  if (attempt.status == Status::kRetryBackoff) return Refuse<"RR-UPS-8">();
  return request.lease_expires_at < clock ? Refuse<"RR-UPS-14">() : Refuse<"RR-INV-4">();
}

void CountRefusal(const Judge& judge, const Attempt* attempt, const UpsertLeaseRequest& request, Instant clock) {
  judge.Refused<"RR-INV-4">();
  judge.Refused<"RR-LAT-3">();
  judge.Refused<"RR-UPS-15">();
  judge.Refused<"RR-UPS-2">(attempt == nullptr);
  if (attempt == nullptr) return;
  const bool live = attempt->LiveAt(clock);
  const bool own = attempt->lease != nullptr && attempt->lease->record.worker_id == request.worker_id;
  judge.Refused<"RR-UPS-6">(IsTerminal(attempt->status));
  judge.Refused<"RR-UPS-3">(attempt->Executes() && live && !own);
  judge.Refused<"RR-UPS-4">(attempt->Executes() && live && own);
  judge.Refused<"RR-LAT-4">(attempt->Executes() && live);
  judge.Refused<"RR-UPS-5">(attempt->Executes() && attempt->lease != nullptr && !live);
  judge.Refused<"RR-UPS-7">(attempt->status == Status::kRetryBackoff && !attempt->ReadyAt(clock));
  judge.Refused<"RR-UPS-9">(attempt->ReadyAt(clock) && live);
}

Verdict JudgeRefusal(const Judge& judge, const Attempt* attempt, const UpsertLeaseRequest& request, Instant clock,
                     const Answer<LeaseRecord>& answer) {
  if (FateOf(judge, attempt, clock) == Fate::kMust) return BlameRefusal(*attempt, request, clock);
  if (!answer.Fails(DriverClass::kLeaseConflict) && !answer.Fails(DriverClass::kNotDispatchable)) return Refuse<"RR-LAT-3">();
  if (judge.counting()) CountRefusal(judge, attempt, request, clock);
  return kAllowed;
}

Verdict CheckLease(const SpecState& state, const UpsertLeaseRequest& request, const LeaseRecord& lease, Instant clock) {
  LeaseRecord expected{lease.lease_id, request.attempt_id, request.worker_id, request.lease_expires_at, clock, 1};
  if (!(lease == expected)) return Refuse<"RR-UPS-1">();
  return state.FindLease(lease.lease_id) == nullptr ? kAllowed : Refuse<"RR-INV-5">();
}

void CountGrant(const Judge& judge, const Attempt& attempt, const UpsertLeaseRequest& request, Instant clock) {
  const Settings& settings = *attempt.settings;
  judge.Held<"RR-INV-4">();
  judge.Held<"RR-UPS-1">();
  judge.Held<"RR-UPS-8">(attempt.status == Status::kRetryBackoff);
  judge.Held<"RR-UPS-9">(attempt.lease != nullptr);
  judge.Held<"RR-UPS-11">(!attempt.started_at.has_value());
  judge.Held<"RR-LAT-8">(attempt.started_at.has_value() || judge.Declares("RR-LAT-8", "reset"));
  judge.Held<"RR-UPS-12">(attempt.attempt_no > 1 || settings.priority != 0 || settings.tenant_id.has_value() ||
                          settings.timeout.has_value());
  judge.Held<"RR-UPS-14">(request.lease_expires_at < clock);
  judge.Held<"RR-UPS-15">();
}

// Whether another claim of the same attempt overlaps this one.
bool HasRivals(const Judge& judge, const UpsertLeaseRequest& request) {
  return judge.context.overlap != nullptr && judge.context.overlap->Any([&](const RuntimeRepositorySpec::Request& other) {
    const auto* claim = std::get_if<UpsertLeaseRequest>(&other);
    return claim != nullptr && claim->attempt_id == request.attempt_id;
  });
}

void Take(Judge& judge, const Attempt* found, const UpsertLeaseRequest& request, const Answer<LeaseRecord>& answer,
          Instant clock) {
  Attempt& attempt = Edit(judge.state, found);
  DropLease(judge, judge.state, attempt);
  if (answer.response != nullptr) {
    SetLease(attempt, *answer.response, true);
  } else {
    SetLease(attempt, {"", request.attempt_id, request.worker_id, request.lease_expires_at, clock, 1}, false);
  }
  attempt.status = Status::kLeased;
  attempt.retry_at_kept = !attempt.retry_at.has_value();  // RR-LAT-9
  if (!attempt.started_at.has_value()) attempt.started_at = clock;
}

// Heartbeats.

// Whether the lease `lease_id` was deleted and its attempt has another one.
bool HasSuccessor(const SpecState& state, absl::string_view lease_id) {
  return std::any_of(state.memory->gone.begin(), state.memory->gone.end(), [&](const auto& gone) {
    const Attempt* attempt = gone.first == lease_id ? state.Find(gone.second) : nullptr;
    return attempt != nullptr && attempt->lease != nullptr;
  });
}

void CountRefresh(const Judge& judge, const LeaseRecord& lease, Instant heartbeat_at, Instant expires) {
  const Instant clock = InstantOf(judge.now);
  const bool expired = lease.lease_expires_at < std::max(clock, heartbeat_at);
  judge.Held<"RR-HBT-1">();
  judge.Held<"RR-HBT-3">(expired && expires >= clock);
  judge.Held<"RR-LAT-18">(expired);
  judge.Held<"RR-HBT-5">(expires < lease.lease_expires_at || heartbeat_at < lease.heartbeat_at);
  judge.Held<"RR-HBT-6">();
}

void Refresh(SpecState& state, const Attempt* found, Instant heartbeat_at, Instant expires) {
  LeaseRecord lease = found->lease->record;
  lease.heartbeat_at = heartbeat_at;
  lease.lease_expires_at = expires;
  ++lease.version;
  SetLease(Edit(state, found), std::move(lease), true);
}

}  // namespace

Verdict JudgeCall(Judge& judge, const UpsertLeaseRequest& request, const Answer<LeaseRecord>& answer) {
  const Instant clock = InstantOf(judge.now);
  const Attempt* attempt = judge.state.Find(request.attempt_id);
  if (answer.error != nullptr) {
    if (Verdict refused = JudgeRefusal(judge, attempt, request, clock, answer)) return refused;
    judge.Refused<"RR-UPS-13">(judge.counting() && HasRivals(judge, request));
    return kAllowed;
  }
  if (FateOf(judge, attempt, clock) == Fate::kNever) {
    return answer.unseen ? kAllowed : BlameGrant(attempt, request, clock);
  }
  if (answer.response != nullptr) {
    if (Verdict refused = CheckLease(judge.state, request, *answer.response, clock)) return refused;
    if (judge.counting()) CountGrant(judge, *attempt, request, clock);
    judge.Held<"RR-UPS-13">(judge.counting() && HasRivals(judge, request));
  }
  Take(judge, attempt, request, answer, clock);
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const HeartbeatLeaseRequest& request, const Answer<Done>& answer) {
  const Attempt* attempt = judge.state.FindLease(request.lease_id);
  if (answer.error != nullptr) {
    if (attempt != nullptr) {
      const bool expired = !attempt->LiveAt(std::max(request.heartbeat_at, InstantOf(judge.now)));
      return expired ? Refuse<"RR-HBT-3">() : Refuse<"RR-HBT-1">();
    }
    if (!answer.Fails(DriverClass::kLeaseNotFound)) return Refuse<"RR-HBT-2">();
    judge.Refused<"RR-HBT-2">();
    judge.Refused<"RR-HBT-7">(judge.counting() && HasSuccessor(judge.state, request.lease_id));
    return kAllowed;
  }
  if (attempt == nullptr) return answer.unseen ? kAllowed : Refuse<"RR-HBT-2">();
  if (answer.response != nullptr) {
    CountRefresh(judge, attempt->lease->record, request.heartbeat_at, request.lease_expires_at);
    judge.Held<"RR-HBT-4">();
  }
  Refresh(judge.state, attempt, request.heartbeat_at, request.lease_expires_at);
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const HeartbeatLeaseWithVersionRequest& request, const Answer<Done>& answer) {
  const Attempt* attempt = judge.state.FindLease(request.lease_id);
  const bool matches = attempt != nullptr && attempt->lease->record.worker_id == request.worker_id &&
                       attempt->lease->record.version == request.expected_version;
  if (answer.error != nullptr) {
    if (matches || !answer.Fails(DriverClass::kVersionConflict)) return Refuse<"RR-FIX-10">();
    judge.Refused<"RR-FIX-10">();
    return kAllowed;
  }
  if (!matches) return answer.unseen ? kAllowed : Refuse<"RR-FIX-10">();
  if (answer.response != nullptr) {
    CountRefresh(judge, attempt->lease->record, request.heartbeat_at, request.lease_expires_at);
    judge.Held<"RR-FIX-10">();
  }
  Refresh(judge.state, attempt, request.heartbeat_at, request.lease_expires_at);
  return kAllowed;
}

}  // namespace leasecheck::runtime_repository::spec_internal
