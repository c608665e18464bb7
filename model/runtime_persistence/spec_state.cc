// The state of the spec: equality, hashing, lookup.
#include <algorithm>
#include <memory>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "model/runtime_persistence/spec_internal.h"

namespace leasecheck::runtime_persistence {

using spec_internal::SameValue;

namespace {

std::size_t HashOfQueue(const Rows& rows) {
  std::size_t hash = rows.size();
  for (const Row& row : rows) {
    hash = absl::HashOf(hash, row.stored->hash, row.head_fencing);
    if (row.claim != nullptr) hash = absl::HashOf(hash, row.claim->claim_id, row.claim->expires, row.claim->giver);
  }
  return hash;
}

std::size_t HashOfNodes(const NodeRows& nodes) {
  std::size_t hash = nodes.size();
  for (const NodeRow& node : nodes) hash = absl::HashOf(hash, node.id(), node.tombstoned, node.loose);
  return hash;
}

}  // namespace

StoredBatch::StoredBatch(QueuedWorkBatch stored, bool is_seen) : batch(std::move(stored)), seen(is_seen) {
  hash = absl::HashOf(seen, batch.batch_id, batch.session_id, batch.enqueue_seq, batch.source_key, batch.available_at_ms,
                      batch.items.size());
}

bool operator==(const Row& a, const Row& b) {
  return a.head_fencing == b.head_fencing && SameValue(a.stored, b.stored) && SameValue(a.claim, b.claim);
}

bool operator==(const NodeRow& a, const NodeRow& b) {
  return a.tombstoned == b.tombstoned && a.loose == b.loose && SameValue(a.record, b.record);
}

bool operator==(const RecordedTurn& a, const RecordedTurn& b) {
  return a.turn_id == b.turn_id && a.hash == b.hash && SameValue(a.saved, b.saved);
}

const NodeRow* SpecState::FindNode(absl::string_view id) const {
  for (const NodeRow& node : *nodes) {
    if (node.id() == id) return &node;
  }
  return nullptr;
}

const Row* SpecState::FindRow(absl::string_view batch_id) const {
  for (const Row& row : *queue) {
    if (row.stored->seen && row.stored->batch.batch_id == batch_id) return &row;
  }
  return nullptr;
}

const RecordedTurn* SpecState::FindTurn(absl::string_view turn_id) const {
  auto found = std::lower_bound(turns->begin(), turns->end(), turn_id,
                                [](const RecordedTurn& turn, absl::string_view id) { return turn.turn_id < id; });
  return found == turns->end() || found->turn_id != turn_id ? nullptr : &*found;
}

const Attachment* SpecState::FindAttachment(absl::string_view id) const {
  auto found =
      std::lower_bound(attachments->begin(), attachments->end(), id,
                       [](const Attachment& row, absl::string_view wanted) { return row.intent.attachment_id < wanted; });
  return found == attachments->end() || found->intent.attachment_id != id ? nullptr : &*found;
}

bool operator==(const SpecState& a, const SpecState& b) {
  const auto same_meta = [](const auto& x, const auto& y) { return SameValue(x, y); };
  return a.head_revision == b.head_revision && a.counting == b.counting && a.paths == b.paths && a.tier == b.tier &&
         a.vacuumed == b.vacuumed && a.swept == b.swept && a.bound_session == b.bound_session && SameValue(a.head, b.head) &&
         SameValue(a.saved, b.saved) && a.queue == b.queue && a.nodes == b.nodes && a.ledger == b.ledger && a.turns == b.turns &&
         a.blobs == b.blobs && a.attachments == b.attachments &&
         (a.metas.SharesWith(b.metas) ||
          std::equal(a.metas->begin(), a.metas->end(), b.metas->begin(), b.metas->end(), same_meta));
}

std::size_t HashOf(const SpecState& state) {
  std::size_t hash = absl::HashOf(state.head_revision, state.turns->size(), state.ledger->size(), state.metas->size(),
                                  state.vacuumed, state.swept, HashOfQueue(*state.queue), HashOfNodes(*state.nodes));
  if (state.head != nullptr) hash = absl::HashOf(hash, state.head->leaf, state.head->current_agent_frame_id);
  if (state.saved != nullptr) hash = absl::HashOf(hash, state.saved->ref, state.saved->given.turn_state.text);
  for (const Attachment& row : *state.attachments) hash = absl::HashOf(hash, row.intent.attachment_id, row.committed);
  if (!state.metas->empty()) hash = absl::HashOf(hash, state.metas->back()->session_name);
  return hash;
}

namespace spec_internal {

void AddTo(std::vector<std::string>& sorted, absl::string_view text) {
  auto at = std::lower_bound(sorted.begin(), sorted.end(), text);
  if (at == sorted.end() || *at != text) sorted.insert(at, std::string(text));
}

void RemoveFrom(std::vector<std::string>& sorted, absl::string_view text) {
  auto at = std::lower_bound(sorted.begin(), sorted.end(), text);
  if (at != sorted.end() && *at == text) sorted.erase(at);
}

std::string Joined(absl::string_view session, absl::string_view rest) { return absl::StrCat(session.size(), ":", session, rest); }

}  // namespace spec_internal
}  // namespace leasecheck::runtime_persistence
