// The state of the spec: equality, hashing, lookup, and what the judging files share.
#include <algorithm>
#include <memory>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "model/session_store/spec_internal.h"

namespace leasecheck::session_store {
namespace {

BatchClass ClassOf(const QueuedWorkBatch& batch) {
  if (batch.items.empty()) return BatchClass::kNone;
  const std::size_t first = batch.items.front().payload.index();
  for (const QueuedWorkItem& item : batch.items) {
    if (item.payload.index() != first) return BatchClass::kNone;
  }
  return std::holds_alternative<SessionCommand>(batch.items.front().payload) ? BatchClass::kSessionCommand
                                                                             : BatchClass::kTurnWork;
}

// Pointers first: states that share a value need no comparison.
template <class T>
bool SameValue(const std::shared_ptr<const T>& a, const std::shared_ptr<const T>& b) {
  return a == b || (a != nullptr && b != nullptr && *a == *b);
}

std::size_t HashOfClaim(const ClaimRecord* claim) {
  if (claim == nullptr) return 0;
  return absl::HashOf(claim->claim_id, claim->lease_token, claim->owner.owner_id, claim->expires.at, claim->giver);
}

std::size_t HashOfInput(const InputRow& row) {
  std::size_t hash = absl::HashOf(row.stored->hash, row.state, row.deferred, row.counter);
  if (row.claim != nullptr) hash = absl::HashOf(hash, row.claim->claim_id, row.claim->lease_token, row.claim->expires.at);
  return hash;
}

std::size_t HashOfSession(const SessionState& session) {
  std::size_t hash = absl::HashOf(session.id, session.head_revision, session.lane_fencing, session.turns->size());
  const ClaimRecord* last = nullptr;
  std::size_t last_hash = 0;
  hash = absl::HashOf(hash, session.rows.Hash([&](const Row& row) {
    if (row.claim.get() != last) {
      last = row.claim.get();
      last_hash = HashOfClaim(last);
    }
    return absl::HashOf(row.stored->hash, last_hash, row.head_fencing);
  }));
  for (const InputRow& row : *session.inputs) hash = absl::HashOf(hash, HashOfInput(row));
  if (session.holder != nullptr) hash = absl::HashOf(hash, session.holder->lease_token, session.holder->expires.at);
  if (session.body != nullptr) hash = absl::HashOf(hash, session.body->text);
  return hash;
}

bool SameTurns(const SessionState& a, const SessionState& b) {
  if (a.turns.SharesWith(b.turns)) return true;
  if (a.turns->size() != b.turns->size()) return false;
  for (std::size_t i = 0; i < a.turns->size(); ++i) {
    if ((*a.turns)[i].first != (*b.turns)[i].first || !SameValue((*a.turns)[i].second, (*b.turns)[i].second)) return false;
  }
  return true;
}

}  // namespace

StoredBatch::StoredBatch(QueuedWorkBatch stored, bool is_seen, CallIndex call)
    : batch(std::move(stored)), seen(is_seen), enqueue_call(call), batch_class(ClassOf(batch)) {
  hash = absl::HashOf(seen, batch.batch_id, batch.enqueue_seq, batch.source_key, batch.available_at_ms, batch.items.size(),
                      enqueue_call);
  id_hash = seen ? HashOfId(batch.batch_id) : 0;
}

std::size_t HashOfId(absl::string_view id) { return absl::HashOf(id) | 1; }

StoredInput::StoredInput(PendingTurnInput stored, bool is_seen, bool is_named)
    : input(std::move(stored)), seen(is_seen), named(is_named) {
  hash = absl::HashOf(seen, named, input.input_id, input.enqueue_seq, input.source_key, input.enqueued_at_ms);
}

bool operator==(const InputRow& a, const InputRow& b) {
  return a.state == b.state && a.deferred == b.deferred && a.counter_shown == b.counter_shown && a.counter == b.counter &&
         SameValue(a.stored, b.stored) && SameValue(a.claim, b.claim);
}

bool operator==(const Row& a, const Row& b) {
  return a.head_fencing == b.head_fencing && SameValue(a.stored, b.stored) && SameValue(a.claim, b.claim);
}

const Row* SessionState::FindRow(absl::string_view batch_id) const {
  const std::size_t hash = HashOfId(batch_id);
  for (const Row& row : rows) {
    if (row.id_hash == hash && row.stored->batch.batch_id == batch_id) return &row;
  }
  return nullptr;
}

std::size_t SessionState::IndexOf(absl::string_view batch_id) const {
  const std::size_t hash = HashOfId(batch_id);
  std::size_t index = 0;
  for (const Row& row : rows) {
    if (row.id_hash == hash && row.stored->batch.batch_id == batch_id) return index;
    ++index;
  }
  return index;
}

bool operator==(const SessionState& a, const SessionState& b) {
  return a.id == b.id && a.rows == b.rows && a.lane_fencing == b.lane_fencing && a.head_revision == b.head_revision &&
         a.last_input_seq == b.last_input_seq && a.inputs == b.inputs && SameValue(a.holder, b.holder) &&
         SameValue(a.body, b.body) && SameTurns(a, b);
}

const SessionState* SpecState::Find(absl::string_view session_id) const {
  for (const Cow<SessionState>& session : sessions_) {
    if (session->id == session_id) return &*session;
  }
  return nullptr;
}

SessionState& SpecState::Edit(absl::string_view session_id) {
  auto it = sessions_.begin();
  while (it != sessions_.end() && (*it)->id < session_id) ++it;
  if (it == sessions_.end() || (*it)->id != session_id) {
    SessionState fresh;
    fresh.id = std::string(session_id);
    it = sessions_.insert(it, Cow<SessionState>(std::move(fresh)));
  }
  return it->Edit();
}

bool operator==(const SpecState& a, const SpecState& b) {
  return a.sessions_ == b.sessions_ && a.bound_session == b.bound_session && a.first_committer == b.first_committer;
}

std::size_t HashOf(const SpecState& state) {
  std::size_t hash = absl::HashOf(state.bound_session, state.first_committer);
  for (const Cow<SessionState>& session : state.sessions_) hash = absl::HashOf(hash, HashOfSession(*session));
  return hash;
}

namespace spec_internal {

const SessionState& Judge::Session(absl::string_view id) const {
  static const SessionState& empty = *new SessionState();
  const SessionState* session = state.Find(id);
  return session == nullptr ? empty : *session;
}

bool Judge::Declares(absl::string_view point, absl::string_view word) const {
  return context.setup.dialects != nullptr && leasecheck::Declares(*context.setup.dialects, point, word);
}

bool Judge::DefinitelyDead(const LeaseOwnerIdentity& holder, const LeaseOwnerIdentity& claimant) const {
  const auto* theirs = std::get_if<LocalProcessOwner>(&holder.liveness);
  const auto* ours = std::get_if<LocalProcessOwner>(&claimant.liveness);
  if (theirs == nullptr || ours == nullptr || context.setup.liveness == nullptr) return false;
  if (theirs->host_id != ours->host_id || theirs->boot_id != ours->boot_id) return false;
  return context.setup.liveness->Probe(theirs->pid, theirs->process_start) == LivenessProbe::Answer::kDead;
}

bool Judge::DeadAtHome(const LeaseOwnerIdentity& holder) const { return DefinitelyDead(holder, holder); }

bool Judge::OverlapsCall(CallIndex call) const {
  return context.overlap != nullptr && call != kNoCall && context.overlap->Overlaps(call);
}

bool Judge::OverlapsAny(absl::FunctionRef<bool(const SessionStoreSpec::Request&)> predicate) const {
  return context.overlap != nullptr && context.overlap->Any(predicate);
}

bool FenceValid(const Judge& judge, const SessionState& session, absl::string_view session_id,
                const SessionExecutionLeaseFence& fence) {
  return fence.session_id == session_id && judge.LiveLane(session) && MatchesLane(session, fence);
}

bool ItemIdsDistinct(const QueuedWorkBatch& batch) {
  for (std::size_t i = 1; i < batch.items.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (batch.items[i].item_id == batch.items[j].item_id) return false;
    }
  }
  return true;
}

namespace {

bool SameDraft(const QueuedWorkBatch& a, const QueuedWorkBatch& b) {
  if (a.session_id != b.session_id || a.source_key != b.source_key || a.delivery_policy != b.delivery_policy ||
      a.slot_policy != b.slot_policy || a.merge_key != b.merge_key || a.available_at_ms != b.available_at_ms ||
      a.enqueued_at_ms != b.enqueued_at_ms || a.items.size() != b.items.size()) {
    return false;
  }
  for (std::size_t i = 0; i < a.items.size(); ++i) {
    if (a.items[i].payload != b.items[i].payload) return false;
  }
  return true;
}

bool FitsBetweenNeighbours(const SessionState& session, std::size_t index, const QueuedWorkBatch& batch) {
  std::size_t i = 0;
  for (const Row& row : session.rows) {
    const StoredBatch& other = *row.stored;
    const std::size_t at = i++;
    if (at == index || !other.seen) continue;
    if (other.batch.batch_id == batch.batch_id) return false;
    if (at < index ? other.batch.enqueue_seq >= batch.enqueue_seq : other.batch.enqueue_seq <= batch.enqueue_seq) return false;
  }
  return true;
}

}  // namespace

bool Fits(const SessionState& session, std::size_t index, const QueuedWorkBatch& batch) {
  const StoredBatch& stored = *session.rows[index].stored;
  if (stored.seen) return stored.batch == batch;
  return SameDraft(stored.batch, batch) && ItemIdsDistinct(batch) && FitsBetweenNeighbours(session, index, batch);
}

void Bind(SessionState& session, std::size_t index, const QueuedWorkBatch& batch) {
  const StoredBatch& stored = *session.rows[index].stored;
  if (stored.seen) return;
  Row& row = session.rows.Edit(index);
  row.stored = std::make_shared<const StoredBatch>(batch, true, stored.enqueue_call);
  row.id_hash = row.stored->id_hash;
}

void InsertRow(SessionState& session, std::size_t position, std::shared_ptr<const StoredBatch> stored) {
  if (stored->batch_class == BatchClass::kNone) ++session.classless;
  session.rows.Insert(position, Row(std::move(stored)));
}

void RemoveRows(SessionState& session, const Indices& indices) {
  for (auto index = indices.rbegin(); index != indices.rend(); ++index) {
    const StoredBatch& stored = *session.rows[*index].stored;
    if (stored.batch_class == BatchClass::kNone) --session.classless;
    const std::optional<std::string>& key = stored.batch.source_key;
    if (key.has_value()) {
      std::vector<std::string>& freed = session.freed_keys.Edit();
      auto at = std::lower_bound(freed.begin(), freed.end(), *key);
      if (at == freed.end() || *at != *key) freed.insert(at, *key);
    }
    session.rows.Erase(*index);
  }
}

}  // namespace spec_internal
}  // namespace leasecheck::session_store
