// The attachment manifest.
#include <algorithm>
#include <vector>

#include "model/runtime_persistence/spec_internal.h"

namespace leasecheck::runtime_persistence::spec_internal {
namespace {

bool KeepsNothing(const Judge& judge) { return judge.Declares("AM-NOP-1", "noop"); }

Attachment& EditRow(SpecState& state, const Attachment* row) {
  const std::ptrdiff_t index = row - state.attachments->data();
  return state.attachments.Edit()[index];
}

void CountIntent(const Judge& judge, const AttachmentIntent& intent, const Attachment* row) {
  if (!judge.counting()) return;
  Memory& memory = judge.state.memory.Edit();
  const std::string key = Joined(intent.session_id, intent.attachment_id);
  judge.Held<"AM-INT-1">(row == nullptr);
  judge.Held<"AM-INT-2">(row != nullptr && row->intent == intent);
  judge.Held<"AM-INT-3">(row != nullptr && intent.intent_at_epoch_ms > row->intent.intent_at_epoch_ms);
  judge.Held<"AM-CMT-3">(row == nullptr && Contains(memory.early_refs, key));
  judge.Held<"AM-FGT-3">(row == nullptr && Contains(memory.forgotten, intent.attachment_id));
  if (row != nullptr && row->committed) AddTo(memory.restamped, intent.attachment_id);
}

void AddRow(SpecState& state, const AttachmentIntent& intent) {
  auto& rows = state.attachments.Edit();
  const auto at = std::lower_bound(rows.begin(), rows.end(), intent.attachment_id,
                                   [](const Attachment& row, const auto& id) { return row.intent.attachment_id < id; });
  rows.insert(at, {intent, false, false});
}

// Stamps the row, if it is the session's and is not contested. Whether there is such a row.
bool Stamp(SpecState& state, absl::string_view session_id, const std::string& id) {
  const Attachment* row = state.FindAttachment(id);
  if (row == nullptr || row->contested || row->intent.session_id != session_id) return false;
  if (!row->committed) EditRow(state, row).committed = true;
  return true;
}

// The list.

bool IsListed(const Attachment& row, EpochMs cutoff) {
  return !row.contested && !row.committed && row.intent.intent_at_epoch_ms <= cutoff;
}

bool Shows(const AttachmentManifestEntry& entry, const AttachmentIntent& intent) {
  return entry.attachment_id == intent.attachment_id && entry.session_id == intent.session_id &&
         entry.canonical_uri == intent.canonical_uri && entry.intent_at_epoch_ms == intent.intent_at_epoch_ms;
}

Verdict BlameEntry(const SpecState& state, const AttachmentManifestEntry& entry, EpochMs cutoff) {
  const Attachment* row = state.FindAttachment(entry.attachment_id);
  if (row == nullptr) {
    return Contains(state.memory->forgotten, entry.attachment_id) ? Refuse<"AM-FGT-1">() : Refuse<"AM-UNC-1">();
  }
  if (row->contested) return kAllowed;
  if (row->committed) return Refuse<"AM-UNC-2">();
  if (entry.committed_at_epoch_ms.has_value() || row->intent.intent_at_epoch_ms > cutoff) return Refuse<"AM-UNC-1">();
  return Shows(entry, row->intent) ? kAllowed : Refuse<"AM-INT-3">();
}

Verdict CheckList(const SpecState& state, EpochMs cutoff, const std::vector<AttachmentManifestEntry>& list) {
  std::size_t exact = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (Verdict refused = BlameEntry(state, list[i], cutoff)) return refused;
    if (state.FindAttachment(list[i].attachment_id)->contested) continue;
    ++exact;
    for (std::size_t j = 0; j < i; ++j) {
      if (list[j].attachment_id == list[i].attachment_id) return Refuse<"AM-INT-2">();
    }
  }
  const std::size_t due = std::count_if(state.attachments->begin(), state.attachments->end(),
                                        [&](const Attachment& row) { return IsListed(row, cutoff); });
  return exact == due ? kAllowed : Refuse<"AM-UNC-1">();
}

void CountList(const Judge& judge, EpochMs cutoff) {
  if (!judge.counting()) return;
  for (const Attachment& row : *judge.state.attachments) {
    if (row.contested) continue;
    judge.Held<"AM-UNC-1">(IsListed(row, cutoff));
    judge.Refused<"AM-UNC-1">(!row.committed && !IsListed(row, cutoff));
    judge.Held<"AM-UNC-2">(row.committed && row.intent.intent_at_epoch_ms <= cutoff);
  }
}

}  // namespace

void StampAttachments(const Judge& judge, SpecState& state, absl::string_view session_id, const std::vector<std::string>& ids) {
  if (KeepsNothing(judge)) return;
  for (const std::string& id : ids) {
    const bool stamped = Stamp(state, session_id, id);
    judge.Held<"RP-CMT-28">(stamped);
    if (!stamped && judge.counting()) AddTo(state.memory.Edit().early_refs, Joined(session_id, id));
  }
}

Verdict JudgeCall(Judge& judge, const RecordIntentRequest& request, const Answer<Done>& answer) {
  if (answer.error != nullptr) return KeepsNothing(judge) ? Refuse<"AM-NOP-1">() : Refuse<"AM-INT-1">();
  if (KeepsNothing(judge)) {
    judge.Held<"AM-NOP-1">();
    return kAllowed;
  }
  SpecState& state = judge.state;
  const AttachmentIntent& intent = request.intent;
  const Attachment* row = state.FindAttachment(intent.attachment_id);
  if (answer.response != nullptr) CountIntent(judge, intent, row);
  if (row == nullptr) {
    AddRow(state, intent);
  } else if (row->intent.session_id != intent.session_id) {
    EditRow(state, row).contested = true;
  } else if (!(row->intent == intent)) {
    // An earlier or equal time may refresh the row, or not.
    if (intent.intent_at_epoch_ms <= row->intent.intent_at_epoch_ms && judge.alternatives != nullptr) {
      judge.alternatives->push_back(state);
    }
    EditRow(state, row).intent = intent;
  }
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const CommitRefsRequest& request, const Answer<Done>& answer) {
  if (answer.error != nullptr) return KeepsNothing(judge) ? Refuse<"AM-NOP-1">() : Refuse<"AM-CMT-1">();
  judge.Held<"AM-NOP-1">(KeepsNothing(judge));
  if (KeepsNothing(judge)) return kAllowed;
  for (const std::string& id : request.attachment_ids) {
    const bool stamped = Stamp(judge.state, request.session_id, id);
    judge.Held<"AM-CMT-1">(stamped && answer.response != nullptr);
    if (!stamped && judge.counting()) AddTo(judge.state.memory.Edit().early_refs, Joined(request.session_id, id));
  }
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const ListUncommittedRequest& request,
                  const Answer<std::vector<AttachmentManifestEntry>>& answer) {
  if (answer.unseen) return kAllowed;
  if (KeepsNothing(judge)) {
    if (answer.error != nullptr || !answer.response->empty()) return Refuse<"AM-NOP-1">();
    judge.Held<"AM-NOP-1">();
    return kAllowed;
  }
  if (answer.error != nullptr) return Refuse<"AM-UNC-1">();
  if (Verdict refused = CheckList(judge.state, request.older_than_epoch_ms, *answer.response)) return refused;
  CountList(judge, request.older_than_epoch_ms);
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const ForgetRequest& request, const Answer<Done>& answer) {
  if (answer.error != nullptr) return Refuse<"AM-FGT-2">();
  judge.Held<"AM-NOP-1">(KeepsNothing(judge) && answer.response != nullptr);
  const Attachment* row = judge.state.FindAttachment(request.attachment_id);
  judge.Held<"AM-FGT-1">(row != nullptr && answer.response != nullptr);
  judge.Held<"AM-FGT-2">(row == nullptr && answer.response != nullptr);
  if (row == nullptr) return kAllowed;
  const std::ptrdiff_t index = row - judge.state.attachments->data();
  auto& rows = judge.state.attachments.Edit();
  rows.erase(rows.begin() + index);
  if (judge.counting()) AddTo(judge.state.memory.Edit().forgotten, request.attachment_id);
  return kAllowed;
}

}  // namespace leasecheck::runtime_persistence::spec_internal
