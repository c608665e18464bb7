#include "adapters/sqlite/rows.h"

#include <algorithm>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "adapters/sqlite/batch_rows.h"
#include "adapters/sqlite/claim_rows.h"
#include "adapters/sqlite/columns.h"

namespace leasecheck::sqlite {
namespace {

using session_store::DeliveryPolicy;
using session_store::LeaseOwnerIdentity;
using session_store::LocalProcessOwner;
using session_store::ProcessWake;
using session_store::QueuedWorkBatch;
using session_store::QueuedWorkItem;
using session_store::SlotPolicy;

constexpr absl::string_view kTurnWorkName = "turn_work";
constexpr absl::string_view kSessionCommandName = "session_command";

// None for a classless batch.
std::optional<std::string> ClassName(const QueuedWorkBatch& batch) {
  if (batch.items.empty()) return std::nullopt;
  std::size_t kind = batch.items.front().payload.index();
  for (const QueuedWorkItem& item : batch.items) {
    if (item.payload.index() != kind) return std::nullopt;
  }
  return std::string(std::holds_alternative<ProcessWake>(batch.items.front().payload) ? kTurnWorkName : kSessionCommandName);
}

constexpr absl::string_view kInLine =
    "SELECT enqueue_seq, batch_id, class, delivery_policy, slot_policy, merge_key, merge_group, claim_counter FROM batches "
    "WHERE session_id = ?1 AND in_line = 1 AND ready_at_ms <= ?2 ORDER BY enqueue_seq";
constexpr absl::string_view kAvailableOfSeq =
    "SELECT enqueue_seq, batch_id, class, delivery_policy, slot_policy, merge_key, merge_group, claim_counter FROM batches "
    "WHERE enqueue_seq = ?1 AND available_at_ms <= ?2";

std::optional<Candidate> ReadCandidate(Rows& rows) {
  if (!rows.Next()) return std::nullopt;
  Candidate candidate{.enqueue_seq = rows.U64(0),
                      .batch_id = rows.Text(1),
                      .work_class = std::nullopt,
                      .delivery_policy = FromWord<DeliveryPolicy>(rows.Text(3)),
                      .slot_policy = FromWord<SlotPolicy>(rows.Text(4)),
                      .merge_key = ReadMergeKey(rows, 5, 6),
                      .claim_counter = rows.U64(7)};
  if (!rows.IsNull(2)) {
    candidate.work_class = rows.Text(2) == kTurnWorkName ? WorkClass::kTurnWork : WorkClass::kSessionCommand;
  }
  return candidate;
}

// The batches under live claims of processes that are dead to the claimant: only those of its host and boot can be.
std::vector<Candidate> ClaimedByTheDead(Transaction& transaction, absl::string_view session_id,
                                        const LeaseOwnerIdentity& claimant, const LivenessProbe* probe, EpochMs now) {
  std::vector<Candidate> candidates;
  const auto* local = std::get_if<LocalProcessOwner>(&claimant.liveness);
  if (local == nullptr || probe == nullptr) return candidates;
  std::vector<uint64_t> dead;
  {
    Rows rows = transaction.Query(
        "SELECT enqueue_seq, pid, process_start FROM claims "
        "WHERE session_id = ?1 AND host_id = ?2 AND boot_id = ?3 AND expires_at_ms > ?4",
        session_id, local->host_id, local->boot_id, now);
    while (rows.Next()) {
      if (probe->Probe(static_cast<uint32_t>(rows.Int(1)), rows.Text(2)) == LivenessProbe::Answer::kDead) {
        dead.push_back(rows.U64(0));
      }
    }
  }
  std::sort(dead.rbegin(), dead.rend());
  for (uint64_t enqueue_seq : dead) {
    Rows rows = transaction.Query(kAvailableOfSeq, enqueue_seq, now);
    if (std::optional<Candidate> candidate = ReadCandidate(rows)) candidates.push_back(*std::move(candidate));
  }
  return candidates;
}

Rows QueryLine(Transaction& transaction, absl::string_view session_id, EpochMs now) {
  FormLine(transaction, session_id, now);
  return transaction.Query(kInLine, session_id, now);
}

}  // namespace

bool SameIncarnation(const LeaseOwnerIdentity& a, const LeaseOwnerIdentity& b) {
  return a.owner_id == b.owner_id && a.incarnation_id == b.incarnation_id;
}

bool DefinitelyDead(const LeaseOwnerIdentity& holder, const LeaseOwnerIdentity& claimant, const LivenessProbe* probe) {
  const auto* held_by = std::get_if<LocalProcessOwner>(&holder.liveness);
  const auto* seen_by = std::get_if<LocalProcessOwner>(&claimant.liveness);
  if (probe == nullptr || held_by == nullptr || seen_by == nullptr) return false;
  return held_by->host_id == seen_by->host_id && held_by->boot_id == seen_by->boot_id &&
         probe->Probe(held_by->pid, held_by->process_start) == LivenessProbe::Answer::kDead;
}

void InsertBatch(Transaction& transaction, const QueuedWorkBatch& batch, EpochMs now) {
  transaction.Execute("INSERT INTO batches VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
                      batch.enqueue_seq, batch.batch_id, batch.session_id, batch.source_key, ClassName(batch),
                      WordOf(batch.delivery_policy), WordOf(batch.slot_policy), MergeKeyName(batch.merge_key),
                      MergeGroupOf(batch.merge_key), batch.available_at_ms, batch.enqueued_at_ms, uint64_t{0},
                      batch.available_at_ms, batch.available_at_ms <= now);
  InsertItems(transaction, batch);
}

Candidates::Candidates(Transaction& transaction, absl::string_view session_id, const LeaseOwnerIdentity& claimant,
                       const LivenessProbe* probe, EpochMs now)
    : line_(QueryLine(transaction, session_id, now)),
      of_the_dead_(ClaimedByTheDead(transaction, session_id, claimant, probe, now)) {
  LoadNextInLine();
}

std::optional<Candidate> Candidates::Next() {
  std::optional<Candidate> next;
  if (!of_the_dead_.empty() && (!next_in_line_.has_value() || of_the_dead_.back().enqueue_seq < next_in_line_->enqueue_seq)) {
    next = std::move(of_the_dead_.back());
    of_the_dead_.pop_back();
  } else if (next_in_line_.has_value()) {
    next = std::move(next_in_line_);
    LoadNextInLine();
  }
  return next;
}

void Candidates::LoadNextInLine() { next_in_line_ = ReadCandidate(line_); }

bool HasClasslessCandidate(Transaction& transaction, absl::string_view session_id, EpochMs now) {
  Rows rows = transaction.Query("SELECT 1 FROM batches WHERE session_id = ?1 AND class IS NULL AND ready_at_ms <= ?2 LIMIT 1",
                                session_id, now);
  return rows.Next();
}

void WriteClaim(Transaction& transaction, absl::string_view session_id, uint64_t enqueue_seq, const ClaimRecord& record) {
  LeaveLine(transaction, enqueue_seq, record.counter, record.expires_at_ms);
  LocalColumns local(record.owner);
  transaction.Execute("INSERT OR REPLACE INTO claims VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)", enqueue_seq,
                      session_id, record.claim_id, record.lease_token, record.owner.owner_id, record.owner.incarnation_id,
                      local.host_id, local.boot_id, local.pid, local.process_start, record.expires_at_ms);
}

Lane ReadLane(Transaction& transaction, absl::string_view session_id) {
  Lane lane;
  lane.lease.session_id = std::string(session_id);
  Rows rows = transaction.Query(
      "SELECT fencing_token, lease_token, owner_id, incarnation_id, host_id, boot_id, pid, process_start, claimed_at_ms, "
      "expires_at_ms FROM lanes WHERE session_id = ?1",
      session_id);
  if (!rows.Next()) return lane;
  lane.lease.fencing_token = rows.U64(0);
  if (rows.IsNull(1)) return lane;
  lane.held = true;
  lane.lease.lease_token = rows.Text(1);
  lane.lease.owner = ReadOwner(rows, 2);
  lane.lease.claimed_at_epoch_ms = rows.U64(8);
  lane.lease.expires_at_epoch_ms = rows.U64(9);
  return lane;
}

bool HoldsLane(Transaction& transaction, absl::string_view session_id, const session_store::SessionExecutionLeaseFence& fence,
               EpochMs now) {
  if (fence.session_id != session_id) return false;
  Lane lane = ReadLane(transaction, session_id);
  return lane.Live(now) && lane.Matches(fence);
}

void WriteLane(Transaction& transaction, const session_store::SessionExecutionLease& lease) {
  LocalColumns local(lease.owner);
  transaction.Execute("INSERT OR REPLACE INTO lanes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)", lease.session_id,
                      lease.fencing_token, lease.lease_token, lease.owner.owner_id, lease.owner.incarnation_id, local.host_id,
                      local.boot_id, local.pid, local.process_start, lease.claimed_at_epoch_ms, lease.expires_at_epoch_ms);
}

void FreeLane(Transaction& transaction, absl::string_view session_id) {
  transaction.Execute(
      "UPDATE lanes SET lease_token = NULL, owner_id = NULL, incarnation_id = NULL, host_id = NULL, boot_id = NULL, pid = NULL, "
      "process_start = NULL, claimed_at_ms = NULL, expires_at_ms = NULL WHERE session_id = ?1",
      session_id);
}

std::optional<session_store::LoadedSession> ReadHead(Transaction& transaction) {
  Rows rows = transaction.Query("SELECT session_id, head_revision, body FROM head");
  if (!rows.Next()) return std::nullopt;
  return session_store::LoadedSession{rows.Text(0), rows.U64(1), OpaqueJson{rows.Text(2)}};
}

void WriteHead(Transaction& transaction, const session_store::LoadedSession& head) {
  transaction.Execute("INSERT OR REPLACE INTO head VALUES (1, ?1, ?2, ?3)", head.session_id, head.head_revision, head.body.text);
}

std::optional<RecordedCommit> ReadStamp(Transaction& transaction, const session_store::RuntimeTurnCommitStamp& stamp) {
  Rows rows = transaction.Query(
      "SELECT turn_commit_hash, head_revision, checkpoint_ref, manifest FROM stamps WHERE session_id = ?1 AND turn_id = ?2",
      stamp.session_id, stamp.turn_id);
  if (!rows.Next()) return std::nullopt;
  return RecordedCommit{rows.Text(0), {rows.U64(1), OpaqueJson{rows.Text(2)}, OpaqueJson{rows.Text(3)}}};
}

void WriteStamp(Transaction& transaction, const session_store::RuntimeTurnCommitStamp& stamp,
                const session_store::RuntimeCommitResult& result) {
  transaction.Execute("INSERT INTO stamps VALUES (?1, ?2, ?3, ?4, ?5, ?6)", stamp.session_id, stamp.turn_id,
                      stamp.turn_commit_hash, result.head_revision, result.checkpoint_ref.text, result.manifest.text);
}

}  // namespace leasecheck::sqlite
