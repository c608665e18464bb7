// How the operations of SessionStore answer a contract error. Included only by the files that define them.
#ifndef LEASECHECK_ADAPTERS_SQLITE_SESSION_STORE_ERRORS_H_
#define LEASECHECK_ADAPTERS_SQLITE_SESSION_STORE_ERRORS_H_

#include <string>
#include <utility>

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

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_SESSION_STORE_ERRORS_H_
