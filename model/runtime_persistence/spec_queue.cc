// Enqueue, cancel and the two lists.
#include <algorithm>
#include <memory>

#include "model/runtime_persistence/spec_internal.h"

namespace leasecheck::runtime_persistence::spec_internal {
namespace {

// enqueue_queued_work

constexpr std::size_t kNoRow = static_cast<std::size_t>(-1);

std::size_t FindKey(const Rows& rows, absl::string_view session_id, const std::optional<std::string>& key) {
  if (!key.has_value()) return kNoRow;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].stored->batch.source_key == key && rows[i].session() == session_id) return i;
  }
  return kNoRow;
}

QueuedWorkBatch BatchOf(const QueuedWorkBatchDraft& draft, EpochMs now) {
  QueuedWorkBatch batch{"",
                        draft.session_id,
                        draft.source_key,
                        draft.delivery_policy,
                        draft.slot_policy,
                        draft.merge_key,
                        draft.available_at_ms,
                        0,
                        now,
                        {}};
  for (const QueuedWorkPayload& payload : draft.payloads) batch.items.push_back({"", payload});
  return batch;
}

// Everything that the caller or the clock decides.
bool SameDraft(const QueuedWorkBatch& a, const QueuedWorkBatch& b) {
  const auto same_payload = [](const QueuedWorkItem& x, const QueuedWorkItem& y) { return x.payload == y.payload; };
  return a.session_id == b.session_id && a.source_key == b.source_key && a.delivery_policy == b.delivery_policy &&
         a.slot_policy == b.slot_policy && a.merge_key == b.merge_key && a.available_at_ms == b.available_at_ms &&
         a.enqueued_at_ms == b.enqueued_at_ms &&
         std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(), same_payload);
}

bool ItemIdsDistinct(const QueuedWorkBatch& batch) {
  for (std::size_t i = 1; i < batch.items.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (batch.items[i].item_id == batch.items[j].item_id) return false;
    }
  }
  return true;
}

bool FitsBetweenNeighbours(const Rows& rows, std::size_t index, const QueuedWorkBatch& batch) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const StoredBatch& other = *rows[i].stored;
    if (i == index || !other.seen) continue;
    if (other.batch.batch_id == batch.batch_id) return false;
    if (i < index ? other.batch.enqueue_seq >= batch.enqueue_seq : other.batch.enqueue_seq <= batch.enqueue_seq) return false;
  }
  return true;
}

bool KeyElsewhere(const Rows& rows, const QueuedWorkBatchDraft& draft) {
  return draft.source_key.has_value() && std::any_of(rows.begin(), rows.end(), [&](const Row& row) {
           return row.stored->batch.source_key == draft.source_key && row.session() != draft.session_id;
         });
}

std::string KeyOf(const QueuedWorkBatch& batch) { return Joined(batch.session_id, *batch.source_key); }
std::string KeyOf(const QueuedWorkBatchDraft& draft) { return Joined(draft.session_id, *draft.source_key); }

// Two racing enqueues with one key, or two without, may fail one of them (RP-LAT-22).
bool MayLose(const Judge& judge, const QueuedWorkBatchDraft& draft) {
  return judge.OverlapsAny([&](const RuntimePersistenceSpec::Request& other) {
    const auto* enqueue = std::get_if<EnqueueQueuedWorkRequest>(&other);
    if (enqueue == nullptr || enqueue->batch.source_key != draft.source_key) return false;
    return !draft.source_key.has_value() || enqueue->batch.session_id == draft.session_id;
  });
}

Verdict JudgeEnqueueError(const Judge& judge, const QueuedWorkBatchDraft& draft, const Answer<QueuedWorkBatch>& answer) {
  if (answer.IsBackend() && MayLose(judge, draft)) return kAllowed;
  const SpecState& state = judge.state;
  if (FindKey(*state.queue, draft.session_id, draft.source_key) != kNoRow) return Refuse<"RP-ENQ-4">();
  if (draft.payloads.empty() || (state.bound_session.has_value() && *state.bound_session != draft.session_id)) {
    return Refuse<"RP-ENQ-6">();
  }
  return Refuse<"RP-ENQ-1">();
}

Verdict JudgeKeyReplay(Judge& judge, std::size_t twin, const Answer<QueuedWorkBatch>& answer) {
  if (answer.response == nullptr) return kAllowed;
  const Rows& rows = *judge.state.queue;
  if (!Fits(rows, twin, *answer.response)) return Refuse<"RP-ENQ-4">();
  judge.Held<"RP-ENQ-4">();
  if (!rows[twin].stored->seen) Bind(judge.state.queue.Edit(), twin, *answer.response);
  return kAllowed;
}

Verdict BlameContent(const Judge& judge, const QueuedWorkBatchDraft& draft, const QueuedWorkBatch& batch) {
  const bool freed = draft.source_key.has_value() && Contains(judge.state.memory->freed_keys, KeyOf(draft));
  if (freed && batch.enqueued_at_ms < judge.now) return Refuse<"RP-ENQ-5">();
  if (batch.session_id != draft.session_id && KeyElsewhere(*judge.state.queue, draft)) return Refuse<"RP-ENQ-5">();
  return Refuse<"RP-ENQ-1">();
}

Verdict CheckInsert(const Judge& judge, const QueuedWorkBatchDraft& draft, const QueuedWorkBatch& batch) {
  const Rows& rows = *judge.state.queue;
  if (const Row* known = judge.state.FindRow(batch.batch_id)) {
    const bool taken_for = !draft.source_key.has_value() || known->session() != draft.session_id;
    return taken_for ? Refuse<"RP-ENQ-5">() : Refuse<"RP-ENQ-1">();
  }
  if (!SameDraft(batch, BatchOf(draft, judge.now)) || !ItemIdsDistinct(batch)) return BlameContent(judge, draft, batch);
  const bool in_order = std::all_of(rows.begin(), rows.end(), [&](const Row& row) {
    return !row.stored->seen || row.stored->batch.enqueue_seq < batch.enqueue_seq;
  });
  return in_order ? kAllowed : Refuse<"RP-ENQ-3">();
}

void CountInsert(const Judge& judge, const QueuedWorkBatchDraft& draft) {
  if (!judge.counting()) return;
  const SpecState& state = judge.state;
  judge.Held<"RP-ENQ-1">();
  judge.Held<"RP-ENQ-3">(!state.queue->empty());
  judge.Held<"RP-ENQ-5">(draft.source_key.has_value() && Contains(state.memory->freed_keys, KeyOf(draft)));
  judge.Held<"RP-ENQ-5">(KeyElsewhere(*state.queue, draft));
  judge.Held<"RP-ENQ-6">(draft.payloads.empty());
  judge.Held<"RP-ENQ-6">(state.bound_session.has_value() && *state.bound_session != draft.session_id);
}

// cancel_queued_work_batch

Verdict BlameCancelled(const Judge& judge, const Row* row, bool own, const QueuedWorkBatch* returned) {
  if (row == nullptr || !own) return Refuse<"RP-CAN-2">();
  if (judge.LiveClaim(*row)) return Refuse<"RP-CAN-2">();
  if (returned == nullptr && row->stored->batch.available_at_ms > judge.now) return Refuse<"RP-CAN-3">();
  return Refuse<"RP-CAN-1">();
}

// The lists.

Indices ListedRows(const Judge& judge, absl::string_view session_id, bool pending_only) {
  Indices listed;
  const Rows& rows = *judge.state.queue;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].session() == session_id && (!pending_only || !judge.LiveClaim(rows[i]))) listed.push_back(i);
  }
  return listed;
}

bool IsListed(const std::vector<QueuedWorkBatch>& list, absl::string_view batch_id) {
  return std::any_of(list.begin(), list.end(), [&](const QueuedWorkBatch& batch) { return batch.batch_id == batch_id; });
}

bool IsAscending(const std::vector<QueuedWorkBatch>& list) {
  return std::adjacent_find(list.begin(), list.end(),
                            [](const auto& a, const auto& b) { return a.enqueue_seq >= b.enqueue_seq; }) == list.end();
}

// Whether the list is exactly these rows, in order.
bool ShowsRows(const Rows& rows, const Indices& due, const std::vector<QueuedWorkBatch>& list) {
  if (due.size() != list.size() || !IsAscending(list)) return false;
  for (std::size_t i = 0; i < due.size(); ++i) {
    if (!Fits(rows, due[i], list[i])) return false;
  }
  return true;
}

Verdict BlameList(const Judge& judge, absl::string_view session_id, const std::vector<QueuedWorkBatch>& list, bool pending_only) {
  for (const QueuedWorkBatch& batch : list) {
    const Row* row = judge.state.FindRow(batch.batch_id);
    if (row != nullptr && row->stored->batch != batch) return Refuse<"RP-INV-15">();
    if (row != nullptr && row->session() != session_id) return Refuse<"RP-INV-16">();
  }
  if (!pending_only) return Refuse<"RP-LST-1">();
  for (const Row& row : *judge.state.queue) {
    if (!row.stored->seen || row.session() != session_id || row.claim == nullptr || judge.LiveClaim(row)) continue;
    if (!IsListed(list, row.stored->batch.batch_id) && row.claim->expires == judge.now) return Refuse<"RP-CLM-13">();
  }
  return Refuse<"RP-PND-1">();
}

void CountList(const Judge& judge, absl::string_view session_id, bool pending_only) {
  if (!judge.counting()) return;
  for (const Row& row : *judge.state.queue) {
    if (row.session() != session_id) continue;
    judge.Held<"RP-LST-1">(!pending_only);
    judge.Held<"RP-PND-1">(pending_only && row.claim != nullptr);
  }
}

Verdict JudgeList(Judge& judge, absl::string_view session_id, bool pending_only,
                  const Answer<std::vector<QueuedWorkBatch>>& answer) {
  if (answer.unseen) return kAllowed;
  if (answer.error != nullptr) return pending_only ? Refuse<"RP-PND-1">() : Refuse<"RP-LST-1">();
  const std::vector<QueuedWorkBatch>& list = *answer.response;
  const Indices due = ListedRows(judge, session_id, pending_only);
  const Rows& rows = *judge.state.queue;
  if (!ShowsRows(rows, due, list)) return BlameList(judge, session_id, list, pending_only);
  CountList(judge, session_id, pending_only);
  const bool binds = std::any_of(due.begin(), due.end(), [&](std::size_t index) { return !rows[index].stored->seen; });
  for (std::size_t i = 0; binds && i < due.size(); ++i) Bind(judge.state.queue.Edit(), due[i], list[i]);
  return kAllowed;
}

}  // namespace

bool Fits(const Rows& rows, std::size_t index, const QueuedWorkBatch& batch) {
  const StoredBatch& stored = *rows[index].stored;
  if (stored.seen) return stored.batch == batch;
  return SameDraft(stored.batch, batch) && ItemIdsDistinct(batch) && FitsBetweenNeighbours(rows, index, batch);
}

void Bind(Rows& rows, std::size_t index, const QueuedWorkBatch& batch) {
  if (!rows[index].stored->seen) rows[index].stored = std::make_shared<const StoredBatch>(batch, true);
}

void RemoveRows(const Judge& judge, SpecState& state, const Indices& indices) {
  for (auto index = indices.rbegin(); index != indices.rend(); ++index) {
    Rows& rows = state.queue.Edit();
    const auto row = rows.begin() + static_cast<std::ptrdiff_t>(*index);
    const QueuedWorkBatch& batch = row->stored->batch;
    if (judge.counting() && batch.source_key.has_value()) AddTo(state.memory.Edit().freed_keys, KeyOf(batch));
    rows.erase(row);
  }
}

Verdict JudgeCall(Judge& judge, const EnqueueQueuedWorkRequest& request, const Answer<QueuedWorkBatch>& answer) {
  const QueuedWorkBatchDraft& draft = request.batch;
  if (answer.error != nullptr) return JudgeEnqueueError(judge, draft, answer);
  const std::size_t twin = FindKey(*judge.state.queue, draft.session_id, draft.source_key);
  if (twin != kNoRow) return JudgeKeyReplay(judge, twin, answer);
  QueuedWorkBatch batch = BatchOf(draft, judge.now);
  if (answer.response != nullptr) {
    if (Verdict refused = CheckInsert(judge, draft, *answer.response)) return refused;
    CountInsert(judge, draft);
    batch = *answer.response;
  }
  judge.state.queue.Edit().push_back({std::make_shared<const StoredBatch>(std::move(batch), !answer.unseen), nullptr, 0});
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const CancelQueuedWorkBatchRequest& request,
                  const Answer<std::optional<QueuedWorkBatch>>& answer) {
  const Row* row = judge.state.FindRow(request.batch_id);
  const bool own = row != nullptr && row->session() == request.session_id;
  const bool pending = own && !judge.LiveClaim(*row);
  if (answer.error != nullptr) return pending ? Refuse<"RP-CAN-1">() : Refuse<"RP-CAN-2">();
  if (answer.response != nullptr) {
    const QueuedWorkBatch* returned = answer.response->has_value() ? &**answer.response : nullptr;
    const bool right = pending ? returned != nullptr && *returned == row->stored->batch : returned == nullptr;
    if (!right) return BlameCancelled(judge, row, own, returned);
    judge.Held<"RP-CAN-1">(pending);
    judge.Refused<"RP-CAN-2">(!pending);
    judge.Held<"RP-CAN-3">(pending && row->stored->batch.available_at_ms > judge.now);
    if (judge.counting() && pending && row->claim != nullptr) AddTo(judge.state.memory.Edit().lost, request.batch_id);
  }
  if (!pending) return kAllowed;
  RemoveRows(judge, judge.state, {static_cast<std::size_t>(row - judge.state.queue->data())});
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const ListQueuedWorkRequest& request, const Answer<std::vector<QueuedWorkBatch>>& answer) {
  return JudgeList(judge, request.session_id, false, answer);
}

Verdict JudgeCall(Judge& judge, const ListPendingQueuedWorkRequest& request, const Answer<std::vector<QueuedWorkBatch>>& answer) {
  return JudgeList(judge, request.session_id, true, answer);
}

}  // namespace leasecheck::runtime_persistence::spec_internal
