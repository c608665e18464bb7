// Enqueue, cancel and the two lists.
#include <algorithm>
#include <memory>

#include "model/session_store/spec_internal.h"

namespace leasecheck::session_store::spec_internal {
namespace {

// enqueue_queued_work

constexpr std::size_t kNoRow = static_cast<std::size_t>(-1);

std::size_t FindKey(const SessionState& session, const std::optional<std::string>& key) {
  if (!key.has_value()) return kNoRow;
  std::size_t index = 0;
  for (const Row& row : session.rows) {
    if (row.stored->batch.source_key == key) return index;
    ++index;
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

bool HasDraft(const QueuedWorkBatch& batch, const QueuedWorkBatchDraft& draft) {
  if (batch.session_id != draft.session_id || batch.source_key != draft.source_key ||
      batch.delivery_policy != draft.delivery_policy || batch.slot_policy != draft.slot_policy ||
      batch.merge_key != draft.merge_key || batch.available_at_ms != draft.available_at_ms ||
      batch.items.size() != draft.payloads.size()) {
    return false;
  }
  for (std::size_t i = 0; i < batch.items.size(); ++i) {
    if (batch.items[i].payload != draft.payloads[i]) return false;
  }
  return true;
}

bool IsClassless(const QueuedWorkBatchDraft& draft) {
  for (const QueuedWorkPayload& payload : draft.payloads) {
    if (payload.index() != draft.payloads.front().index()) return true;
  }
  return draft.payloads.empty();
}

bool AnyLiveClaim(const Judge& judge, const SessionState& session) {
  return std::any_of(session.rows.begin(), session.rows.end(), [&](const Row& row) { return judge.LiveClaim(row); });
}

bool KeylessTwin(const SessionState& session, const QueuedWorkBatchDraft& draft, EpochMs now) {
  return std::any_of(session.rows.begin(), session.rows.end(),
                     [&](const Row& row) {
                       return !row.stored->batch.source_key.has_value() && row.stored->batch.enqueued_at_ms == now;
                     }) &&
         !draft.source_key.has_value();
}

bool KeyElsewhere(const Judge& judge, const QueuedWorkBatchDraft& draft) {
  for (const Cow<SessionState>& other : judge.state.sessions()) {
    if (other->id != draft.session_id && FindKey(*other, draft.source_key) != kNoRow) return true;
  }
  return false;
}

Verdict JudgeEnqueueError(const Judge& judge, const SessionState& session, const QueuedWorkBatchDraft& draft,
                          const StoreError& error) {
  if (std::holds_alternative<SessionExecutionLeaseExpired>(error)) return Refuse<"QW-ENQ-2">();
  if (std::holds_alternative<Backend>(error)) {
    if (IsClassless(draft)) {  // QW-LAT-12
      judge.Refused<"QW-ENQ-9">();
      return kAllowed;
    }
    if (BeyondSigned(draft.available_at_ms)) return kAllowed;  // QW-LAT-13
    const bool loser = draft.source_key.has_value() && judge.OverlapsAny([&](const SessionStoreSpec::Request& other) {
      const auto* enqueue = std::get_if<EnqueueQueuedWorkRequest>(&other);
      return enqueue != nullptr && enqueue->batch.session_id == draft.session_id && enqueue->batch.source_key == draft.source_key;
    });
    if (loser) return kAllowed;  // QW-LAT-16
  }
  if (IsClassless(draft)) return Refuse<"QW-ENQ-9">();
  if (!judge.blames()) return Refuse<"QW-ENQ-1">();
  if (KeylessTwin(session, draft, judge.now)) return Refuse<"QW-ENQ-8">();
  if (AnyLiveClaim(judge, session)) return Refuse<"QW-ENQ-2">();
  return Refuse<"QW-ENQ-1">();
}

Verdict JudgeKeyReplay(Judge& judge, const SessionState& session, std::size_t twin, const QueuedWorkBatchDraft& draft,
                       const Answer<QueuedWorkBatch>& answer) {
  const Row& row = session.rows[twin];
  const bool busy = row.claim != nullptr || row.stored->batch.available_at_ms > judge.now;
  if (answer.response != nullptr) {
    if (!Fits(session, twin, *answer.response)) return busy ? Refuse<"QW-ENQ-5">() : Refuse<"QW-ENQ-4">();
    judge.Held<"QW-ENQ-4">();
    judge.Held<"QW-ENQ-5">(busy);
    if (!row.stored->seen) Bind(judge.state.Edit(draft.session_id), twin, *answer.response);
  }
  return kAllowed;
}

// Where a batch with this number goes. Ahead of a batch with a larger number it may go only if the two enqueues overlap
// (QW-LAT-33). kNoRow: nowhere.
std::size_t InsertPosition(const Judge& judge, const SessionState& session, uint64_t seq) {
  std::size_t position = 0;
  bool behind = false;  // a batch with a larger number
  for (const Row& row : session.rows) {
    const StoredBatch& stored = *row.stored;
    if (stored.seen && stored.batch.enqueue_seq == seq) return kNoRow;
    behind = behind || (stored.seen && stored.batch.enqueue_seq > seq);
    if (behind && !judge.OverlapsCall(stored.enqueue_call)) return kNoRow;
    if (!behind) ++position;
  }
  return position;
}

// The clause that a batch breaks which does not have what its draft says, or not this instant: an old batch of the key, or a
// wrong copy.
Verdict BlameContent(const Judge& judge, const SessionState& session, const QueuedWorkBatchDraft& draft,
                     const QueuedWorkBatch& batch) {
  if (!judge.blames()) return Refuse<"QW-ENQ-1">();
  const std::vector<std::string>& freed = *session.freed_keys;
  if (draft.source_key.has_value() && batch.enqueued_at_ms < judge.now &&
      std::binary_search(freed.begin(), freed.end(), *draft.source_key)) {
    return Refuse<"QW-ENQ-6">();
  }
  if (draft.source_key.has_value() && batch.session_id != draft.session_id && KeyElsewhere(judge, draft)) {
    return Refuse<"QW-ENQ-7">();
  }
  return Refuse<"QW-ENQ-1">();
}

Verdict CheckInsert(const Judge& judge, const SessionState& session, const QueuedWorkBatchDraft& draft,
                    const QueuedWorkBatch& batch) {
  if (session.FindRow(batch.batch_id) != nullptr) {
    return draft.source_key.has_value() ? Refuse<"QW-ENQ-1">() : Refuse<"QW-ENQ-8">();
  }
  for (const Cow<SessionState>& other : judge.state.sessions()) {
    if (other->id == draft.session_id || other->FindRow(batch.batch_id) == nullptr) continue;
    return KeyElsewhere(judge, draft) ? Refuse<"QW-ENQ-7">() : Refuse<"QW-ENQ-1">();
  }
  if (!HasDraft(batch, draft) || batch.enqueued_at_ms != judge.now || !ItemIdsDistinct(batch)) {
    return BlameContent(judge, session, draft, batch);
  }
  return kAllowed;
}

void CountInsert(const Judge& judge, const SessionState& session, const QueuedWorkBatchDraft& draft, bool freed) {
  if (!judge.counting()) return;
  judge.Held<"QW-ENQ-1">();
  judge.Held<"QW-ENQ-2">(AnyLiveClaim(judge, session));
  judge.Held<"QW-ENQ-3">(!session.rows.empty());
  judge.Held<"QW-ENQ-6">(freed);
  judge.Held<"QW-ENQ-7">(KeyElsewhere(judge, draft));
  judge.Held<"QW-ENQ-8">(KeylessTwin(session, draft, judge.now));
  judge.Held<"QW-ENQ-9">(IsClassless(draft));
}

// Whether the key was one that a removed batch had; it is in use again from here on.
bool TakeFreedKey(SessionState& session, const std::optional<std::string>& key) {
  if (!key.has_value() || session.freed_keys->empty()) return false;
  auto found = std::lower_bound(session.freed_keys->begin(), session.freed_keys->end(), *key);
  if (found == session.freed_keys->end() || *found != *key) return false;
  const auto offset = found - session.freed_keys->begin();
  std::vector<std::string>& freed = session.freed_keys.Edit();
  freed.erase(freed.begin() + offset);
  return true;
}

void Insert(SessionState& session, std::size_t position, QueuedWorkBatch batch, bool seen, CallIndex call) {
  InsertRow(session, position, std::make_shared<const StoredBatch>(std::move(batch), seen, call));
}

// cancel_queued_work_batch

Verdict BlameCancelled(const Judge& judge, const SessionState& session, const Row* row, const QueuedWorkBatch* returned) {
  if (row == nullptr) return Refuse<"QW-CAN-3">();
  if (judge.LiveClaim(*row)) return Refuse<"QW-CAN-2">();
  if (returned == nullptr && !judge.LiveLane(session) && row->claim == nullptr) return Refuse<"QW-CAN-5">();
  return Refuse<"QW-CAN-1">();
}

// The lists.

template <class Visit>
void ForEachListed(const Judge& judge, const SessionState& session, bool pending_only, Visit&& visit) {
  std::size_t index = 0;
  for (const Row& row : session.rows) {
    if (!pending_only || !judge.LiveClaim(row)) visit(index, row);
    ++index;
  }
}

const QueuedWorkBatch* FindIn(const std::vector<QueuedWorkBatch>& list, absl::string_view batch_id) {
  for (const QueuedWorkBatch& batch : list) {
    if (batch.batch_id == batch_id) return &batch;
  }
  return nullptr;
}

// A stored batch that the list shows with another content.
bool ShowsChanged(const SessionState& session, const std::vector<QueuedWorkBatch>& list) {
  for (const QueuedWorkBatch& batch : list) {
    const Row* row = session.FindRow(batch.batch_id);
    if (row != nullptr && row->stored->batch != batch) return true;
  }
  return false;
}

Verdict BlameList(const Judge& judge, const SessionState& session, absl::string_view session_id,
                  const std::vector<QueuedWorkBatch>& list) {
  if (!judge.blames()) return Refuse<"QW-LST-1">();
  if (judge.state.Find(session_id) == nullptr) return Refuse<"QW-LST-2">();
  if (ShowsChanged(session, list)) return Refuse<"QW-INV-15">();
  return Refuse<"QW-LST-1">();
}

Verdict BlamePending(const Judge& judge, const SessionState& session, absl::string_view session_id,
                     const std::vector<QueuedWorkBatch>& list) {
  if (!judge.blames()) return Refuse<"QW-PND-1">();
  if (judge.state.Find(session_id) == nullptr) return Refuse<"QW-LST-2">();
  if (ShowsChanged(session, list)) return Refuse<"QW-INV-15">();
  for (const Row& row : session.rows) {
    if (!row.stored->seen) continue;
    const bool shown = FindIn(list, row.stored->batch.batch_id) != nullptr;
    if (judge.LiveClaim(row)) {
      if (!shown) continue;
      if (BeyondSigned(row.claim->expires.at)) return Refuse<"QW-CLM-13">();
      return judge.DeadAtHome(row.claim->owner) ? Refuse<"QW-PND-3">() : Refuse<"QW-PND-1">();
    }
    if (!shown && row.stored->batch.available_at_ms > judge.now) return Refuse<"QW-PND-2">();
  }
  return Refuse<"QW-PND-1">();
}

// Whether the list is exactly the rows it should show, in order. `binds` is set where it shows a row for the first time.
bool MatchesList(const Judge& judge, const SessionState& session, const std::vector<QueuedWorkBatch>& list, bool pending_only,
                 bool* binds) {
  std::size_t next = 0;
  bool matches = true;
  ForEachListed(judge, session, pending_only, [&](std::size_t i, const Row& row) {
    if (!matches) return;
    matches = next < list.size() && (row.stored->seen ? row.stored->batch == list[next] : Fits(session, i, list[next]));
    if (matches && !row.stored->seen) *binds = true;
    ++next;
  });
  if (!matches || next != list.size()) return false;
  for (std::size_t i = 1; *binds && i < list.size(); ++i) {
    if (list[i - 1].enqueue_seq >= list[i].enqueue_seq) return false;
    for (std::size_t j = 0; j < i; ++j) {
      if (list[i].batch_id == list[j].batch_id) return false;
    }
  }
  return true;
}

void BindList(Judge& judge, absl::string_view session_id, const std::vector<QueuedWorkBatch>& list, bool pending_only) {
  SessionState& session = judge.state.Edit(session_id);
  std::vector<std::size_t> shown;
  ForEachListed(judge, session, pending_only, [&](std::size_t i, const Row&) { shown.push_back(i); });
  for (std::size_t i = 0; i < shown.size(); ++i) Bind(session, shown[i], list[i]);
}

void CountPending(const Judge& judge, const SessionState& session) {
  if (!judge.counting()) return;
  for (const Row& row : session.rows) {
    const bool live = judge.LiveClaim(row);
    judge.Held<"QW-PND-1">(row.claim != nullptr);
    judge.Held<"QW-CLM-11">(live);
    judge.Held<"QW-CLM-18">(live && (!judge.LiveLane(session) || session.lane_fencing != row.claim->lane_fencing));
    judge.Held<"QW-PND-2">(!live && row.stored->batch.available_at_ms > judge.now);
    judge.Held<"QW-PND-3">(live && judge.DeadAtHome(row.claim->owner));
    judge.Held<"QW-ENQ-10">(!live && row.claim == nullptr);
  }
}

void CountList(const Judge& judge, const SessionState& session, bool known) {
  if (!judge.counting()) return;
  judge.Held<"QW-LST-1">(!session.rows.empty());
  judge.Held<"QW-LST-2">(!known);
  for (const Row& row : session.rows) {
    judge.Held<"QW-CLM-11">(judge.LiveClaim(row));
    judge.Held<"QW-ENQ-10">(row.claim == nullptr);
  }
}

}  // namespace

Verdict JudgeCall(Judge& judge, const EnqueueQueuedWorkRequest& request, const Answer<QueuedWorkBatch>& answer) {
  const QueuedWorkBatchDraft& draft = request.batch;
  const SessionState& session = judge.Session(draft.session_id);
  if (answer.error != nullptr) return JudgeEnqueueError(judge, session, draft, *answer.error);
  const std::size_t twin = FindKey(session, draft.source_key);
  if (twin != kNoRow) return JudgeKeyReplay(judge, session, twin, draft, answer);
  std::size_t position = session.rows.size();
  if (answer.response != nullptr) {
    if (Verdict refused = CheckInsert(judge, session, draft, *answer.response)) return refused;
    position = InsertPosition(judge, session, answer.response->enqueue_seq);
    if (position == kNoRow) return Refuse<"QW-ENQ-3">();
  }
  SessionState& edited = judge.state.Edit(draft.session_id);
  const bool freed = TakeFreedKey(edited, draft.source_key);
  if (answer.unseen) {
    Insert(edited, position, BatchOf(draft, judge.now), false, judge.context.call);
    return kAllowed;
  }
  CountInsert(judge, edited, draft, freed);
  Insert(edited, position, *answer.response, true, judge.context.call);
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const CancelQueuedWorkBatchRequest& request,
                  const Answer<std::optional<QueuedWorkBatch>>& answer) {
  const SessionState& session = judge.Session(request.session_id);
  const std::size_t index = session.IndexOf(request.batch_id);
  const Row* row = index < session.rows.size() ? &session.rows[index] : nullptr;
  const bool pending = row != nullptr && !judge.LiveClaim(*row);
  if (answer.error != nullptr) return judge.LiveLane(session) ? Refuse<"QW-CAN-1">() : Refuse<"QW-CAN-5">();
  if (answer.response != nullptr) {
    const QueuedWorkBatch* returned = answer.response->has_value() ? &**answer.response : nullptr;
    const bool right = pending ? returned != nullptr && *returned == row->stored->batch : returned == nullptr;
    if (!right) return BlameCancelled(judge, session, row, returned);
    judge.Held<"QW-CAN-1">(pending);
    judge.Held<"QW-CAN-5">(pending && (!judge.LiveLane(session) || row->stored->batch.source_key.has_value()));
    judge.Refused<"QW-CAN-2">(row != nullptr && !pending);
    judge.Refused<"QW-CAN-3">(row == nullptr);
  }
  if (!pending) return kAllowed;
  RemoveRows(judge.state.Edit(request.session_id), {index});
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const ListQueuedWorkRequest& request, const Answer<std::vector<QueuedWorkBatch>>& answer) {
  if (answer.unseen) return kAllowed;
  const SessionState& session = judge.Session(request.session_id);
  const bool known = judge.state.Find(request.session_id) != nullptr;
  if (answer.error != nullptr) return known ? Refuse<"QW-LST-1">() : Refuse<"QW-LST-2">();
  bool binds = false;
  if (!MatchesList(judge, session, *answer.response, false, &binds)) {
    return BlameList(judge, session, request.session_id, *answer.response);
  }
  CountList(judge, session, known);
  if (binds) BindList(judge, request.session_id, *answer.response, false);
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const ListPendingQueuedWorkRequest& request, const Answer<std::vector<QueuedWorkBatch>>& answer) {
  if (answer.unseen) return kAllowed;
  const SessionState& session = judge.Session(request.session_id);
  const bool known = judge.state.Find(request.session_id) != nullptr;
  if (answer.error != nullptr) return known ? Refuse<"QW-PND-1">() : Refuse<"QW-LST-2">();
  bool binds = false;
  if (!MatchesList(judge, session, *answer.response, true, &binds)) {
    return BlamePending(judge, session, request.session_id, *answer.response);
  }
  judge.Held<"QW-LST-2">(!known);
  CountPending(judge, session);
  if (binds) BindList(judge, request.session_id, *answer.response, true);
  return kAllowed;
}

}  // namespace leasecheck::session_store::spec_internal
