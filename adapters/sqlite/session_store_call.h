// The frame of every call of SessionStore. Included only by the files that define its operations.
#ifndef LEASECHECK_ADAPTERS_SQLITE_SESSION_STORE_CALL_H_
#define LEASECHECK_ADAPTERS_SQLITE_SESSION_STORE_CALL_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "adapters/sqlite/session_store.h"
#include "tl/expected.hpp"

namespace leasecheck::sqlite {

// Every contract error leaves through here: Result's error type is the variant.
inline tl::unexpected<session_store::StoreError> Fails(session_store::StoreError error) {
  return tl::unexpected<session_store::StoreError>(std::move(error));
}

inline tl::unexpected<session_store::StoreError> BackendError(absl::string_view text) {
  return Fails(session_store::Backend{std::string(text)});
}

template <class Body>
auto SessionStore::Call(Transaction::Mode mode, Body body) -> decltype(body(std::declval<Transaction&>(), EpochMs{})) {
  Pause("before_transaction");
  auto result = [&]() -> decltype(body(std::declval<Transaction&>(), EpochMs{})) {
    if (absl::Status health = Health(); !health.ok()) return Troubled(health);
    Pool::Lease connection = pool_->Take();
    for (int attempt = 1;; ++attempt) {
      Transaction transaction(*connection, mode);
      auto answer = body(transaction, Now(transaction));
      // After an error of the database the answer was computed from nothing.
      if (!answer.has_value() && transaction.status().ok()) return answer;
      absl::Status status = transaction.Commit();
      if (status.ok()) return answer;
      if (transaction.in_doubt()) OverwriteDoubt(*connection, status);
      if (!absl::IsUnavailable(status) || attempt == kBusyAttempts) return Troubled(status);
    }
  }();
  Pause("after_transaction");
  return result;
}

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_SESSION_STORE_CALL_H_
