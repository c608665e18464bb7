// SHA-256, as the names of blobs and what the store keeps of a token are made of it.
#ifndef LEASECHECK_MEMSTORE_SHA256_H_
#define LEASECHECK_MEMSTORE_SHA256_H_

#include <openssl/sha.h>

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"

namespace leasecheck::memstore {

// The digest in lowercase hexadecimal, 64 characters.
inline std::string Sha256Hex(absl::string_view bytes) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest);
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(digest), sizeof(digest)));
}

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_SHA256_H_
