// Lists, claims, heartbeats, sweeps and timeouts; what else there is, is in repository_slip_attempts.cc.
#include "tests/mutants/repository_slip_store.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace leasecheck::mutants {

using namespace runtime_repository;  // NOLINT(build/namespaces): this file is about little else
using Slip = RepositorySlip;

namespace {

tl::unexpected<StoreError> Fail(DriverClass driver_class) {
  return tl::unexpected<StoreError>(Driver{driver_class, std::string(PhraseOf(driver_class))});
}

constexpr int64_t kGrace = 5;

}  // namespace

RepositorySlipStore::RepositorySlipStore(const Environment& environment, RepositorySlip slip,
                                         const RepositoryLiberties& liberties, RepositoryDisk* disk)
    : environment_(environment),
      slip_(slip),
      liberties_(liberties),
      disk_(disk),
      life_(disk == nullptr ? 0 : disk->BeginLife()),
      state_(disk == nullptr ? RepositoryState() : disk->Read()) {}

void RepositorySlipStore::PauseIf(RepositorySlip slip) {
  if (!Is(slip)) return;
  mutex_.Unlock();
  if (environment_.pause != nullptr) environment_.pause->Pause("slip");
  mutex_.Lock();
}

void RepositorySlipStore::Persist() {
  if (disk_ == nullptr) return;
  RepositoryState image = state_;
  if (Is(Slip::kCrashEventsForgotten)) image.events.clear();
  for (auto& [id, lease] : image.leases) {
    if (Is(Slip::kCrashVersionsForgotten)) lease.version = 1;
  }
  for (auto& [id, row] : image.rows) {
    if (Is(Slip::kCrashLettersForgotten)) row.letter.reset();
    if (Is(Slip::kCrashPoliciesForgotten)) row.retry.reset();
    if (Is(Slip::kCrashPoliciesForgotten)) row.timeout.reset();
  }
  disk_->Write(life_, std::move(image));
}

// Lookup.

RepositoryState::Row* RepositorySlipStore::FindRow(const std::string& attempt_id) {
  const auto found = state_.rows.find(attempt_id);
  return found == state_.rows.end() ? nullptr : &found->second;
}

LeaseRecord* RepositorySlipStore::LeaseOf(const std::string& attempt_id) {
  const auto found = state_.leases.find(attempt_id);
  return found == state_.leases.end() ? nullptr : &found->second;
}

LeaseRecord* RepositorySlipStore::FindLease(const std::string& lease_id) {
  for (auto& [attempt_id, lease] : state_.leases) {
    if (lease.lease_id == lease_id) return &lease;
  }
  return nullptr;
}

void RepositorySlipStore::DropLease(const std::string& attempt_id) {
  const auto found = state_.leases.find(attempt_id);
  if (found == state_.leases.end()) return;
  if (Is(Slip::kLateHeartbeatRevives)) state_.gone[found->second.lease_id] = found->second;
  state_.leases.erase(found);
}

bool RepositorySlipStore::LiveAt(const std::string& attempt_id, Instant at) {
  const Lease* lease = LeaseOf(attempt_id);
  return lease != nullptr && lease->lease_expires_at >= at;
}

bool RepositorySlipStore::Ready(const Row& row, Instant at) const {
  if (row.status == Status::kQueued) return true;
  return row.status == Status::kRetryBackoff && (!row.retry_at.has_value() || *row.retry_at <= at);
}

// Lists.

bool RepositorySlipStore::Listed(const std::string& attempt_id, const Row& row, Instant at) {
  if (Is(Slip::kLapsedListed) && Executes(row) && LeaseOf(attempt_id) != nullptr && !LiveAt(attempt_id, at)) return true;
  if (Is(Slip::kRetryAtIgnoredInList) && row.status == Status::kRetryBackoff) return !LiveAt(attempt_id, at);
  if (Is(Slip::kRetryAtStrict) && row.status == Status::kRetryBackoff && row.retry_at == at) return false;
  if (Is(Slip::kTenantHides) && row.tenant.has_value()) {
    for (const auto& [other, lease] : state_.leases) {
      if (state_.rows.at(other).tenant == row.tenant) return false;
    }
  }
  return Ready(row, at) && (Is(Slip::kLingeringListed) || !LiveAt(attempt_id, at));
}

bool RepositorySlipStore::Before(const std::string& a_id, const Row& a, const std::string& b_id, const Row& b) const {
  if (a.priority != b.priority && !Is(Slip::kPriorityIgnored) && !liberties_.no_priority) {
    return Is(Slip::kPriorityAscending) ? a.priority < b.priority : a.priority > b.priority;
  }
  if (a.attempt_no != b.attempt_no && !Is(Slip::kRetriesNotBehind)) return a.attempt_no < b.attempt_no;
  return Is(Slip::kTiesByInsertion) ? a.inserted < b.inserted : a_id < b_id;
}

Result<std::vector<AttemptDispatchRecord>> RepositorySlipStore::ListDispatchableAttempts(
    const ListDispatchableAttemptsRequest& request) {
  absl::MutexLock lock(&mutex_);
  std::vector<std::pair<std::string, Row>> due;
  for (const auto& [id, row] : state_.rows) {
    if (Listed(id, row, request.now)) due.emplace_back(id, row);
  }
  std::sort(due.begin(), due.end(),
            [this](const auto& a, const auto& b) { return Before(a.first, a.second, b.first, b.second); });
  const bool all = Is(Slip::kLimitZeroIsAll) && request.limit == 0;
  std::vector<AttemptDispatchRecord> records;
  for (const auto& [id, row] : due) {
    if (records.size() >= request.limit && !all) break;
    records.push_back({id, row.run_id, row.attempt_no, row.status, row.retry_at});
  }
  return records;
}

// Claims.

std::optional<DriverClass> RepositorySlipStore::Refusal(const UpsertLeaseRequest& request, Instant clock) {
  const Row* row = FindRow(request.attempt_id);
  if (row == nullptr || IsTerminal(row->status)) return DriverClass::kNotDispatchable;
  const Lease* lease = LeaseOf(request.attempt_id);
  const bool live = LiveAt(request.attempt_id, clock);
  if (Executes(*row)) {
    if (lease != nullptr && Is(Slip::kClaimReplacesLive)) return std::nullopt;
    if (lease != nullptr && Is(Slip::kSameWorkerReclaims) && lease->worker_id == request.worker_id) return std::nullopt;
    if (lease != nullptr && !live && Is(Slip::kClaimCutsGrace)) return std::nullopt;
    return live ? DriverClass::kLeaseConflict : DriverClass::kNotDispatchable;
  }
  const bool early = Is(Slip::kRetryAtIgnored) || liberties_.early_retries;
  if (!Ready(*row, clock) && !early) return DriverClass::kNotDispatchable;
  if (live) return DriverClass::kLeaseConflict;
  return std::nullopt;
}

std::string RepositorySlipStore::NewLeaseId(const std::string& attempt_id) {
  ++state_.serial;
  if (Is(Slip::kLeaseIdReused)) return absl::StrCat("lease-of-", attempt_id);
  if (liberties_.ids_of_attempt) return absl::StrCat(attempt_id, "/", environment_.clock->Now(), "/", state_.serial, "=");
  return absl::StrCat("lease-", state_.serial);
}

Result<LeaseRecord> RepositorySlipStore::UpsertLease(const UpsertLeaseRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  const Instant clock = InstantOf(environment_.clock->Now());
  const auto refusal = Refusal(request, clock);
  PauseIf(Slip::kCheckThenClaim);
  Row* row = FindRow(request.attempt_id);
  if (refusal.has_value()) {
    const bool lapsed = LeaseOf(request.attempt_id) != nullptr && !LiveAt(request.attempt_id, clock);
    if (Is(Slip::kRefusedClaimDropsLease) && lapsed) DropLease(request.attempt_id);
    if (Is(Slip::kRefusedClaimStarts) && row != nullptr && Executes(*row)) row->started_at = clock;
    return Fail(liberties_.one_refusal ? DriverClass::kNotDispatchable : *refusal);
  }
  DropLease(request.attempt_id);
  const Lease lease{NewLeaseId(request.attempt_id), request.attempt_id, request.worker_id, request.lease_expires_at, clock, 1};
  state_.leases[request.attempt_id] = lease;
  row->status = Status::kLeased;
  if (!liberties_.keeps_retry_at) row->retry_at.reset();
  if (!row->started_at.has_value() || Is(Slip::kClaimRestartsTimeout)) row->started_at = clock;
  if (Is(Slip::kClaimsCountAsEvents)) ++EventsOf(row->run_id);
  return lease;
}

// Heartbeats.

Result<Done> RepositorySlipStore::Refresh(Lease* lease, Instant heartbeat_at, Instant expires) {
  const std::string id = lease->lease_id;
  const uint64_t version = lease->version + (Is(Slip::kVersionNotRaised) ? 0 : 1);
  if (Is(Slip::kLostHeartbeat)) {
    PauseIf(Slip::kLostHeartbeat);
    lease = FindLease(id);
    if (lease == nullptr) return Fail(DriverClass::kLeaseNotFound);
  }
  const bool back = Is(Slip::kExpiryNeverBack) && expires < lease->lease_expires_at;
  if (!back) lease->lease_expires_at = expires;
  lease->heartbeat_at = heartbeat_at;
  lease->version = version;
  if (Is(Slip::kHeartbeatMakesRunning)) {
    if (Row& row = state_.rows.at(lease->attempt_id); row.status == Status::kLeased) row.status = Status::kRunning;
  }
  return Done{};
}

Result<Done> RepositorySlipStore::HeartbeatLease(const HeartbeatLeaseRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  Lease* lease = FindLease(request.lease_id);
  const auto gone = state_.gone.find(request.lease_id);
  if (lease == nullptr && gone != state_.gone.end() && !IsTerminal(state_.rows.at(gone->second.attempt_id).status)) {
    const Lease revived = gone->second;
    state_.gone.erase(gone);
    lease = &(state_.leases[revived.attempt_id] = revived);
    state_.rows.at(revived.attempt_id).status = Status::kLeased;
  }
  if (lease == nullptr) return Fail(DriverClass::kLeaseNotFound);
  if (Is(Slip::kHeartbeatRefusesExpired) && lease->lease_expires_at < request.heartbeat_at) {
    return Fail(DriverClass::kLeaseNotFound);
  }
  return Refresh(lease, request.heartbeat_at, request.lease_expires_at);
}

Result<Done> RepositorySlipStore::HeartbeatLeaseWithVersion(const HeartbeatLeaseWithVersionRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  Lease* lease = FindLease(request.lease_id);
  const bool worker = lease != nullptr && (lease->worker_id == request.worker_id || Is(Slip::kWorkerIgnored));
  const bool version = lease != nullptr && (lease->version == request.expected_version || Is(Slip::kVersionIgnored));
  if (!worker || !version) return Fail(DriverClass::kVersionConflict);
  return Refresh(lease, request.heartbeat_at, request.lease_expires_at);
}

// Sweeps.

std::vector<std::string> RepositorySlipStore::Stale(Instant cutoff) {
  std::vector<std::string> stale;
  for (const auto& [attempt_id, lease] : state_.leases) {
    const bool equal = Is(Slip::kSweepInclusive) && lease.lease_expires_at == cutoff;
    if (lease.lease_expires_at < cutoff || equal) stale.push_back(attempt_id);
  }
  return stale;
}

bool RepositorySlipStore::Requeue(const std::string& attempt_id) {
  Row& row = state_.rows.at(attempt_id);
  if (IsTerminal(row.status) && !Is(Slip::kSweepResurrects)) return false;
  if (row.status == Status::kRetryBackoff && !liberties_.sweep_requeues_retries) return true;
  row.status = Status::kQueued;
  if (Is(Slip::kSweepCountsRetry)) ++row.attempt_no;
  if (Is(Slip::kSweepLosesPriority)) row.priority = 0;
  if (liberties_.resets_started_at) row.started_at.reset();
  return true;
}

Result<uint64_t> RepositorySlipStore::ExpireLeasesAndRequeue(const ExpireLeasesAndRequeueRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  const Instant cutoff = Is(Slip::kSweepAddsGrace) ? SaturatingAdd(request.stale_before, -kGrace) : request.stale_before;
  std::vector<std::string> stale = Stale(cutoff);
  if (Is(Slip::kSweepOverHeartbeat) && !stale.empty()) {
    PauseIf(Slip::kSweepOverHeartbeat);
    std::vector<std::string> there;  // so that it counts right
    for (const std::string& id : std::exchange(stale, {})) {
      if (LeaseOf(id) != nullptr) there.push_back(id);
    }
    stale = std::move(there);
  }
  uint64_t terminal = 0;
  const auto count = static_cast<uint64_t>(stale.size());
  if (Is(Slip::kSweepsCountTwice) && !stale.empty()) {
    PauseIf(Slip::kSweepsCountTwice);
    const std::vector<std::string> now = Stale(cutoff);
    std::erase_if(stale, [&](const std::string& id) { return std::find(now.begin(), now.end(), id) == now.end(); });
  }
  for (const std::string& id : stale) DropLease(id);
  if (Is(Slip::kTornSweep) && !stale.empty()) PauseIf(Slip::kTornSweep);
  if (Is(Slip::kCrashSweepInTwoWrites) && !stale.empty()) {
    Persist();
    PauseIf(Slip::kCrashSweepInTwoWrites);
  }
  for (const std::string& id : stale) terminal += Requeue(id) ? 0 : 1;
  return count - (liberties_.counts_requeued ? terminal : 0);
}

// Timeouts.

bool RepositorySlipStore::Due(const std::string& attempt_id, const Row& row, Instant now) {
  if (!Executes(row) || !row.timeout.has_value() || !row.started_at.has_value()) return false;
  if (Is(Slip::kTimeoutConsultsLease) && LiveAt(attempt_id, now)) return false;
  if (Is(Slip::kTimeoutWraps)) {
    const auto at = static_cast<int64_t>(static_cast<uint64_t>(row.started_at->ms) + static_cast<uint64_t>(row.timeout->first));
    return at <= now.ms;
  }
  if (Is(Slip::kTimeoutStrict)) return now.ms - row.started_at->ms > row.timeout->first;
  return HasPassed(*row.started_at, row.timeout->first, now);
}

Result<uint64_t> RepositorySlipStore::TransitionTimedOutAttempts(const TransitionTimedOutAttemptsRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  std::vector<std::string> due;
  for (const auto& [id, row] : state_.rows) {
    if (Due(id, row, request.now)) due.push_back(id);
  }
  for (const std::string& id : due) {
    if (!Is(Slip::kTimeoutKeepsLease)) DropLease(id);
    Row& row = state_.rows.at(id);
    row.started_at.reset();
    row.retry_at.reset();
    if (Is(Slip::kTimeoutRetries) && row.retry.has_value() && row.attempt_no <= row.retry->max_retries) {
      Retry(row, *row.retry, request.now);
      continue;
    }
    row.status = row.timeout->second;
  }
  if (Is(Slip::kTornTimeout) && !due.empty()) PauseIf(Slip::kTornTimeout);
  for (const std::string& id : due) {
    Row& row = state_.rows.at(id);
    if (row.status == Status::kFailed && !Is(Slip::kTimeoutWithoutLetter)) WriteLetter(id, row, kExecutionTimeout, request.now);
  }
  return static_cast<uint64_t>(due.size());
}

}  // namespace leasecheck::mutants
