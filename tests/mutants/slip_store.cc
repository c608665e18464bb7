// The frame of the store, enqueue, renew, abandon, cancel and the lists.
#include "tests/mutants/slip_store.h"

#include <algorithm>
#include <string>
#include <thread>  // NOLINT(build/c++11): yield
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/mutants/slip_store_internal.h"

namespace leasecheck::mutants {

using namespace session_store;  // NOLINT(build/namespaces): this file is about little else

namespace {

bool SameContent(const QueuedWorkBatch& batch, const QueuedWorkBatchDraft& draft) {
  if (batch.items.size() != draft.payloads.size()) return false;
  for (std::size_t i = 0; i < batch.items.size(); ++i) {
    if (!(batch.items[i].payload == draft.payloads[i])) return false;
  }
  return batch.delivery_policy == draft.delivery_policy && batch.slot_policy == draft.slot_policy &&
         batch.merge_key == draft.merge_key && batch.available_at_ms == draft.available_at_ms;
}

}  // namespace

SlipStore::SlipStore(const Environment& environment, Policy policy, Disk* disk)
    : environment_(environment),
      policy_(policy),
      disk_(disk),
      life_(disk == nullptr ? 0 : disk->BeginLife()),
      state_(disk == nullptr ? StoreState() : disk->Read()) {
  absl::MutexLock lock(&mutex_);
  Recover();
}

// What a store does with what it finds on its disk.
void SlipStore::Recover() {
  constexpr DurationMs kGrace = 1000;
  if (disk_ == nullptr) return;
  for (auto& [id, session] : state_.sessions) {
    for (Row& row : session.rows) {
      if (!row.record.has_value()) continue;
      if (Slips(Slip::kCrashLeasesRestarted)) row.record->expires = SaturatingAdd(row.record->expires, kGrace);
      if (Slips(Slip::kCrashClaimTokensMadeAnew)) row.record->lease_token = NewId("token");
    }
  }
}

EpochMs SlipStore::Now() {
  const EpochMs now = environment_.clock->Now();
  constexpr EpochMs kStep = 10;
  if (Slips(Slip::kTimeNeverFalls)) return kept_time_ = std::max(kept_time_, now);
  if (Slips(Slip::kTimeInSteps)) return now - now % kStep;
  if (Slips(Slip::kTimeIn32Bits)) {
    // Milliseconds since the store was first asked, which wrap after 49 days.
    if (kept_time_ == 0) kept_time_ = now;
    return now < kept_time_ ? now : kept_time_ + static_cast<uint32_t>(now - kept_time_);
  }
  return now;
}

std::optional<EpochMs> SlipStore::ReadEarly(Slip slip) const {
  if (!Slips(slip)) return std::nullopt;
  const EpochMs early = environment_.clock->Now();
  if (environment_.pause != nullptr) environment_.pause->Pause("time_read");
  return early;
}

// The effects of calls that were refused.
void SlipStore::CarryOutLate() {
  if (refused_commit_.has_value()) Settle(*refused_commit_);
  refused_commit_.reset();
  if (refused_renewal_.has_value()) {
    for (Row* row : OwnedRows(refused_renewal_->claim, false)) {
      row->record->expires = ExpiryOf(Now(), refused_renewal_->lease_ttl_ms);
    }
  }
  refused_renewal_.reset();
}

EpochMs SlipStore::LetOthersIn(absl::string_view point) {
  mutex_.Unlock();
  if (environment_.pause != nullptr) {
    environment_.pause->Pause(point);
  } else {
    std::this_thread::yield();
  }
  mutex_.Lock();
  return Now();
}

void SlipStore::Persist() {
  if (Slips(Slip::kTimeOfLastWrite)) kept_time_ = Now();
  if (disk_ == nullptr) return;
  StoreState image = state_;
  if (Slips(Slip::kCrashIdsRestart)) image.next_id = 1;
  if (Slips(Slip::kCrashSeqRestarts)) image.next_seq = 1;
  if (Slips(Slip::kCrashInputSeqRestarts)) image.next_input_seq = 1;
  for (auto& [id, session] : image.sessions) {
    if (Slips(Slip::kCrashLaneCountersForgotten)) session.lane.counter = 0;
    if (Slips(Slip::kCrashLanesForgotten)) session.lane.lease.reset();
    if (Slips(Slip::kCrashHeadForgotten)) session.head_revision = 0;
    if (Slips(Slip::kCrashStampsForgotten)) session.stamps.clear();
    if (unsettled_.has_value() && unsettled_->first == id) session.rows = unsettled_->second;
    for (Row& row : session.rows) {
      if (Slips(Slip::kCrashClaimsForgotten)) row.record.reset();
      if (Slips(Slip::kCrashClaimCountersForgotten)) row.counter = 0;
      if (Slips(Slip::kCrashKeysForgotten)) row.batch.source_key.reset();
      if (Slips(Slip::kCrashAvailabilityForgotten)) row.batch.available_at_ms = 0;
    }
    if (unsettled_inputs_.has_value() && unsettled_inputs_->first == id) session.inputs = unsettled_inputs_->second;
    ForgetOfInputs(session);
  }
  unsettled_.reset();
  unsettled_inputs_.reset();
  disk_->Write(life_, std::move(image));
}

// What the disk does not get of turn inputs.
void SlipStore::ForgetOfInputs(Session& session) const {
  for (InputRow& row : session.inputs) {
    const bool accepted = row.input.state == TurnInputState::kAccepted;
    if (Slips(Slip::kCrashInputClaimsForgotten)) row.record.reset();
    if (Slips(Slip::kCrashInputAcceptedForgotten) && accepted) row.input.state = TurnInputState::kPendingActive;
    if (Slips(Slip::kCrashInputCountersForgotten)) row.counter = 0;
    if (Slips(Slip::kCrashInputKeysForgotten)) row.input.source_key.reset();
    if (Slips(Slip::kCrashInputIngressForgotten)) row.input.ingress = row.submitted;
  }
}

std::string SlipStore::NewId(absl::string_view kind) {
  const uint64_t number = state_.next_id++;
  switch (policy_.deviation) {
    case Deviation::kIdsLikeUuids: {
      const uint64_t scrambled = number * 0x9E3779B97F4A7C15u;
      return absl::StrCat(absl::Hex(scrambled >> 32, absl::kZeroPad8), "-",
                          absl::Hex((scrambled >> 16) & 0xFFFF, absl::kZeroPad4), "-4000-8000-",
                          absl::Hex(number, absl::kZeroPad12));
    }
    case Deviation::kIdsLong:
      return absl::StrCat(kind, std::string(2000, 'x'), number);
    case Deviation::kIdsOdd:
      return absl::StrCat(" \"", kind, "\"\t\\/\n{'$x': \u00e9\u4e2d\U0001F600} ", number, " ");
    case Deviation::kIdsDescending:
      return absl::StrCat(1000000000 - number);
    default:
      return absl::StrCat(kind, "-", number);
  }
}

EpochMs SlipStore::ExpiryOf(EpochMs now, DurationMs ttl) const {
  if (Slips(Slip::kClaimExpiryWraps)) return now + ttl;
  if (Slips(Slip::kTtlZeroNeverLapses) && ttl == 0) return kEndOfTime;
  return SaturatingAdd(now, ttl);
}

bool SlipStore::DefinitelyDead(const LeaseOwnerIdentity& holder, const LeaseOwnerIdentity& claimant) const {
  const auto* held_by = std::get_if<LocalProcessOwner>(&holder.liveness);
  const auto* asked_by = std::get_if<LocalProcessOwner>(&claimant.liveness);
  if (held_by == nullptr || asked_by == nullptr) return false;
  if (held_by->host_id != asked_by->host_id && !Slips(Slip::kDeadIgnoresHost)) return false;
  if (held_by->boot_id != asked_by->boot_id && !Slips(Slip::kDeadIgnoresBoot)) return false;
  return ProcessDead(environment_.liveness, holder);
}

// Enqueue.

uint64_t SlipStore::NextSeq(const Session& session) {
  if (Slips(Slip::kSeqFromCount)) return session.rows.size() + 1;
  switch (policy_.deviation) {
    case Deviation::kSeqWithGaps:
      return state_.next_seq += 3 + state_.next_seq % 5;
    case Deviation::kSeqPerSession:
      return session.next_seq;
    case Deviation::kSeqReusesDeletedLast:
      return session.rows.empty() ? 1 : session.rows.back().batch.enqueue_seq + 1;
    case Deviation::kSeqStartsHigh:
      return kEndOfSignedTime - 2 + state_.next_seq++;
    default:
      return state_.next_seq++;
  }
}

const QueuedWorkBatch* SlipStore::FindByKey(const QueuedWorkBatchDraft& draft, EpochMs now) {
  if (Slips(Slip::kEmptyKeyIsNoKey) && draft.source_key == "") return nullptr;
  for (const auto& [id, session] : state_.sessions) {
    if (id != draft.session_id && !Slips(Slip::kKeyUnscoped)) continue;
    for (const Row& row : session.rows) {
      if (row.batch.source_key != draft.source_key) continue;
      if (!draft.source_key.has_value() && !(Slips(Slip::kKeylessDeduplicated) && SameContent(row.batch, draft))) continue;
      if (Slips(Slip::kKeyFreedByClaim) && LiveClaim(row, now)) continue;
      if (Slips(Slip::kKeyFreedByExpiry) && row.record.has_value() && !LiveClaim(row, now)) continue;
      if (Slips(Slip::kKeyHeldByDeferredIgnored) && row.batch.available_at_ms > now) continue;
      return &row.batch;
    }
  }
  if (Slips(Slip::kKeyRemembered) && draft.source_key.has_value()) {
    const auto& old_keys = state_.sessions[draft.session_id].old_keys;
    if (auto it = old_keys.find(*draft.source_key); it != old_keys.end()) return &it->second;
  }
  return nullptr;
}

Result<QueuedWorkBatch> SlipStore::ReplayKey(const QueuedWorkBatch& stored, const QueuedWorkBatchDraft& draft) {
  QueuedWorkBatch batch = stored;
  if (Slips(Slip::kKeyReplayEchoesDraft)) {
    for (std::size_t i = 0; i < std::min(batch.items.size(), draft.payloads.size()); ++i) {
      batch.items[i].payload = draft.payloads[i];
    }
  }
  if (Slips(Slip::kKeyReplayOverwrites)) {
    for (Row& row : state_.sessions[draft.session_id].rows) {
      if (row.batch.batch_id != stored.batch_id) continue;
      row.batch.slot_policy = draft.slot_policy;
      row.batch.merge_key = draft.merge_key;
      row.batch.available_at_ms = draft.available_at_ms;
    }
  }
  return batch;
}

Result<QueuedWorkBatch> SlipStore::Insert(const QueuedWorkBatchDraft& draft, EpochMs now) {
  Session& session = state_.sessions[draft.session_id];
  QueuedWorkBatch batch{.batch_id = NewId("batch"),
                        .session_id = draft.session_id,
                        .source_key = draft.source_key,
                        .delivery_policy = draft.delivery_policy,
                        .slot_policy = draft.slot_policy,
                        .merge_key = draft.merge_key,
                        .available_at_ms = draft.available_at_ms,
                        .enqueue_seq = 0,
                        .enqueued_at_ms = Slips(Slip::kEnqueuedAtFromDraft) ? std::max(now, draft.available_at_ms) : now,
                        .items = {}};
  for (const QueuedWorkPayload& payload : draft.payloads) batch.items.push_back({NewId("item"), payload});
  if (Deviates(Deviation::kClasslessRejected) && !ClassOf(batch).has_value()) return Fail(Backend{"a batch needs one class"});
  batch.enqueue_seq = NextSeq(session);
  if (Slips(Slip::kRaceSeqReadThenWrite)) {
    batch.enqueued_at_ms = LetOthersIn("enqueue_seq_read");
    // The key is safe: it is looked up again.
    if (const QueuedWorkBatch* stored = FindByKey(draft, batch.enqueued_at_ms)) return *stored;
    state_.next_seq = batch.enqueue_seq + 1;
  }
  session.next_seq = batch.enqueue_seq + 1;
  auto later = [&](const Row& row) { return row.batch.enqueue_seq > batch.enqueue_seq; };
  session.rows.insert(std::find_if(session.rows.begin(), session.rows.end(), later), Row{batch, std::nullopt, 0});
  return batch;
}

Result<QueuedWorkBatch> SlipStore::EnqueueQueuedWork(const EnqueueQueuedWorkRequest& request) {
  const QueuedWorkBatchDraft& draft = request.batch;
  const std::optional<EpochMs> early = ReadEarly(Slip::kRaceEnqueueTimeBeforeLock);
  absl::MutexLock lock(&mutex_);
  EpochMs now = early.value_or(Now());
  CarryOutLate();
  if (Deviates(Deviation::kTimesAbove63BitsRefused) && draft.available_at_ms > kEndOfSignedTime) {
    return Fail(Backend{"the time is out of range"});
  }
  if (const QueuedWorkBatch* stored = FindByKey(draft, now)) return ReplayKey(*stored, draft);
  if (Slips(Slip::kRaceKeyThenInsert)) now = LetOthersIn("source_key_looked_up");
  if (Deviates(Deviation::kKeyLoserGetsBackend) && draft.source_key.has_value()) {
    now = LetOthersIn("source_key_looked_up");
    if (FindByKey(draft, now) != nullptr) return Fail(Backend{"duplicate key value violates unique constraint"});
  }
  Result<QueuedWorkBatch> batch = Insert(draft, now);
  if (batch.has_value() && !Slips(Slip::kCrashEnqueueWrittenLate)) Persist();
  return batch;
}

// Renew, abandon, cancel.

std::vector<Row*> SlipStore::OwnedRows(const QueuedWorkClaim& claim, bool trusts_claim_id) {
  std::vector<Row*> owned;
  for (Row& row : state_.sessions[claim.session_id].rows) {
    if (!row.record.has_value() || row.record->claim_id != claim.claim_id) continue;
    if (row.record->lease_token == claim.lease_token || trusts_claim_id) owned.push_back(&row);
  }
  return owned;
}

// Whether the claim still holds all that it has to hold to be renewed.
bool SlipStore::HoldsForRenew(const QueuedWorkClaim& claim, const std::vector<Row*>& owned, EpochMs now) {
  if (owned.empty()) return false;
  for (const Row* row : owned) {
    const bool lapsed = row->record->expires <= now;
    if (lapsed && (Slips(Slip::kRenewRefusesLapsed) || Deviates(Deviation::kRefusesLapsedRenewal))) return false;
  }
  if (Slips(Slip::kRenewNeedsLane)) {
    const Lane& lane = LaneSession(claim.session_id).lane;
    if (!lane.lease.has_value() || lane.lease->expires_at_epoch_ms <= now) return false;
  }
  if (Slips(Slip::kRenewAcceptsRemainder)) return true;
  std::size_t accounted = owned.size();
  if (Deviates(Deviation::kRemainderRenewed)) {
    for (const QueuedWorkBatch& batch : claim.batches) accounted += state_.settled.count({claim.lease_token, batch.batch_id});
  }
  return accounted == claim.batches.size();
}

Result<QueuedWorkClaim> SlipStore::RenewQueuedWorkClaim(const RenewQueuedWorkClaimRequest& request) {
  absl::MutexLock lock(&mutex_);
  const EpochMs now = Now();
  QueuedWorkClaim renewed = request.claim;
  renewed.expires_at_epoch_ms = ExpiryOf(now, request.lease_ttl_ms);
  if (Deviates(Deviation::kTimesAbove63BitsRefused) && renewed.expires_at_epoch_ms > kEndOfSignedTime) {
    return Fail(Backend{"the time is out of range"});
  }
  std::vector<Row*> owned = OwnedRows(request.claim, Slips(Slip::kRenewTrustsClaimId));
  if (Deviates(Deviation::kEmptyRenewalAccepted) && owned.empty() && request.claim.batches.empty()) return renewed;
  if (Slips(Slip::kRenewMutatesThenFails)) {
    for (Row* row : owned) row->record->expires = renewed.expires_at_epoch_ms;
  }
  if (!HoldsForRenew(request.claim, owned, now)) {
    if (Slips(Slip::kLateRefusedRenewExtends)) refused_renewal_ = request;
    return Fail(QueuedWorkClaimExpired{request.claim.session_id, request.claim.claim_id});
  }
  if (Slips(Slip::kRaceRenewCheckThenExtend)) {
    const ClaimRecord record = *owned.front()->record;
    renewed.expires_at_epoch_ms = ExpiryOf(LetOthersIn("claim_checked"), request.lease_ttl_ms);
    owned.clear();
    for (Row& row : state_.sessions[request.claim.session_id].rows) {
      for (const QueuedWorkBatch& batch : request.claim.batches) {
        if (row.batch.batch_id != batch.batch_id) continue;
        row.record = record;
        owned.push_back(&row);
      }
    }
  }
  if (Slips(Slip::kRenewOnlyHead)) owned.resize(std::min<std::size_t>(owned.size(), 1));
  const std::string new_token = Slips(Slip::kRenewChangesToken) ? NewId("token") : "";
  for (Row* row : owned) {
    EpochMs& expires = row->record->expires;
    if (Slips(Slip::kRenewAddsToOldExpiry)) renewed.expires_at_epoch_ms = SaturatingAdd(expires, request.lease_ttl_ms);
    if (Slips(Slip::kRenewNeverShortens)) renewed.expires_at_epoch_ms = std::max(expires, renewed.expires_at_epoch_ms);
    expires = renewed.expires_at_epoch_ms;
    if (Slips(Slip::kRenewChangesToken)) renewed.lease_token = row->record->lease_token = new_token;
    if (Slips(Slip::kRenewRaisesFencing)) renewed.fencing_token = ++row->counter;
  }
  if (!Slips(Slip::kCrashRenewWrittenLate)) Persist();
  return renewed;
}

Result<Done> SlipStore::AbandonQueuedWorkClaim(const AbandonQueuedWorkClaimRequest& request) {
  absl::MutexLock lock(&mutex_);
  const EpochMs now = Now();
  std::vector<Row*> owned = OwnedRows(request.claim, Slips(Slip::kAbandonTrustsClaimId));
  if (Slips(Slip::kRaceAbandonCheckThenClear) && !owned.empty()) {
    std::set<std::string> ids;
    for (const Row* row : owned) ids.insert(row->batch.batch_id);
    LetOthersIn("claim_checked");
    owned.clear();
    for (Row& row : state_.sessions[request.claim.session_id].rows) {
      if (ids.count(row.batch.batch_id) > 0) owned.push_back(&row);
    }
  }
  if (Slips(Slip::kAbandonOfStaleFails) && owned.empty()) {
    return Fail(QueuedWorkClaimExpired{request.claim.session_id, request.claim.claim_id});
  }
  if (Slips(Slip::kAbandonOnlyHead)) owned.resize(std::min<std::size_t>(owned.size(), 1));
  for (Row* row : owned) {
    if (!row->record.has_value()) continue;
    if (Slips(Slip::kAbandonIgnoresLapsed) && row->record->expires <= now) continue;
    row->record.reset();
    if (Slips(Slip::kAbandonResetsCounter)) row->counter = 0;
    if (Slips(Slip::kAbandonMovesToBack)) row->batch.enqueue_seq = NextSeq(state_.sessions[request.claim.session_id]);
  }
  auto& rows = state_.sessions[request.claim.session_id].rows;
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Row& a, const Row& b) { return a.batch.enqueue_seq < b.batch.enqueue_seq; });
  if (!Slips(Slip::kCrashAbandonWrittenLate)) Persist();
  return Done{};
}

void SlipStore::RemoveRow(Session& session, absl::string_view batch_id) {
  auto it =
      std::find_if(session.rows.begin(), session.rows.end(), [&](const Row& row) { return row.batch.batch_id == batch_id; });
  if (it == session.rows.end()) return;
  if (it->batch.source_key.has_value()) session.old_keys.insert({*it->batch.source_key, it->batch});
  session.rows.erase(it);
}

bool SlipStore::Cancellable(const Row& row, EpochMs now) const {
  if (Slips(Slip::kCancelRefusesDeferred) && row.batch.available_at_ms > now) return false;
  if (!row.record.has_value() || Slips(Slip::kCancelIgnoresClaim)) return true;
  if (Slips(Slip::kCancelDeadHolder) && ProcessDead(environment_.liveness, row.record->owner)) return true;
  return Slips(Slip::kCancelExpiryStrict) ? row.record->expires < now : row.record->expires <= now;
}

Result<std::optional<QueuedWorkBatch>> SlipStore::CancelQueuedWorkBatch(const CancelQueuedWorkBatchRequest& request) {
  absl::MutexLock lock(&mutex_);
  const EpochMs now = Now();
  CarryOutLate();
  for (auto& [id, session] : state_.sessions) {
    if (id != request.session_id && !Slips(Slip::kCancelAcrossSessions)) continue;
    for (const Row& row : session.rows) {
      if (row.batch.batch_id != request.batch_id) continue;
      if (!Cancellable(row, now)) return std::nullopt;
      QueuedWorkBatch batch = row.batch;
      if (Slips(Slip::kRaceCancelCheckThenRemove)) LetOthersIn("cancel_checked");
      RemoveRow(session, request.batch_id);
      if (!Slips(Slip::kCrashCancelWrittenLate)) Persist();
      return batch;
    }
  }
  return std::nullopt;
}

// The lists.

std::vector<QueuedWorkBatch> SlipStore::BatchesOf(const std::vector<Row>& rows) {
  std::vector<QueuedWorkBatch> batches;
  for (const Row& row : rows) {
    batches.push_back(row.batch);
    if (!Slips(Slip::kItemIdsMadeOnRead)) continue;
    for (QueuedWorkItem& item : batches.back().items) item.item_id = NewId("item");
  }
  return batches;
}

void SlipStore::ReapLapsed(const std::string& session_id, EpochMs now) {
  for (Row& row : state_.sessions[session_id].rows) {
    if (row.record.has_value() && row.record->expires <= now) row.record.reset();
  }
}

Result<std::vector<QueuedWorkBatch>> SlipStore::ListQueuedWork(const ListQueuedWorkRequest& request) {
  absl::MutexLock lock(&mutex_);
  const EpochMs now = Now();
  if (Slips(Slip::kReadReapsLapsed)) ReapLapsed(request.session_id, now);
  std::vector<Row> rows = state_.sessions[request.session_id].rows;
  if (Slips(Slip::kListHidesClaimed)) {
    rows.erase(std::remove_if(rows.begin(), rows.end(), [&](const Row& row) { return LiveClaim(row, now); }), rows.end());
  }
  if (Slips(Slip::kListNewestFirst)) std::reverse(rows.begin(), rows.end());
  return BatchesOf(rows);
}

bool SlipStore::Pending(const Row& row, EpochMs now) const {
  if (Slips(Slip::kPendingHidesDeferred) && row.batch.available_at_ms > now) return false;
  if (!row.record.has_value()) return true;
  if (Slips(Slip::kPendingShowsDeadHolder) && ProcessDead(environment_.liveness, row.record->owner)) return true;
  return Slips(Slip::kPendingExpiryStrict) ? row.record->expires < now : row.record->expires <= now;
}

Result<std::vector<QueuedWorkBatch>> SlipStore::ListPendingQueuedWork(const ListPendingQueuedWorkRequest& request) {
  absl::MutexLock lock(&mutex_);
  EpochMs now = Now();
  if (Slips(Slip::kTimeOfLastWrite)) now = kept_time_;
  if (Slips(Slip::kReadReapsLapsed)) ReapLapsed(request.session_id, now);
  std::vector<Row> pending;
  for (const auto& [id, session] : state_.sessions) {
    if (id != request.session_id && !Slips(Slip::kPendingLeaksSessions)) continue;
    for (const Row& row : session.rows) {
      if (Slips(Slip::kRacePendingInTwoReads) || Pending(row, now)) pending.push_back(row);
    }
  }
  if (Slips(Slip::kRacePendingInTwoReads)) {
    now = LetOthersIn("rows_read");
    const std::vector<Row>& rows = state_.sessions[request.session_id].rows;
    auto claimed = [&](const Row& read) {
      return std::any_of(rows.begin(), rows.end(),
                         [&](const Row& row) { return row.batch.batch_id == read.batch.batch_id && !Pending(row, now); });
    };
    pending.erase(std::remove_if(pending.begin(), pending.end(), claimed), pending.end());
  }
  return BatchesOf(pending);
}

}  // namespace leasecheck::mutants
