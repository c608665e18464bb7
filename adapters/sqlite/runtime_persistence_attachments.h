// The attachments' rows, as far as a commit needs them.
#ifndef LEASECHECK_ADAPTERS_SQLITE_RUNTIME_PERSISTENCE_ATTACHMENTS_H_
#define LEASECHECK_ADAPTERS_SQLITE_RUNTIME_PERSISTENCE_ATTACHMENTS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "adapters/sqlite/transaction.h"
#include "model/time.h"

namespace leasecheck::sqlite {

// Stamps the session's rows of these ids that have no stamp; ids without a row are passed over. [RP-CMT-28, AM-CMT-1,2]
void StampAttachments(Transaction& transaction, absl::string_view session_id, const std::vector<std::string>& ids, EpochMs now);

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_RUNTIME_PERSISTENCE_ATTACHMENTS_H_
