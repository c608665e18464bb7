#include "adapters/sqlite/turn_input_rows.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "adapters/sqlite/columns.h"
#include "codec/values.h"

namespace leasecheck::sqlite {
namespace {

using session_store::ActiveTurnIngress;
using session_store::CheckpointKind;
using session_store::InputIdTarget;
using session_store::LeaseOwnerIdentity;
using session_store::LocalProcessOwner;
using session_store::NextTurnIngress;
using session_store::PendingTurnInput;
using session_store::SourceKeyTarget;
using session_store::TurnInputIngress;
using session_store::TurnInputState;

// The columns that ReadInput reads. States stand in the statements as words, not as arguments: so the partial indexes are used.
#define LEASECHECK_INPUT_COLUMNS                                                                                           \
  "SELECT enqueue_seq, input_id, session_id, source_key, turn_id, min_boundary, enqueued_at_ms, input, rewritten, state, " \
  "claim_counter, claim_id, lease_token, expires_at_ms, owner_id, incarnation_id, host_id, boot_id, pid, process_start "   \
  "FROM turn_inputs "

InputRow ReadInput(const Rows& rows, absl::Status* status) {
  InputRow row;
  PendingTurnInput& record = row.record;
  record.enqueue_seq = rows.U64(0);
  record.input_id = rows.Text(1);
  record.session_id = rows.Text(2);
  record.source_key = rows.OptionalText(3);
  row.submitted = NextTurnIngress{};
  if (!rows.IsNull(4)) row.submitted = ActiveTurnIngress{rows.Text(4), FromWord<CheckpointKind>(rows.Text(5))};
  record.enqueued_at_ms = rows.U64(6);
  absl::StatusOr<codec::Json> json = codec::ParseJson(rows.Text(7));
  status->Update(json.ok() ? codec::Decode(*json, &record.input) : json.status());
  record.ingress = rows.Int(8) == 0 ? row.submitted : TurnInputIngress(NextTurnIngress{});
  record.state = FromWord<TurnInputState>(rows.Text(9));
  row.counter = rows.U64(10);
  if (!rows.IsNull(11)) {
    row.claim = ClaimRecord{rows.Text(11), rows.Text(12), ReadOwner(rows, 14), row.counter, rows.U64(13)};
  }
  return row;
}

// At most `most` rows; a payload that cannot be read fails the transaction.
std::vector<InputRow> ReadInputs(Transaction& transaction, Rows rows, uint64_t most) {
  std::vector<InputRow> inputs;
  absl::Status status;
  while (inputs.size() < most && rows.Next()) inputs.push_back(ReadInput(rows, &status));
  if (!status.ok()) transaction.Fail(absl::DataLossError(absl::StrCat("a turn input cannot be read: ", status.message())));
  return inputs;
}

constexpr uint64_t kAll = kEndOfTime;

std::optional<InputRow> ReadOne(Transaction& transaction, Rows rows) {
  std::vector<InputRow> inputs = ReadInputs(transaction, std::move(rows), 1);
  if (inputs.empty()) return std::nullopt;
  return std::move(inputs.front());
}

// The deferred inputs under live claims of processes that are dead to the claimant, in order.
std::vector<InputRow> HeldByTheDead(Transaction& transaction, absl::string_view session_id, const LeaseOwnerIdentity& claimant,
                                    const LivenessProbe* probe, EpochMs now) {
  std::vector<InputRow> inputs;
  const auto* local = std::get_if<LocalProcessOwner>(&claimant.liveness);
  if (local == nullptr || probe == nullptr) return inputs;
  inputs = ReadInputs(
      transaction,
      transaction.Query(LEASECHECK_INPUT_COLUMNS "WHERE session_id = ?1 AND host_id = ?2 AND boot_id = ?3 AND expires_at_ms > ?4 "
                                                 "AND state = 'deferred_next_turn' AND host_id IS NOT NULL",
                        session_id, local->host_id, local->boot_id, now),
      kAll);
  std::erase_if(inputs, [&](const InputRow& row) { return !DefinitelyDead(row.claim->owner, claimant, probe); });
  std::sort(inputs.begin(), inputs.end(),
            [](const InputRow& a, const InputRow& b) { return a.record.enqueue_seq < b.record.enqueue_seq; });
  return inputs;
}

// What takes a row out of its claim, in an UPDATE. ?1 is 0 as the u64 columns have it.
#define LEASECHECK_NO_CLAIM                                                                                                   \
  "claim_id = NULL, lease_token = NULL, owner_id = NULL, incarnation_id = NULL, host_id = NULL, boot_id = NULL, pid = NULL, " \
  "process_start = NULL, expires_at_ms = NULL, ready_at_ms = ?1, in_line = 1 "

}  // namespace

uint64_t NextInputSeq(Transaction& transaction) {
  // The largest stored integer stands for 2^64-1.
  if (transaction.Execute("UPDATE store SET last_input_seq = last_input_seq + 1 WHERE last_input_seq < 9223372036854775807") ==
      0) {
    transaction.Fail(absl::ResourceExhaustedError("the sequence numbers of turn inputs are used up"));
    return 0;
  }
  Rows rows = transaction.Query("SELECT last_input_seq FROM store");
  return rows.Next() ? rows.U64(0) : 0;
}

bool HasInput(Transaction& transaction, absl::string_view input_id) {
  Rows rows = transaction.Query("SELECT 1 FROM turn_inputs WHERE input_id = ?1", input_id);
  return rows.Next();
}

bool IsInputIdUsed(Transaction& transaction, absl::string_view input_id) {
  if (HasInput(transaction, input_id)) return true;
  Rows rows = transaction.Query("SELECT 1 FROM given_ids WHERE input_id = ?1", input_id);
  return rows.Next();
}

void InsertInput(Transaction& transaction, const PendingTurnInput& input, bool given) {
  const auto* active = std::get_if<ActiveTurnIngress>(&input.ingress);
  transaction.Execute(
      "INSERT INTO turn_inputs (enqueue_seq, input_id, given, session_id, source_key, turn_id, min_boundary, enqueued_at_ms, "
      "input, rewritten, state, claim_counter, ready_at_ms, in_line) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, ?10, ?11, ?11, 1)",
      input.enqueue_seq, input.input_id, given, input.session_id, input.source_key,
      active == nullptr ? std::nullopt : std::make_optional(active->turn_id),
      active == nullptr ? std::nullopt : std::make_optional(std::string(WordOf(active->min_boundary))), input.enqueued_at_ms,
      codec::CanonicalText(codec::Encode(input.input)), WordOf(input.state), uint64_t{0});
}

std::optional<InputRow> InputOf(Transaction& transaction, absl::string_view session_id,
                                const session_store::PendingTurnInputCancelTarget& target) {
  if (const auto* key = std::get_if<SourceKeyTarget>(&target)) {
    return ReadOne(transaction, transaction.Query(LEASECHECK_INPUT_COLUMNS "WHERE session_id = ?1 AND source_key = ?2",
                                                  session_id, key->value));
  }
  return ReadOne(transaction, transaction.Query(LEASECHECK_INPUT_COLUMNS "WHERE input_id = ?2 AND session_id = ?1", session_id,
                                                std::get<InputIdTarget>(target).value));
}

std::vector<InputRow> InputsFrom(Transaction& transaction, absl::string_view session_id, uint64_t enqueue_seq) {
  return ReadInputs(transaction,
                    transaction.Query(LEASECHECK_INPUT_COLUMNS "WHERE session_id = ?1 AND enqueue_seq >= ?2 ORDER BY enqueue_seq",
                                      session_id, enqueue_seq),
                    kAll);
}

std::vector<InputRow> WaitingInputs(Transaction& transaction, absl::string_view session_id) {
  return ReadInputs(
      transaction,
      transaction.Query(LEASECHECK_INPUT_COLUMNS
                        "WHERE session_id = ?1 AND state IN ('pending_active', 'deferred_next_turn') ORDER BY enqueue_seq",
                        session_id),
      kAll);
}

std::vector<InputRow> InputsForTurn(Transaction& transaction, absl::string_view session_id, absl::string_view turn_id,
                                    CheckpointKind checkpoint, uint64_t max_inputs) {
  constexpr absl::string_view kEarly = LEASECHECK_INPUT_COLUMNS
      "WHERE session_id = ?1 AND turn_id = ?2 AND state = 'pending_active' AND min_boundary = 'after_work' ORDER BY enqueue_seq";
  constexpr absl::string_view kLate =
      LEASECHECK_INPUT_COLUMNS "WHERE session_id = ?1 AND turn_id = ?2 AND state = 'pending_active' ORDER BY enqueue_seq";
  return ReadInputs(
      transaction, transaction.Query(checkpoint == CheckpointKind::kAfterWork ? kEarly : kLate, session_id, turn_id), max_inputs);
}

std::vector<InputRow> InputsForNextTurn(Transaction& transaction, absl::string_view session_id,
                                        const LeaseOwnerIdentity& claimant, const LivenessProbe* probe, uint64_t max_inputs,
                                        EpochMs now) {
  transaction.Execute(
      "UPDATE turn_inputs SET in_line = 1 WHERE session_id = ?1 AND state = 'deferred_next_turn' AND in_line = 0 "
      "AND ready_at_ms <= ?2",
      session_id, now);
  std::vector<InputRow> line =
      ReadInputs(transaction,
                 transaction.Query(LEASECHECK_INPUT_COLUMNS
                                   "WHERE session_id = ?1 AND state = 'deferred_next_turn' AND in_line = 1 AND ready_at_ms <= ?2 "
                                   "ORDER BY enqueue_seq",
                                   session_id, now),
                 max_inputs);
  // Live claims only: no row is in both.
  std::vector<InputRow> dead = HeldByTheDead(transaction, session_id, claimant, probe, now);
  if (dead.empty()) return line;
  std::vector<InputRow> both;
  std::merge(std::make_move_iterator(line.begin()), std::make_move_iterator(line.end()), std::make_move_iterator(dead.begin()),
             std::make_move_iterator(dead.end()), std::back_inserter(both),
             [](const InputRow& a, const InputRow& b) { return a.record.enqueue_seq < b.record.enqueue_seq; });
  if (both.size() > max_inputs) both.erase(both.begin() + static_cast<std::ptrdiff_t>(max_inputs), both.end());
  return both;
}

void ClaimInput(Transaction& transaction, uint64_t enqueue_seq, TurnInputState state, const ClaimRecord& record) {
  LocalColumns local(record.owner);
  transaction.Execute(
      "UPDATE turn_inputs SET state = ?2, claim_counter = ?3, in_line = 0, ready_at_ms = ?4, expires_at_ms = ?4, claim_id = ?5, "
      "lease_token = ?6, owner_id = ?7, incarnation_id = ?8, host_id = ?9, boot_id = ?10, pid = ?11, process_start = ?12 "
      "WHERE enqueue_seq = ?1",
      enqueue_seq, WordOf(state), record.counter, record.expires_at_ms, record.claim_id, record.lease_token,
      record.owner.owner_id, record.owner.incarnation_id, local.host_id, local.boot_id, local.pid, local.process_start);
}

void AbandonInputs(Transaction& transaction, absl::string_view session_id, absl::string_view claim_id,
                   absl::string_view lease_token) {
  transaction.Execute(
      "UPDATE turn_inputs SET state = CASE state WHEN 'accepted' THEN 'pending_active' ELSE state END, " LEASECHECK_NO_CLAIM
      "WHERE claim_id = ?2 AND lease_token = ?3 AND session_id = ?4",
      uint64_t{0}, claim_id, lease_token, session_id);
}

void CancelInput(Transaction& transaction, uint64_t enqueue_seq) {
  transaction.Execute("UPDATE turn_inputs SET state = 'cancelled', " LEASECHECK_NO_CLAIM "WHERE enqueue_seq = ?2", uint64_t{0},
                      enqueue_seq);
}

bool CompleteInputs(Transaction& transaction, absl::string_view session_id,
                    const session_store::TurnInputCompletion& completion) {
  if (completion.session_id != session_id) return false;
  for (const std::string& input_id : completion.input_ids) {
    const int64_t completed =
        transaction.Execute("UPDATE turn_inputs SET state = 'completed', " LEASECHECK_NO_CLAIM
                            "WHERE input_id = ?2 AND session_id = ?3 AND claim_id = ?4 AND lease_token = ?5",
                            uint64_t{0}, input_id, session_id, completion.claim_id, completion.lease_token);
    if (completed != 1) return false;
  }
  return true;
}

void InterruptTurn(Transaction& transaction, absl::string_view session_id, absl::string_view turn_id) {
  transaction.Execute(
      "UPDATE turn_inputs SET state = 'deferred_next_turn', rewritten = 1 "
      "WHERE session_id = ?1 AND turn_id = ?2 AND state = 'pending_active'",
      session_id, turn_id);
}

uint64_t VacuumInputs(Transaction& transaction) {
  transaction.Execute(
      "INSERT OR IGNORE INTO given_ids SELECT input_id FROM turn_inputs "
      "WHERE state IN ('cancelled', 'completed') AND given = 1 AND substr(input_id, 1, 6) = 'input-'");
  return static_cast<uint64_t>(transaction.Execute("DELETE FROM turn_inputs WHERE state IN ('cancelled', 'completed')"));
}

}  // namespace leasecheck::sqlite
