// The values of the runtime_persistence contract that commits carry and reads return: graph, checkpoint, ledger, meta, errors
// (runtime-persistence.md, 2). Those of the queue are in queue_values.h, of attachments in attachment_values.h.
//
// Plain structs; strings are UTF-8, opaque, compared byte by byte, and empty strings are legal. What the contract calls opaque is
// an OpaqueJson: carried, returned equal, never looked into. Types that are the same in session_store are the same types here.
#ifndef LEASECHECK_MODEL_RUNTIME_PERSISTENCE_VALUES_H_
#define LEASECHECK_MODEL_RUNTIME_PERSISTENCE_VALUES_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "model/field.h"
#include "model/runtime_persistence/queue_values.h"
#include "model/session_store/values.h"

namespace leasecheck {
namespace runtime_persistence {

using session_store::ActivePath;
using session_store::Done;
using session_store::FullGraph;
using session_store::RuntimeTurnCommitStamp;
using session_store::SessionReadScope;

// The name of a blob: any string that is not empty, chosen by the store. Equal names mean equal content.
using BlobRef = std::string;

// The graph of a session.

// A node. `payload` is an object with a `kind`, whose members lie beside the other fields: {"kind":"event","event":..} or
// {"kind":"plugin","plugin_type":..,"body":..}.
struct SessionNodeRecord {
  std::string node_id;                        // unique among the nodes that are stored
  std::optional<std::string> parent_node_id;  // none: a root. May name a node that does not exist.
  std::optional<OpaqueJson> caused_by;
  std::optional<std::string> agent_frame_id;
  std::string timestamp;  // RFC 3339 by habit, not parsed
  OpaqueJson payload{R"({"event":null,"kind":"event"})"};
  friend bool operator==(const SessionNodeRecord&, const SessionNodeRecord&) = default;
};

// Nodes in storage order (FullGraph, ReplaceFull) or root first (ActivePath). The leaf need not exist.
struct SessionGraph {
  std::vector<SessionNodeRecord> nodes;
  std::optional<std::string> leaf_node_id;
  friend bool operator==(const SessionGraph&, const SessionGraph&) = default;
};

// What a commit does to the graph. In all three the leaf becomes the head leaf, also where it is none.
struct Unchanged {
  std::optional<std::string> leaf_node_id;
  friend bool operator==(const Unchanged&, const Unchanged&) = default;
};
struct Append {
  std::vector<SessionNodeRecord> nodes;  // put after the stored ones, in this order
  std::optional<std::string> leaf_node_id;
  friend bool operator==(const Append&, const Append&) = default;
};
struct ReplaceFull {
  SessionGraph graph;  // the whole graph from here on
  friend bool operator==(const ReplaceFull&, const ReplaceFull&) = default;
};
using GraphCommitDelta = std::variant<Unchanged, Append, ReplaceFull>;

// The rest of a session's state.

struct PersistedSessionConfig {
  std::string provider_id;
  OpaqueJson model;
  friend bool operator==(const PersistedSessionConfig&, const PersistedSessionConfig&) = default;
};

struct AgentFrameRecord {
  std::string frame_id;
  std::optional<BlobRef> execution_state_ref;
  OpaqueJson body{"{}"};  // every other member, beside the two
  friend bool operator==(const AgentFrameRecord&, const AgentFrameRecord&) = default;
};

// What PersistedTurnState is in JSON before the first turn.
inline constexpr const char* kFirstTurnState =
    R"({"protocol_turn_options":{},"token_usage":{"cached_input_tokens":0,"input_tokens":0,"output_tokens":0,)"
    R"("reasoning_tokens":0},"turn_index":0})";

// A checkpoint with the snapshots themselves. A snapshot that is here is stored as a blob under a name of the store's; one that
// is absent may be named by its ref instead.
struct HydratedSessionCheckpoint {
  OpaqueJson turn_state{kFirstTurnState};
  std::optional<OpaqueJson> tool_state;
  std::optional<BlobRef> tool_state_ref;
  std::optional<OpaqueJson> plugin_snapshot;
  std::optional<BlobRef> plugin_snapshot_ref;
  std::optional<uint64_t> plugin_snapshot_revision;
  std::optional<std::vector<uint8_t>> execution_state;  // bytes, an array of numbers on the wire
  std::optional<BlobRef> execution_state_ref;
  friend bool operator==(const HydratedSessionCheckpoint&, const HydratedSessionCheckpoint&) = default;
};

// A checkpoint with the names of its snapshots only: the manifest.
struct SessionCheckpoint {
  OpaqueJson turn_state{kFirstTurnState};
  std::optional<BlobRef> tool_state_ref;
  std::optional<BlobRef> plugin_snapshot_ref;
  std::optional<uint64_t> plugin_snapshot_revision;
  std::optional<BlobRef> execution_state_ref;
  friend bool operator==(const SessionCheckpoint&, const SessionCheckpoint&) = default;
};

struct TokenUsage {
  int64_t input_tokens = 0;
  int64_t output_tokens = 0;
  int64_t cached_input_tokens = 0;  // not part of the total
  int64_t reasoning_tokens = 0;
  friend bool operator==(const TokenUsage&, const TokenUsage&) = default;
};

// What one source spent on one model: a delta in a commit, a sum in a read.
struct TokenLedgerEntry {
  std::string source;
  std::string model;
  TokenUsage usage;
  friend bool operator==(const TokenLedgerEntry&, const TokenLedgerEntry&) = default;
};

// One atomic step: new session state in, finished work out.
struct RuntimeCommit {
  std::string session_id;
  std::optional<uint64_t> expected_head_revision;  // none: unconditional; 0: there is no head yet
  PersistedSessionConfig config;
  std::vector<AgentFrameRecord> agent_frames;
  std::string current_agent_frame_id;  // need not be one of agent_frames
  GraphCommitDelta graph;
  HydratedSessionCheckpoint checkpoint;
  std::vector<TokenLedgerEntry> usage_deltas;
  std::optional<RuntimeTurnCommitStamp> turn_commit;
  std::vector<QueuedWorkCompletion> completed_queue_claims;
  std::vector<std::string> committed_attachment_ids;
  friend bool operator==(const RuntimeCommit&, const RuntimeCommit&) = default;
};

struct RuntimeCommitResult {
  uint64_t head_revision = 0;
  BlobRef checkpoint_ref;
  SessionCheckpoint manifest;
  friend bool operator==(const RuntimeCommitResult&, const RuntimeCommitResult&) = default;
};

// What the last accepted commit left.
struct PersistedSessionRead {
  std::string session_id;
  uint64_t head_revision = 0;  // accepted commits, replays not counted
  PersistedSessionConfig config;
  std::vector<AgentFrameRecord> agent_frames;
  std::string current_agent_frame_id;
  SessionGraph graph;  // what the scope asked for, without tombstoned nodes
  std::optional<BlobRef> checkpoint_ref;
  std::optional<HydratedSessionCheckpoint> checkpoint;  // none: its blob is missing
  std::vector<TokenLedgerEntry> token_ledger;           // one entry a (source, model)
  friend bool operator==(const PersistedSessionRead&, const PersistedSessionRead&) = default;
};

// What a session says of itself, apart from its state. All by the caller, none checked.

struct RelationRoot {
  friend bool operator==(const RelationRoot&, const RelationRoot&) = default;
};
struct RelationChild {
  std::string parent_session_id;
  std::optional<OpaqueJson> caused_by;
  friend bool operator==(const RelationChild&, const RelationChild&) = default;
};
using SessionRelation = std::variant<RelationRoot, RelationChild>;

struct SessionMeta {
  std::string session_id;
  std::string session_name;
  std::string created_at;
  std::string model;
  std::optional<std::string> cwd;
  SessionRelation relation;
  friend bool operator==(const SessionMeta&, const SessionMeta&) = default;
};

// Reports of upkeep.

struct VacuumReport {
  uint64_t removed_node_count = 0;
  friend bool operator==(const VacuumReport&, const VacuumReport&) = default;
};

struct GcReport {
  uint64_t root_count = 0;           // blobs that are kept for their own sake: the head's checkpoint
  uint64_t retained_blob_count = 0;  // blobs reached from them, themselves included
  uint64_t deleted_blob_count = 0;
  friend bool operator==(const GcReport&, const GcReport&) = default;
};

// Whether what a store acknowledged outlives its process.
enum class DurabilityTier { kInline, kDurable };

// The contract's errors.

using session_store::Backend;
using session_store::HeadRevisionConflict;
using session_store::QueuedWorkClaimExpired;
using session_store::RuntimeTurnCommitConflict;
using session_store::SessionBindingMismatch;
// The store cannot read in this scope. Declared by the trait; a store may answer it for every ActivePath (RP-LAT-25).
struct UnsupportedReadScope {
  SessionReadScope scope;
  friend bool operator==(const UnsupportedReadScope&, const UnsupportedReadScope&) = default;
};
// A stored record is of a version that the store cannot read.
struct UnsupportedRecordSchemaVersion {
  std::string record_kind;
  uint64_t actual = 0;
  uint64_t expected = 0;
  friend bool operator==(const UnsupportedRecordSchemaVersion&, const UnsupportedRecordSchemaVersion&) = default;
};
using StoreError = std::variant<SessionBindingMismatch, UnsupportedReadScope, HeadRevisionConflict, RuntimeTurnCommitConflict,
                                QueuedWorkClaimExpired, UnsupportedRecordSchemaVersion, Backend>;

}  // namespace runtime_persistence

// The lists that codec, traces and reports are made from.

template <>
inline constexpr auto kFields<runtime_persistence::SessionNodeRecord> =
    std::make_tuple(Field{"node_id", &runtime_persistence::SessionNodeRecord::node_id},
                    Field{"parent_node_id", &runtime_persistence::SessionNodeRecord::parent_node_id},
                    Field{"caused_by", &runtime_persistence::SessionNodeRecord::caused_by},
                    Field{"agent_frame_id", &runtime_persistence::SessionNodeRecord::agent_frame_id},
                    Field{"timestamp", &runtime_persistence::SessionNodeRecord::timestamp},
                    Field{"payload", &runtime_persistence::SessionNodeRecord::payload, FieldRole::kFlattened});
template <>
inline constexpr auto kFields<runtime_persistence::SessionGraph> =
    std::make_tuple(Field{"nodes", &runtime_persistence::SessionGraph::nodes},
                    Field{"leaf_node_id", &runtime_persistence::SessionGraph::leaf_node_id});
template <>
inline constexpr auto kFields<runtime_persistence::Unchanged> = std::make_tuple(Field{
    "leaf_node_id", &runtime_persistence::Unchanged::leaf_node_id});
template <>
inline constexpr auto kFields<runtime_persistence::Append> = std::make_tuple(Field{"nodes", &runtime_persistence::Append::nodes},
                                                                             Field{"leaf_node_id",
                                                                                   &runtime_persistence::Append::leaf_node_id});
template <>
inline constexpr auto kFields<runtime_persistence::ReplaceFull> = std::make_tuple(Field{
    "graph", &runtime_persistence::ReplaceFull::graph});
template <>
inline constexpr auto kAlternatives<runtime_persistence::GraphCommitDelta> =
    AlternativeList<3>{Tagging::kExternal, "", "", {{"Unchanged"}, {"Append"}, {"ReplaceFull", AlternativeShape::kNewtype}}};
template <>
inline constexpr auto kFields<runtime_persistence::PersistedSessionConfig> =
    std::make_tuple(Field{"provider_id", &runtime_persistence::PersistedSessionConfig::provider_id},
                    Field{"model", &runtime_persistence::PersistedSessionConfig::model});
template <>
inline constexpr auto kFields<runtime_persistence::AgentFrameRecord> =
    std::make_tuple(Field{"frame_id", &runtime_persistence::AgentFrameRecord::frame_id},
                    Field{"execution_state_ref", &runtime_persistence::AgentFrameRecord::execution_state_ref},
                    Field{"body", &runtime_persistence::AgentFrameRecord::body, FieldRole::kFlattened});
template <>
inline constexpr auto kFields<runtime_persistence::HydratedSessionCheckpoint> =
    std::make_tuple(Field{"turn_state", &runtime_persistence::HydratedSessionCheckpoint::turn_state},
                    Field{"tool_state", &runtime_persistence::HydratedSessionCheckpoint::tool_state},
                    Field{"tool_state_ref", &runtime_persistence::HydratedSessionCheckpoint::tool_state_ref},
                    Field{"plugin_snapshot", &runtime_persistence::HydratedSessionCheckpoint::plugin_snapshot},
                    Field{"plugin_snapshot_ref", &runtime_persistence::HydratedSessionCheckpoint::plugin_snapshot_ref},
                    Field{"plugin_snapshot_revision", &runtime_persistence::HydratedSessionCheckpoint::plugin_snapshot_revision},
                    Field{"execution_state", &runtime_persistence::HydratedSessionCheckpoint::execution_state},
                    Field{"execution_state_ref", &runtime_persistence::HydratedSessionCheckpoint::execution_state_ref});
template <>
inline constexpr auto kFields<runtime_persistence::SessionCheckpoint> =
    std::make_tuple(Field{"turn_state", &runtime_persistence::SessionCheckpoint::turn_state},
                    Field{"tool_state_ref", &runtime_persistence::SessionCheckpoint::tool_state_ref},
                    Field{"plugin_snapshot_ref", &runtime_persistence::SessionCheckpoint::plugin_snapshot_ref},
                    Field{"plugin_snapshot_revision", &runtime_persistence::SessionCheckpoint::plugin_snapshot_revision},
                    Field{"execution_state_ref", &runtime_persistence::SessionCheckpoint::execution_state_ref});
template <>
inline constexpr auto kFields<runtime_persistence::TokenUsage> =
    std::make_tuple(Field{"input_tokens", &runtime_persistence::TokenUsage::input_tokens},
                    Field{"output_tokens", &runtime_persistence::TokenUsage::output_tokens},
                    Field{"cached_input_tokens", &runtime_persistence::TokenUsage::cached_input_tokens},
                    Field{"reasoning_tokens", &runtime_persistence::TokenUsage::reasoning_tokens});
template <>
inline constexpr auto kFields<runtime_persistence::TokenLedgerEntry> = std::make_tuple(
    Field{"source", &runtime_persistence::TokenLedgerEntry::source},
    Field{"model", &runtime_persistence::TokenLedgerEntry::model}, Field{"usage", &runtime_persistence::TokenLedgerEntry::usage});
template <>
inline constexpr auto kFields<runtime_persistence::RuntimeCommit> =
    std::make_tuple(Field{"session_id", &runtime_persistence::RuntimeCommit::session_id},
                    Field{"expected_head_revision", &runtime_persistence::RuntimeCommit::expected_head_revision},
                    Field{"config", &runtime_persistence::RuntimeCommit::config},
                    Field{"agent_frames", &runtime_persistence::RuntimeCommit::agent_frames},
                    Field{"current_agent_frame_id", &runtime_persistence::RuntimeCommit::current_agent_frame_id},
                    Field{"graph", &runtime_persistence::RuntimeCommit::graph},
                    Field{"checkpoint", &runtime_persistence::RuntimeCommit::checkpoint},
                    Field{"usage_deltas", &runtime_persistence::RuntimeCommit::usage_deltas},
                    Field{"turn_commit", &runtime_persistence::RuntimeCommit::turn_commit},
                    Field{"completed_queue_claims", &runtime_persistence::RuntimeCommit::completed_queue_claims},
                    Field{"committed_attachment_ids", &runtime_persistence::RuntimeCommit::committed_attachment_ids});
template <>
inline constexpr auto kFields<runtime_persistence::RuntimeCommitResult> =
    std::make_tuple(Field{"head_revision", &runtime_persistence::RuntimeCommitResult::head_revision},
                    Field{"checkpoint_ref", &runtime_persistence::RuntimeCommitResult::checkpoint_ref},
                    Field{"manifest", &runtime_persistence::RuntimeCommitResult::manifest});
template <>
inline constexpr auto kFields<runtime_persistence::PersistedSessionRead> =
    std::make_tuple(Field{"session_id", &runtime_persistence::PersistedSessionRead::session_id},
                    Field{"head_revision", &runtime_persistence::PersistedSessionRead::head_revision},
                    Field{"config", &runtime_persistence::PersistedSessionRead::config},
                    Field{"agent_frames", &runtime_persistence::PersistedSessionRead::agent_frames},
                    Field{"current_agent_frame_id", &runtime_persistence::PersistedSessionRead::current_agent_frame_id},
                    Field{"graph", &runtime_persistence::PersistedSessionRead::graph},
                    Field{"checkpoint_ref", &runtime_persistence::PersistedSessionRead::checkpoint_ref},
                    Field{"checkpoint", &runtime_persistence::PersistedSessionRead::checkpoint},
                    Field{"token_ledger", &runtime_persistence::PersistedSessionRead::token_ledger});
template <>
inline constexpr auto kFields<runtime_persistence::RelationRoot> = std::tuple<>{};
template <>
inline constexpr auto kFields<runtime_persistence::RelationChild> =
    std::make_tuple(Field{"parent_session_id", &runtime_persistence::RelationChild::parent_session_id},
                    Field{"caused_by", &runtime_persistence::RelationChild::caused_by});
template <>
inline constexpr auto kAlternatives<runtime_persistence::SessionRelation> =
    AlternativeList<2>{Tagging::kInternal, "kind", "", {{"root"}, {"child"}}};
template <>
inline constexpr auto kFields<runtime_persistence::SessionMeta> = std::make_tuple(
    Field{"session_id", &runtime_persistence::SessionMeta::session_id},
    Field{"session_name", &runtime_persistence::SessionMeta::session_name},
    Field{"created_at", &runtime_persistence::SessionMeta::created_at}, Field{"model", &runtime_persistence::SessionMeta::model},
    Field{"cwd", &runtime_persistence::SessionMeta::cwd}, Field{"relation", &runtime_persistence::SessionMeta::relation});
template <>
inline constexpr auto kFields<runtime_persistence::VacuumReport> = std::make_tuple(Field{
    "removed_node_count", &runtime_persistence::VacuumReport::removed_node_count});
template <>
inline constexpr auto kFields<runtime_persistence::GcReport> =
    std::make_tuple(Field{"root_count", &runtime_persistence::GcReport::root_count},
                    Field{"retained_blob_count", &runtime_persistence::GcReport::retained_blob_count},
                    Field{"deleted_blob_count", &runtime_persistence::GcReport::deleted_blob_count});
template <>
inline constexpr auto kFields<runtime_persistence::UnsupportedReadScope> = std::make_tuple(Field{
    "scope", &runtime_persistence::UnsupportedReadScope::scope});
template <>
inline constexpr auto kFields<runtime_persistence::UnsupportedRecordSchemaVersion> =
    std::make_tuple(Field{"record_kind", &runtime_persistence::UnsupportedRecordSchemaVersion::record_kind},
                    Field{"actual", &runtime_persistence::UnsupportedRecordSchemaVersion::actual},
                    Field{"expected", &runtime_persistence::UnsupportedRecordSchemaVersion::expected});
template <>
inline constexpr auto kAlternatives<runtime_persistence::StoreError> = AlternativeList<7>{Tagging::kInternal,
                                                                                          "error",
                                                                                          "",
                                                                                          {{"SessionBindingMismatch"},
                                                                                           {"UnsupportedReadScope"},
                                                                                           {"HeadRevisionConflict"},
                                                                                           {"RuntimeTurnCommitConflict"},
                                                                                           {"QueuedWorkClaimExpired"},
                                                                                           {"UnsupportedRecordSchemaVersion"},
                                                                                           {"Backend"}}};
template <>
inline constexpr auto kWords<runtime_persistence::DurabilityTier> =
    std::array{Word<runtime_persistence::DurabilityTier>{runtime_persistence::DurabilityTier::kInline, "Inline"},
               Word<runtime_persistence::DurabilityTier>{runtime_persistence::DurabilityTier::kDurable, "Durable"}};

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_RUNTIME_PERSISTENCE_VALUES_H_
