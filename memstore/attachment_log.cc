#include "memstore/attachment_log.h"

namespace leasecheck::memstore {

using runtime_persistence::AttachmentIntent;

void AttachmentLog::Record(const AttachmentIntent& intent) {
  const auto [place, is_new] = rows_.try_emplace({intent.attachment_id, intent.session_id});
  Entry& row = place->second;
  const bool committed = row.committed_at_epoch_ms.has_value();
  if (!is_new && !committed) uncommitted_.erase(&row);
  row.attachment_id = intent.attachment_id;
  row.session_id = intent.session_id;
  row.canonical_uri = intent.canonical_uri;
  row.intent_at_epoch_ms = intent.intent_at_epoch_ms;
  if (!committed) uncommitted_.insert(&row);
}

void AttachmentLog::Commit(const std::string& session_id, const std::string& attachment_id, EpochMs now) {
  auto row = rows_.find({attachment_id, session_id});
  if (row == rows_.end() || row->second.committed_at_epoch_ms.has_value()) return;
  uncommitted_.erase(&row->second);
  row->second.committed_at_epoch_ms = now;
}

std::vector<AttachmentLog::Entry> AttachmentLog::Uncommitted(EpochMs older_than) const {
  std::vector<Entry> entries;
  for (const Entry* entry : uncommitted_) {
    if (entry->intent_at_epoch_ms > older_than) break;
    entries.push_back(*entry);
  }
  return entries;
}

void AttachmentLog::Forget(const std::string& attachment_id) {
  auto row = rows_.lower_bound({attachment_id, ""});
  while (row != rows_.end() && row->first.first == attachment_id) {
    uncommitted_.erase(&row->second);
    row = rows_.erase(row);
  }
}

std::vector<AttachmentLog::Entry> AttachmentLog::entries() const {
  std::vector<Entry> entries;
  entries.reserve(rows_.size());
  for (const auto& [key, entry] : rows_) entries.push_back(entry);
  return entries;
}

void AttachmentLog::Restore(const std::vector<Entry>& entries) {
  uncommitted_.clear();
  rows_.clear();
  for (const Entry& entry : entries) {
    const auto row = rows_.emplace_hint(rows_.end(), std::pair(entry.attachment_id, entry.session_id), entry);
    if (!entry.committed_at_epoch_ms.has_value()) uncommitted_.insert(&row->second);
  }
}

}  // namespace leasecheck::memstore
