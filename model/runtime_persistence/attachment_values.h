// The values of the AttachmentManifest: a write-ahead list of attachments whose bytes are about to be written, so that bytes that
// no commit ever named can be found and collected (runtime-persistence.md, 2).
#ifndef LEASECHECK_MODEL_RUNTIME_PERSISTENCE_ATTACHMENT_VALUES_H_
#define LEASECHECK_MODEL_RUNTIME_PERSISTENCE_ATTACHMENT_VALUES_H_

#include <optional>
#include <string>
#include <tuple>

#include "model/field.h"
#include "model/time.h"

namespace leasecheck {
namespace runtime_persistence {

// Says that a session is about to write the bytes of an attachment. All by the caller, the time too.
struct AttachmentIntent {
  std::string attachment_id;
  std::string session_id;
  std::string canonical_uri;
  EpochMs intent_at_epoch_ms = 0;
  friend bool operator==(const AttachmentIntent&, const AttachmentIntent&) = default;
};

// A stored row.
struct AttachmentManifestEntry {
  std::string attachment_id;
  std::string session_id;
  std::string canonical_uri;
  EpochMs intent_at_epoch_ms = 0;
  std::optional<EpochMs> committed_at_epoch_ms;  // by the store; none: no commit named it yet
  friend bool operator==(const AttachmentManifestEntry&, const AttachmentManifestEntry&) = default;
};

}  // namespace runtime_persistence

template <>
inline constexpr auto kFields<runtime_persistence::AttachmentIntent> =
    std::make_tuple(Field{"attachment_id", &runtime_persistence::AttachmentIntent::attachment_id},
                    Field{"session_id", &runtime_persistence::AttachmentIntent::session_id},
                    Field{"canonical_uri", &runtime_persistence::AttachmentIntent::canonical_uri},
                    Field{"intent_at_epoch_ms", &runtime_persistence::AttachmentIntent::intent_at_epoch_ms});
template <>
inline constexpr auto kFields<runtime_persistence::AttachmentManifestEntry> =
    std::make_tuple(Field{"attachment_id", &runtime_persistence::AttachmentManifestEntry::attachment_id},
                    Field{"session_id", &runtime_persistence::AttachmentManifestEntry::session_id},
                    Field{"canonical_uri", &runtime_persistence::AttachmentManifestEntry::canonical_uri},
                    Field{"intent_at_epoch_ms", &runtime_persistence::AttachmentManifestEntry::intent_at_epoch_ms},
                    Field{"committed_at_epoch_ms", &runtime_persistence::AttachmentManifestEntry::committed_at_epoch_ms});

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_RUNTIME_PERSISTENCE_ATTACHMENT_VALUES_H_
