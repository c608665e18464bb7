// The values of turn inputs: part of the session_store contract (turn-input.md, 2).
//
// A turn input is user text or images meant for the model. Strings are opaque, compared byte by byte, and empty strings are
// legal. All times are milliseconds since the Unix epoch, all integers unsigned 64-bit unless noted.
#ifndef LEASECHECK_MODEL_SESSION_STORE_TURN_INPUT_VALUES_H_
#define LEASECHECK_MODEL_SESSION_STORE_TURN_INPUT_VALUES_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "model/field.h"
#include "model/session_store/owner.h"
#include "model/time.h"

namespace leasecheck {
namespace session_store {

// Where in a running turn the session asks for input, and from where on an input may be handed out. An input whose min_boundary
// is kAfterWork is admitted at both checkpoints, one whose min_boundary is kBeforeCompletion only at kBeforeCompletion. There is
// no other order between the two.
enum class CheckpointKind { kAfterWork, kBeforeCompletion };

// The way in that an input asks for: the running turn with this id, whether or not it runs ...
struct ActiveTurnIngress {
  std::string turn_id;
  CheckpointKind min_boundary = CheckpointKind::kAfterWork;
  friend bool operator==(const ActiveTurnIngress&, const ActiveTurnIngress&) = default;
};
// ... or the next turn, when the session is idle. No checkpoint ever admits it.
struct NextTurnIngress {
  friend bool operator==(const NextTurnIngress&, const NextTurnIngress&) = default;
};
using TurnInputIngress = std::variant<ActiveTurnIngress, NextTurnIngress>;

// Terminal: kCancelled and kCompleted. A row in one of them stays as a *tombstone* until vacuum.
enum class TurnInputState {
  kPendingActive,     // waits for a checkpoint of its turn
  kDeferredNextTurn,  // waits for the next turn; also while it is claimed for it
  kAccepted,          // claimed at a checkpoint; a lapse of the claim does not change it
  kCancelled,
  kCompleted,
};

// One piece of an input.
struct TextItem {
  std::string text;
  friend bool operator==(const TextItem&, const TextItem&) = default;
};
struct ImageRefItem {
  std::string id;
  friend bool operator==(const ImageRefItem&, const ImageRefItem&) = default;
};
using TurnInputItem = std::variant<TextItem, ImageRefItem>;

struct ProtocolTurnOptions {
  uint32_t schema_version = 0;
  OpaqueJson payload;
  friend bool operator==(const ProtocolTurnOptions&, const ProtocolTurnOptions&) = default;
};

// What the user says. Opaque to the store, which never looks into it: an input without items is legal. Two payloads are equal
// when all four parts are: items in order and item by item ("a","b" is not "ab"), blobs as a map, options as JSON (absent is not
// present). What upstream keeps in memory only and never serialises is no part of it (TI-LAT-20).
struct TurnInput {
  std::vector<TurnInputItem> items;
  OpaqueJson image_blobs{"{}"};  // an object: image id -> bytes, as an array of numbers from 0 to 255
  std::optional<ProtocolTurnOptions> protocol_turn_options;
  std::optional<std::string> trace_turn_id;
  friend bool operator==(const TurnInput&, const TurnInput&) = default;
};

// What a caller enqueues.
struct PendingTurnInputDraft {
  std::string session_id;                 // any; the session need not exist
  std::optional<std::string> input_id;    // none: the store makes one
  std::optional<std::string> source_key;  // idempotency key, scoped to the session; "" is a real key
  TurnInputIngress ingress = NextTurnIngress{};
  TurnInput input;
  friend bool operator==(const PendingTurnInputDraft&, const PendingTurnInputDraft&) = default;
};

// A stored input. Only `state`, and once `ingress`, ever change.
struct PendingTurnInput {
  std::string input_id;  // the caller's or the store's; opaque, unique over the store, tombstones included
  std::string session_id;
  std::optional<std::string> source_key;
  uint64_t enqueue_seq = 0;                      // by the store: rises from 1 on within the session, with gaps; never used again
  TurnInputIngress ingress = NextTurnIngress{};  // becomes NextTurn when its turn is interrupted before it was claimed
  TurnInputState state = TurnInputState::kDeferredNextTurn;
  EpochMs enqueued_at_ms = 0;  // by the store: its clock at the insert
  TurnInput input;
  friend bool operator==(const PendingTurnInput&, const PendingTurnInput&) = default;
};

// Names an input of a session, by either of its names.
struct InputIdTarget {
  std::string value;
  friend bool operator==(const InputIdTarget&, const InputIdTarget&) = default;
};
struct SourceKeyTarget {
  std::string value;
  friend bool operator==(const SourceKeyTarget&, const SourceKeyTarget&) = default;
};
using PendingTurnInputCancelTarget = std::variant<InputIdTarget, SourceKeyTarget>;

// The claim that keeps an input from being cancelled.
struct PendingTurnInputClaimDiagnostics {
  TurnInputState state = TurnInputState::kDeferredNextTurn;  // the row's
  std::optional<std::string> claim_id;
  std::optional<LeaseOwnerIdentity> claim_owner;
  std::optional<EpochMs> claim_expires_at_ms;  // set where the row is under a claim, live or lapsed
  uint64_t claim_fencing_token = 0;            // the row's own fence counter
  friend bool operator==(const PendingTurnInputClaimDiagnostics&, const PendingTurnInputClaimDiagnostics&) = default;
};

// What became of one target. Each record is the input as it is after the call.
struct TurnInputCancelled {
  PendingTurnInput input;
  friend bool operator==(const TurnInputCancelled&, const TurnInputCancelled&) = default;
};
struct TurnInputAlreadyClaimed {
  PendingTurnInput input;
  std::optional<PendingTurnInputClaimDiagnostics> claim;
  friend bool operator==(const TurnInputAlreadyClaimed&, const TurnInputAlreadyClaimed&) = default;
};
struct TurnInputAlreadyCompleted {
  PendingTurnInput input;
  friend bool operator==(const TurnInputAlreadyCompleted&, const TurnInputAlreadyCompleted&) = default;
};
struct TurnInputAlreadyCancelled {
  PendingTurnInput input;
  friend bool operator==(const TurnInputAlreadyCancelled&, const TurnInputAlreadyCancelled&) = default;
};
struct TurnInputNotFound {
  friend bool operator==(const TurnInputNotFound&, const TurnInputNotFound&) = default;
};
using PendingTurnInputCancelOutcome = std::variant<TurnInputCancelled, TurnInputAlreadyClaimed, TurnInputAlreadyCompleted,
                                                   TurnInputAlreadyCancelled, TurnInputNotFound>;

struct PendingTurnInputCancelResult {
  PendingTurnInputCancelTarget target;  // the request's
  PendingTurnInputCancelOutcome outcome;
  friend bool operator==(const PendingTurnInputCancelResult&, const PendingTurnInputCancelResult&) = default;
};

// The answer of a suffix cancel: the anchor names no input of the session, or one outcome for each input from the anchor on.
struct SuffixAnchorNotFound {
  PendingTurnInputCancelTarget anchor;  // the request's
  friend bool operator==(const SuffixAnchorNotFound&, const SuffixAnchorNotFound&) = default;
};
struct SuffixOutcomes {
  PendingTurnInputCancelTarget anchor;                  // the request's
  std::vector<PendingTurnInputCancelOutcome> outcomes;  // by ascending enqueue_seq, the anchor's first; never empty
  friend bool operator==(const SuffixOutcomes&, const SuffixOutcomes&) = default;
};
using PendingTurnInputSuffixCancelOutcome = std::variant<SuffixAnchorNotFound, SuffixOutcomes>;

// Which claim it was.
struct ActiveTurnClaimMode {
  std::string turn_id;
  CheckpointKind checkpoint = CheckpointKind::kAfterWork;
  friend bool operator==(const ActiveTurnClaimMode&, const ActiveTurnClaimMode&) = default;
};
struct NextTurnClaimMode {
  friend bool operator==(const NextTurnClaimMode&, const NextTurnClaimMode&) = default;
};
using TurnInputClaimMode = std::variant<ActiveTurnClaimMode, NextTurnClaimMode>;

// A granted claim: the right to hand `inputs` to the model until `expires_at_epoch_ms`. Its rows can leave it one by one.
struct TurnInputClaim {
  std::string session_id;
  std::string claim_id;        // opaque, of this grant only
  LeaseOwnerIdentity owner;    // the call's
  std::string lease_token;     // opaque proof of this grant
  uint64_t fencing_token = 0;  // rises with every grant of the same first row
  EpochMs claimed_at_epoch_ms = 0;
  EpochMs expires_at_epoch_ms = 0;
  TurnInputClaimMode mode = NextTurnClaimMode{};
  std::vector<PendingTurnInput> inputs;  // as they are under the claim, by ascending enqueue_seq; never empty in a grant
  friend bool operator==(const TurnInputClaim&, const TurnInputClaim&) = default;
};

// Says in a commit that the inputs of a claim, or some of them, have become part of the session.
struct TurnInputCompletion {
  std::string session_id;
  std::string claim_id;
  std::string lease_token;
  std::vector<std::string> input_ids;
  friend bool operator==(const TurnInputCompletion&, const TurnInputCompletion&) = default;
};

// The completion of a whole claim: all its inputs, in order.
TurnInputCompletion CompletionOf(const TurnInputClaim& claim);

}  // namespace session_store

template <>
inline constexpr auto kWords<session_store::CheckpointKind> =
    std::array{Word<session_store::CheckpointKind>{session_store::CheckpointKind::kAfterWork, "after_work"},
               Word<session_store::CheckpointKind>{session_store::CheckpointKind::kBeforeCompletion, "before_completion"}};
template <>
inline constexpr auto kWords<session_store::TurnInputState> =
    std::array{Word<session_store::TurnInputState>{session_store::TurnInputState::kPendingActive, "pending_active"},
               Word<session_store::TurnInputState>{session_store::TurnInputState::kDeferredNextTurn, "deferred_next_turn"},
               Word<session_store::TurnInputState>{session_store::TurnInputState::kAccepted, "accepted"},
               Word<session_store::TurnInputState>{session_store::TurnInputState::kCancelled, "cancelled"},
               Word<session_store::TurnInputState>{session_store::TurnInputState::kCompleted, "completed"}};

template <>
inline constexpr auto kFields<session_store::ActiveTurnIngress> =
    std::make_tuple(Field{"turn_id", &session_store::ActiveTurnIngress::turn_id},
                    Field{"min_boundary", &session_store::ActiveTurnIngress::min_boundary});
template <>
inline constexpr auto kFields<session_store::NextTurnIngress> = std::tuple<>{};
template <>
inline constexpr auto kAlternatives<session_store::TurnInputIngress> =
    AlternativeList<2>{Tagging::kInternal, "scope", "", {{"active_turn"}, {"next_turn"}}};

template <>
inline constexpr auto kFields<session_store::TextItem> = std::make_tuple(Field{"text", &session_store::TextItem::text});
template <>
inline constexpr auto kFields<session_store::ImageRefItem> = std::make_tuple(Field{"id", &session_store::ImageRefItem::id});
template <>
inline constexpr auto kAlternatives<session_store::TurnInputItem> =
    AlternativeList<2>{Tagging::kInternal, "type", "", {{"text"}, {"image_ref"}}};
template <>
inline constexpr auto kFields<session_store::ProtocolTurnOptions> =
    std::make_tuple(Field{"schema_version", &session_store::ProtocolTurnOptions::schema_version},
                    Field{"payload", &session_store::ProtocolTurnOptions::payload});
template <>
inline constexpr auto kFields<session_store::TurnInput> = std::make_tuple(
    Field{"items", &session_store::TurnInput::items}, Field{"image_blobs", &session_store::TurnInput::image_blobs},
    Field{"protocol_turn_options", &session_store::TurnInput::protocol_turn_options},
    Field{"trace_turn_id", &session_store::TurnInput::trace_turn_id});

template <>
inline constexpr auto kFields<session_store::PendingTurnInputDraft> =
    std::make_tuple(Field{"session_id", &session_store::PendingTurnInputDraft::session_id},
                    Field{"input_id", &session_store::PendingTurnInputDraft::input_id},
                    Field{"source_key", &session_store::PendingTurnInputDraft::source_key},
                    Field{"ingress", &session_store::PendingTurnInputDraft::ingress},
                    Field{"input", &session_store::PendingTurnInputDraft::input});
template <>
inline constexpr auto kFields<session_store::PendingTurnInput> = std::make_tuple(
    Field{"input_id", &session_store::PendingTurnInput::input_id},
    Field{"session_id", &session_store::PendingTurnInput::session_id},
    Field{"source_key", &session_store::PendingTurnInput::source_key},
    Field{"enqueue_seq", &session_store::PendingTurnInput::enqueue_seq},
    Field{"ingress", &session_store::PendingTurnInput::ingress}, Field{"state", &session_store::PendingTurnInput::state},
    Field{"enqueued_at_ms", &session_store::PendingTurnInput::enqueued_at_ms},
    Field{"input", &session_store::PendingTurnInput::input});

template <>
inline constexpr auto kFields<session_store::InputIdTarget> = std::make_tuple(Field{"value",
                                                                                    &session_store::InputIdTarget::value});
template <>
inline constexpr auto kFields<session_store::SourceKeyTarget> = std::make_tuple(Field{"value",
                                                                                      &session_store::SourceKeyTarget::value});
template <>
inline constexpr auto kAlternatives<session_store::PendingTurnInputCancelTarget> = AlternativeList<2>{
    Tagging::kAdjacent, "kind", "value", {{"input_id", AlternativeShape::kNewtype}, {"source_key", AlternativeShape::kNewtype}}};

template <>
inline constexpr auto kFields<session_store::PendingTurnInputClaimDiagnostics> =
    std::make_tuple(Field{"state", &session_store::PendingTurnInputClaimDiagnostics::state},
                    Field{"claim_id", &session_store::PendingTurnInputClaimDiagnostics::claim_id},
                    Field{"claim_owner", &session_store::PendingTurnInputClaimDiagnostics::claim_owner},
                    Field{"claim_expires_at_ms", &session_store::PendingTurnInputClaimDiagnostics::claim_expires_at_ms},
                    Field{"claim_fencing_token", &session_store::PendingTurnInputClaimDiagnostics::claim_fencing_token});
template <>
inline constexpr auto kFields<session_store::TurnInputCancelled> = std::make_tuple(Field{
    "input", &session_store::TurnInputCancelled::input});
template <>
inline constexpr auto kFields<session_store::TurnInputAlreadyClaimed> =
    std::make_tuple(Field{"input", &session_store::TurnInputAlreadyClaimed::input},
                    Field{"claim", &session_store::TurnInputAlreadyClaimed::claim});
template <>
inline constexpr auto kFields<session_store::TurnInputAlreadyCompleted> = std::make_tuple(Field{
    "input", &session_store::TurnInputAlreadyCompleted::input});
template <>
inline constexpr auto kFields<session_store::TurnInputAlreadyCancelled> = std::make_tuple(Field{
    "input", &session_store::TurnInputAlreadyCancelled::input});
template <>
inline constexpr auto kFields<session_store::TurnInputNotFound> = std::tuple<>{};
template <>
inline constexpr auto kAlternatives<session_store::PendingTurnInputCancelOutcome> =
    AlternativeList<5>{Tagging::kAdjacent,
                       "outcome",
                       "data",
                       {{"cancelled", AlternativeShape::kNewtype},
                        {"already_claimed"},
                        {"already_completed", AlternativeShape::kNewtype},
                        {"already_cancelled", AlternativeShape::kNewtype},
                        {"not_found"}}};
template <>
inline constexpr auto kFields<session_store::PendingTurnInputCancelResult> =
    std::make_tuple(Field{"target", &session_store::PendingTurnInputCancelResult::target},
                    Field{"outcome", &session_store::PendingTurnInputCancelResult::outcome});
template <>
inline constexpr auto kFields<session_store::SuffixAnchorNotFound> = std::make_tuple(Field{
    "anchor", &session_store::SuffixAnchorNotFound::anchor});
template <>
inline constexpr auto kFields<session_store::SuffixOutcomes> = std::make_tuple(
    Field{"anchor", &session_store::SuffixOutcomes::anchor}, Field{"outcomes", &session_store::SuffixOutcomes::outcomes});
template <>
inline constexpr auto kAlternatives<session_store::PendingTurnInputSuffixCancelOutcome> =
    AlternativeList<2>{Tagging::kAdjacent, "outcome", "data", {{"anchor_not_found"}, {"outcomes"}}};

template <>
inline constexpr auto kFields<session_store::ActiveTurnClaimMode> =
    std::make_tuple(Field{"turn_id", &session_store::ActiveTurnClaimMode::turn_id},
                    Field{"checkpoint", &session_store::ActiveTurnClaimMode::checkpoint});
template <>
inline constexpr auto kFields<session_store::NextTurnClaimMode> = std::tuple<>{};
template <>
inline constexpr auto kAlternatives<session_store::TurnInputClaimMode> =
    AlternativeList<2>{Tagging::kInternal, "kind", "", {{"active_turn"}, {"next_turn"}}};
template <>
inline constexpr auto kFields<session_store::TurnInputClaim> = std::make_tuple(
    Field{"session_id", &session_store::TurnInputClaim::session_id}, Field{"claim_id", &session_store::TurnInputClaim::claim_id},
    Field{"owner", &session_store::TurnInputClaim::owner}, Field{"lease_token", &session_store::TurnInputClaim::lease_token},
    Field{"fencing_token", &session_store::TurnInputClaim::fencing_token},
    Field{"claimed_at_epoch_ms", &session_store::TurnInputClaim::claimed_at_epoch_ms},
    Field{"expires_at_epoch_ms", &session_store::TurnInputClaim::expires_at_epoch_ms},
    Field{"mode", &session_store::TurnInputClaim::mode}, Field{"inputs", &session_store::TurnInputClaim::inputs});
template <>
inline constexpr auto kFields<session_store::TurnInputCompletion> =
    std::make_tuple(Field{"session_id", &session_store::TurnInputCompletion::session_id},
                    Field{"claim_id", &session_store::TurnInputCompletion::claim_id},
                    Field{"lease_token", &session_store::TurnInputCompletion::lease_token},
                    Field{"input_ids", &session_store::TurnInputCompletion::input_ids});

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_SESSION_STORE_TURN_INPUT_VALUES_H_
