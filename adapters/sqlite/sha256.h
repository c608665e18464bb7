// SHA-256, as the names of blobs are made of it.
#ifndef LEASECHECK_ADAPTERS_SQLITE_SHA256_H_
#define LEASECHECK_ADAPTERS_SQLITE_SHA256_H_

#include <string>

#include "absl/strings/string_view.h"

namespace leasecheck::sqlite {

// The digest in lowercase hexadecimal, 64 characters.
std::string Sha256Hex(absl::string_view bytes);

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_SHA256_H_
