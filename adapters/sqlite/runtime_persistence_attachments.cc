// The write-ahead list of attachments.
#include "adapters/sqlite/runtime_persistence_attachments.h"

#include "adapters/sqlite/runtime_persistence.h"

namespace leasecheck::sqlite {
namespace {

using runtime_persistence::AttachmentIntent;
using runtime_persistence::AttachmentManifestEntry;
using runtime_persistence::Done;
using runtime_persistence::Result;

}  // namespace

void StampAttachments(Transaction& transaction, absl::string_view session_id, const std::vector<std::string>& ids, EpochMs now) {
  for (const std::string& id : ids) {
    transaction.Execute(
        "UPDATE attachments SET committed_at_ms = ?3 WHERE session_id = ?1 AND attachment_id = ?2 AND committed_at_ms IS NULL",
        session_id, id, now);
  }
}

Result<Done> RuntimePersistence::RecordIntent(const runtime_persistence::RecordIntentRequest& request) {
  const AttachmentIntent& intent = request.intent;
  return database_->Write([&](Transaction& transaction, EpochMs) -> Result<Done> {
    transaction.Execute(
        "INSERT INTO attachments VALUES (?1, ?2, ?3, ?4, NULL) ON CONFLICT (session_id, attachment_id) "
        "DO UPDATE SET canonical_uri = excluded.canonical_uri, intent_at_ms = excluded.intent_at_ms",
        intent.session_id, intent.attachment_id, intent.canonical_uri, intent.intent_at_epoch_ms);
    return Done{};
  });
}

Result<Done> RuntimePersistence::CommitRefs(const runtime_persistence::CommitRefsRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs now) -> Result<Done> {
    StampAttachments(transaction, request.session_id, request.attachment_ids, now);
    return Done{};
  });
}

Result<std::vector<AttachmentManifestEntry>> RuntimePersistence::ListUncommitted(
    const runtime_persistence::ListUncommittedRequest& request) {
  return database_->ReadTimeless([&](Transaction& transaction) -> Result<std::vector<AttachmentManifestEntry>> {
    std::vector<AttachmentManifestEntry> entries;
    Rows rows = transaction.Query(
        "SELECT attachment_id, session_id, canonical_uri, intent_at_ms FROM attachments "
        "WHERE committed_at_ms IS NULL AND intent_at_ms <= ?1 ORDER BY intent_at_ms, session_id, attachment_id",
        request.older_than_epoch_ms);
    while (rows.Next()) entries.push_back({rows.Text(0), rows.Text(1), rows.Text(2), rows.U64(3), std::nullopt});
    return entries;
  });
}

Result<Done> RuntimePersistence::Forget(const runtime_persistence::ForgetRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs) -> Result<Done> {
    transaction.Execute("DELETE FROM attachments WHERE attachment_id = ?1", request.attachment_id);
    return Done{};
  });
}

}  // namespace leasecheck::sqlite
