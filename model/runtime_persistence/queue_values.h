// The values of the runtime_persistence queue (runtime-persistence.md, 2). It differs from session_store's in two points: a
// payload may also be a turn input, and a claim is taken with a plain owner id.
#ifndef LEASECHECK_MODEL_RUNTIME_PERSISTENCE_QUEUE_VALUES_H_
#define LEASECHECK_MODEL_RUNTIME_PERSISTENCE_QUEUE_VALUES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "model/field.h"
#include "model/session_store/values.h"
#include "model/time.h"

namespace leasecheck {
namespace runtime_persistence {

using session_store::DeliveryPolicy;
using session_store::MergeGroup;
using session_store::MergeKey;
using session_store::MergeNever;
using session_store::MergePayloadDefault;
using session_store::ProcessWake;
using session_store::QueuedWorkClaimBoundary;
using session_store::QueuedWorkCompletion;
using session_store::SessionCommand;
using session_store::SlotPolicy;

struct TurnInput {
  OpaqueJson input;
  friend bool operator==(const TurnInput&, const TurnInput&) = default;
};
// What a batch carries, opaque to the store: here work has no classes.
using QueuedWorkPayload = std::variant<TurnInput, ProcessWake, SessionCommand>;

// What a caller enqueues.
struct QueuedWorkBatchDraft {
  std::string session_id;
  std::optional<std::string> source_key;  // idempotency key, scoped to the session; "" is a real key
  DeliveryPolicy delivery_policy = DeliveryPolicy::kEarliestSafeBoundary;
  SlotPolicy slot_policy = SlotPolicy::kExclusive;
  MergeKey merge_key;
  EpochMs available_at_ms = 0;  // not claimable before; 0: at once
  std::vector<QueuedWorkPayload> payloads;
  friend bool operator==(const QueuedWorkBatchDraft&, const QueuedWorkBatchDraft&) = default;
};

struct QueuedWorkItem {
  std::string item_id;  // by the store: opaque, distinct within the batch
  QueuedWorkPayload payload;
  friend bool operator==(const QueuedWorkItem&, const QueuedWorkItem&) = default;
};

// A stored batch. Never changes while it is stored.
struct QueuedWorkBatch {
  std::string batch_id;  // by the store: opaque, unique
  std::string session_id;
  std::optional<std::string> source_key;
  DeliveryPolicy delivery_policy = DeliveryPolicy::kEarliestSafeBoundary;
  SlotPolicy slot_policy = SlotPolicy::kExclusive;
  MergeKey merge_key;
  EpochMs available_at_ms = 0;
  uint64_t enqueue_seq = 0;    // by the store: the order of all its batches
  EpochMs enqueued_at_ms = 0;  // by the store: its clock at the insert
  std::vector<QueuedWorkItem> items;
  friend bool operator==(const QueuedWorkBatch&, const QueuedWorkBatch&) = default;
};

// A granted claim: the right to work on `batches` until `expires_at_epoch_ms`.
struct QueuedWorkClaim {
  std::string session_id;
  std::string claim_id;        // never used twice
  std::string owner_id;        // as the claimant gave it
  std::string lease_token;     // opaque; with claim_id the proof of this grant
  uint64_t fencing_token = 0;  // rises with every grant of the same head batch; kept by renew
  EpochMs claimed_at_epoch_ms = 0;
  EpochMs expires_at_epoch_ms = 0;
  std::vector<QueuedWorkBatch> batches;  // ascending enqueue_seq, never empty in a grant
  friend bool operator==(const QueuedWorkClaim&, const QueuedWorkClaim&) = default;
};

// The completion of a whole claim: all its batches, in order.
QueuedWorkCompletion CompletionOf(const QueuedWorkClaim& claim);

}  // namespace runtime_persistence

template <>
inline constexpr auto kFields<runtime_persistence::TurnInput> = std::make_tuple(Field{"input",
                                                                                      &runtime_persistence::TurnInput::input});
template <>
inline constexpr auto kAlternatives<runtime_persistence::QueuedWorkPayload> =
    AlternativeList<3>{Tagging::kInternal, "type", "", {{"turn_input"}, {"process_wake"}, {"session_command"}}};
template <>
inline constexpr auto kFields<runtime_persistence::QueuedWorkBatchDraft> =
    std::make_tuple(Field{"session_id", &runtime_persistence::QueuedWorkBatchDraft::session_id},
                    Field{"source_key", &runtime_persistence::QueuedWorkBatchDraft::source_key},
                    Field{"delivery_policy", &runtime_persistence::QueuedWorkBatchDraft::delivery_policy},
                    Field{"slot_policy", &runtime_persistence::QueuedWorkBatchDraft::slot_policy},
                    Field{"merge_key", &runtime_persistence::QueuedWorkBatchDraft::merge_key},
                    Field{"available_at_ms", &runtime_persistence::QueuedWorkBatchDraft::available_at_ms},
                    Field{"payloads", &runtime_persistence::QueuedWorkBatchDraft::payloads});
template <>
inline constexpr auto kFields<runtime_persistence::QueuedWorkItem> =
    std::make_tuple(Field{"item_id", &runtime_persistence::QueuedWorkItem::item_id},
                    Field{"payload", &runtime_persistence::QueuedWorkItem::payload});
template <>
inline constexpr auto kFields<runtime_persistence::QueuedWorkBatch> =
    std::make_tuple(Field{"batch_id", &runtime_persistence::QueuedWorkBatch::batch_id},
                    Field{"session_id", &runtime_persistence::QueuedWorkBatch::session_id},
                    Field{"source_key", &runtime_persistence::QueuedWorkBatch::source_key},
                    Field{"delivery_policy", &runtime_persistence::QueuedWorkBatch::delivery_policy},
                    Field{"slot_policy", &runtime_persistence::QueuedWorkBatch::slot_policy},
                    Field{"merge_key", &runtime_persistence::QueuedWorkBatch::merge_key},
                    Field{"available_at_ms", &runtime_persistence::QueuedWorkBatch::available_at_ms},
                    Field{"enqueue_seq", &runtime_persistence::QueuedWorkBatch::enqueue_seq},
                    Field{"enqueued_at_ms", &runtime_persistence::QueuedWorkBatch::enqueued_at_ms},
                    Field{"items", &runtime_persistence::QueuedWorkBatch::items});
template <>
inline constexpr auto kFields<runtime_persistence::QueuedWorkClaim> =
    std::make_tuple(Field{"session_id", &runtime_persistence::QueuedWorkClaim::session_id},
                    Field{"claim_id", &runtime_persistence::QueuedWorkClaim::claim_id},
                    Field{"owner_id", &runtime_persistence::QueuedWorkClaim::owner_id},
                    Field{"lease_token", &runtime_persistence::QueuedWorkClaim::lease_token},
                    Field{"fencing_token", &runtime_persistence::QueuedWorkClaim::fencing_token},
                    Field{"claimed_at_epoch_ms", &runtime_persistence::QueuedWorkClaim::claimed_at_epoch_ms},
                    Field{"expires_at_epoch_ms", &runtime_persistence::QueuedWorkClaim::expires_at_epoch_ms},
                    Field{"batches", &runtime_persistence::QueuedWorkClaim::batches});

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_RUNTIME_PERSISTENCE_QUEUE_VALUES_H_
