// SHA-256, as the names of blobs, the placeholders of secrets and what a store keeps of a token are made of it.
#ifndef LEASECHECK_CODEC_SHA256_H_
#define LEASECHECK_CODEC_SHA256_H_

#include <string>

#include "absl/strings/string_view.h"

namespace leasecheck::codec {

// The digest in lowercase hexadecimal, 64 characters.
std::string Sha256Hex(absl::string_view bytes);

}  // namespace leasecheck::codec

#endif  // LEASECHECK_CODEC_SHA256_H_
