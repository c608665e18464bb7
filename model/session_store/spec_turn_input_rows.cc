// Rows of turn inputs: finding them, and what an answer shows of them.
#include <algorithm>
#include <memory>

#include "model/session_store/spec_turn_input.h"

namespace leasecheck::session_store::spec_internal {
namespace {

// The text by which a target names a row, where it names it by its id and where by its key.
const std::string* IdIn(const PendingTurnInputCancelTarget& target) {
  const auto* id = std::get_if<InputIdTarget>(&target);
  return id == nullptr ? nullptr : &id->value;
}
const std::string* KeyIn(const PendingTurnInputCancelTarget& target) {
  const auto* key = std::get_if<SourceKeyTarget>(&target);
  return key == nullptr ? nullptr : &key->value;
}

// The place of an unseen row leaves room for this id and number.
bool FitsBetweenNeighbours(const InputRows& rows, std::size_t index, const PendingTurnInput& record) {
  if (record.enqueue_seq == 0) return false;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const StoredInput& other = *rows[i].stored;
    if (i == index) continue;
    if (other.named && other.input.input_id == record.input_id) return false;
    if (!other.seen) continue;
    if (i < index ? other.input.enqueue_seq >= record.enqueue_seq : other.input.enqueue_seq <= record.enqueue_seq) return false;
  }
  return true;
}

bool Contains(const std::vector<std::string>& sorted, absl::string_view text) {
  const auto found = std::lower_bound(sorted.begin(), sorted.end(), text);
  return found != sorted.end() && *found == text;
}

struct WritesInputsOf {
  absl::string_view session_id;
  bool operator()(const EnqueuePendingTurnInputRequest& request) const { return request.input.session_id == session_id; }
  bool operator()(const CancelPendingTurnInputsRequest& request) const { return request.session_id == session_id; }
  bool operator()(const CancelPendingTurnInputRequest& request) const { return request.session_id == session_id; }
  bool operator()(const CancelPendingTurnInputSuffixRequest& request) const { return request.session_id == session_id; }
  bool operator()(const ClaimActiveTurnInputsRequest& request) const { return request.session_id == session_id; }
  bool operator()(const ClaimNextTurnInputsRequest& request) const { return request.session_id == session_id; }
  bool operator()(const AbandonTurnInputClaimRequest& request) const { return request.claim.session_id == session_id; }
  bool operator()(const VacuumRequest&) const { return true; }
  bool operator()(const CommitRuntimeStateRequest& request) const {
    return request.commit.session_id == session_id && ConcernsInputs(request.commit);
  }
  template <class Request>
  bool operator()(const Request&) const {
    return false;
  }
};

}  // namespace

bool TurnEnded(const SessionState& session, const TurnInputIngress& ingress) {
  const auto* turn = std::get_if<ActiveTurnIngress>(&ingress);
  return turn != nullptr && std::any_of(session.turns->begin(), session.turns->end(),
                                        [&](const auto& recorded) { return recorded.first == turn->turn_id; });
}

const TurnInputIngress& IngressOf(const InputRow& row) {
  static const TurnInputIngress& next_turn = *new TurnInputIngress(NextTurnIngress{});
  return row.deferred ? next_turn : row.stored->input.ingress;
}

std::size_t FindInput(const InputRows& rows, absl::string_view input_id) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].stored->named && rows[i].stored->input.input_id == input_id) return i;
  }
  return kNoInput;
}

std::size_t FindInputKey(const InputRows& rows, absl::string_view source_key) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::optional<std::string>& key = rows[i].stored->input.source_key;
    if (key.has_value() && *key == source_key) return i;
  }
  return kNoInput;
}

std::size_t FindTarget(const InputRows& rows, const PendingTurnInputCancelTarget& target) {
  const std::string* id = IdIn(target);
  return id != nullptr ? FindInput(rows, *id) : FindInputKey(rows, *KeyIn(target));
}

bool NamesElsewhere(const Judge& judge, absl::string_view session_id, const PendingTurnInputCancelTarget& target) {
  const absl::Span<const Cow<SessionState>> sessions = judge.state.sessions();
  return std::any_of(sessions.begin(), sessions.end(), [&](const Cow<SessionState>& other) {
    return other->id != session_id && FindTarget(*other->inputs, target) != kNoInput;
  });
}

bool NamesVacuumed(const SessionState& session, const PendingTurnInputCancelTarget& target) {
  const std::string* id = IdIn(target);
  return id != nullptr ? Contains(*session.vacuumed_ids, *id) : Contains(*session.vacuumed_keys, *KeyIn(target));
}

bool ShowsInput(const InputRows& rows, std::size_t index, const PendingTurnInput& record, TurnInputState state) {
  const InputRow& row = rows[index];
  const PendingTurnInput& own = row.stored->input;
  if (record.state != state || record.ingress != IngressOf(row) || record.session_id != own.session_id ||
      record.source_key != own.source_key || record.enqueued_at_ms != own.enqueued_at_ms || record.input != own.input) {
    return false;
  }
  if (row.stored->named && record.input_id != own.input_id) return false;
  return row.stored->seen ? record.enqueue_seq == own.enqueue_seq : FitsBetweenNeighbours(rows, index, record);
}

std::size_t RowShownBy(const InputRows& rows, const PendingTurnInput& record) {
  const std::size_t named = FindInput(rows, record.input_id);
  if (named != kNoInput) return named;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!rows[i].stored->named && ShowsInput(rows, i, record, record.state)) return i;
  }
  return kNoInput;
}

void BindInput(InputRows& rows, std::size_t index, const PendingTurnInput& record) {
  if (rows[index].stored->seen) return;
  PendingTurnInput shown = rows[index].stored->input;
  shown.input_id = record.input_id;
  shown.enqueue_seq = record.enqueue_seq;
  rows[index].stored = std::make_shared<const StoredInput>(std::move(shown), true, true);
}

void NoteSequence(SessionState& session) {
  for (const InputRow& row : *session.inputs) {
    if (row.stored->seen) session.last_input_seq = std::max(session.last_input_seq, row.stored->input.enqueue_seq);
  }
}

bool IsSorted(const std::vector<PendingTurnInput>& records) {
  return std::adjacent_find(records.begin(), records.end(), [](const PendingTurnInput& a, const PendingTurnInput& b) {
           return a.enqueue_seq >= b.enqueue_seq;
         }) == records.end();
}

Indices OwnedInputs(const InputRows& rows, absl::string_view claim_id, absl::string_view lease_token) {
  Indices owned;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const InputClaimRecord* record = rows[i].claim.get();
    if (record == nullptr || !record->seen) continue;
    if (record->claim_id == claim_id && record->lease_token == lease_token) owned.push_back(i);
  }
  return owned;
}

bool InputsOverlapped(const Judge& judge, absl::string_view session_id) {
  return judge.OverlapsAny(
      [&](const SessionStoreSpec::Request& request) { return std::visit(WritesInputsOf{session_id}, request); });
}

}  // namespace leasecheck::session_store::spec_internal
