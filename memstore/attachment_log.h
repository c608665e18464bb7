// The write-ahead list of attachments (runtime-persistence.md, 3, "AttachmentManifest").
#ifndef LEASECHECK_MEMSTORE_ATTACHMENT_LOG_H_
#define LEASECHECK_MEMSTORE_ATTACHMENT_LOG_H_

#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "model/runtime_persistence/attachment_values.h"
#include "model/time.h"

namespace leasecheck::memstore {

// Holds one row a (attachment, session), and an index of those without a stamp by the time of their intent: a list costs what it
// returns, everything else the logarithm of what is held. Not thread-safe.
class AttachmentLog {
 public:
  using Entry = runtime_persistence::AttachmentManifestEntry;

  // Records the intent, or refreshes uri and time of the row that there is; a stamp stays. [AM-INT-1..3; RP-LAT-20]
  void Record(const runtime_persistence::AttachmentIntent& intent);
  // Stamps the row of the session if it is there and has no stamp. [AM-CMT-1..3]
  void Commit(const std::string& session_id, const std::string& attachment_id, EpochMs now);
  // The rows without a stamp whose intent is not later, by time, session and id. [AM-UNC-1,2]
  std::vector<Entry> Uncommitted(EpochMs older_than) const;
  // Removes the rows of the id, of whatever session. [AM-FGT-1..3]
  void Forget(const std::string& attachment_id);

  // All rows by id and session, for a snapshot, and back.
  std::vector<Entry> entries() const;
  void Restore(const std::vector<Entry>& entries);

 private:
  struct ByIntent {
    bool operator()(const Entry* a, const Entry* b) const {
      return std::tie(a->intent_at_epoch_ms, a->session_id, a->attachment_id) <
             std::tie(b->intent_at_epoch_ms, b->session_id, b->attachment_id);
    }
  };

  std::map<std::pair<std::string, std::string>, Entry> rows_;  // by (attachment, session); addresses are stable
  absl::btree_set<const Entry*, ByIntent> uncommitted_;
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_ATTACHMENT_LOG_H_
