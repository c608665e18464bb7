// Checkpoints: the refs that a store gives to snapshots, what a read hydrates, and the collection of blobs.
#include <algorithm>
#include <memory>
#include <string>

#include "model/runtime_persistence/spec_internal.h"

namespace leasecheck::runtime_persistence::spec_internal {
namespace {

// One of a checkpoint's three snapshots.
struct Snapshot {
  SnapshotKind kind;
  std::optional<std::string> content;  // inline
  const std::optional<BlobRef>& ref;
};

std::optional<std::string> ContentOf(const std::optional<OpaqueJson>& json) {
  return json.has_value() ? std::optional<std::string>(json->text) : std::nullopt;
}
std::optional<std::string> ContentOf(const std::optional<std::vector<uint8_t>>& bytes) {
  return bytes.has_value() ? std::optional<std::string>(std::string(bytes->begin(), bytes->end())) : std::nullopt;
}

std::array<Snapshot, 3> SnapshotsOf(const HydratedSessionCheckpoint& checkpoint) {
  return {Snapshot{SnapshotKind::kTool, ContentOf(checkpoint.tool_state), checkpoint.tool_state_ref},
          Snapshot{SnapshotKind::kPlugin, ContentOf(checkpoint.plugin_snapshot), checkpoint.plugin_snapshot_ref},
          Snapshot{SnapshotKind::kExecution, ContentOf(checkpoint.execution_state), checkpoint.execution_state_ref}};
}

const std::optional<BlobRef>& RefOf(const SessionCheckpoint& manifest, SnapshotKind kind) {
  if (kind == SnapshotKind::kTool) return manifest.tool_state_ref;
  return kind == SnapshotKind::kPlugin ? manifest.plugin_snapshot_ref : manifest.execution_state_ref;
}

const Blob* FindBlob(const SpecState& state, absl::string_view ref) {
  const auto found = std::find_if(state.blobs->begin(), state.blobs->end(), [&](const Blob& blob) { return blob.ref == ref; });
  return found == state.blobs->end() ? nullptr : &*found;
}

// Whether a store may answer this ref for the snapshot that was given (RP-LAT-9).
bool MayRefer(const SpecState& state, const Snapshot& given, const std::optional<BlobRef>& ref) {
  if (!given.content.has_value() || ref == given.ref) return ref == given.ref;
  if (!ref.has_value() || ref->empty()) return false;
  const Blob* known = FindBlob(state, *ref);  // equal names mean equal content
  return known == nullptr || !known->certain || known->kind != given.kind || known->content == *given.content;
}

void KeepBlob(SpecState& state, const Snapshot& given, const std::optional<BlobRef>& ref) {
  if (!given.content.has_value() || !ref.has_value()) return;
  const Blob blob{*ref, given.kind, *given.content, ref != given.ref};
  std::vector<Blob>& blobs = state.blobs.Edit();
  const auto known = std::find_if(blobs.begin(), blobs.end(), [&](const Blob& other) { return other.ref == *ref; });
  if (known == blobs.end()) {
    blobs.push_back(blob);
  } else if (!known->certain || blob.certain) {
    *known = blob;
  }
}

// Whether a read may show this content where the head names the snapshot by `ref` only.
bool MayHydrate(const SpecState& state, SnapshotKind kind, const std::optional<BlobRef>& ref,
                const std::optional<std::string>& content) {
  const Blob* blob = ref.has_value() ? FindBlob(state, *ref) : nullptr;
  if (blob == nullptr) return !content.has_value();
  if (content.has_value()) return *content == blob->content;
  return !blob->certain || blob->kind != kind;
}

bool Names(const SessionCheckpoint& manifest, const BlobRef& ref) {
  return manifest.tool_state_ref == ref || manifest.plugin_snapshot_ref == ref || manifest.execution_state_ref == ref;
}

}  // namespace

Verdict CheckResult(const SpecState& state, const HydratedSessionCheckpoint& given, const RuntimeCommitResult& result) {
  const SessionCheckpoint& manifest = result.manifest;
  if (manifest.turn_state != given.turn_state || manifest.plugin_snapshot_revision != given.plugin_snapshot_revision) {
    return Refuse<"RP-CMT-21">();
  }
  for (const Snapshot& snapshot : SnapshotsOf(given)) {
    if (!MayRefer(state, snapshot, RefOf(manifest, snapshot.kind))) return Refuse<"RP-CMT-22">();
  }
  return result.checkpoint_ref.empty() ? Refuse<"RP-CMT-22">() : kAllowed;
}

void BindSaved(SpecState& state, const std::shared_ptr<const SavedCheckpoint>& saved, const BlobRef& ref,
               const SessionCheckpoint& manifest) {
  auto bound = std::make_shared<SavedCheckpoint>(*saved);
  bound->seen = true;
  bound->ref = ref;
  bound->manifest = manifest;
  const bool is_head = SameValue(state.saved, saved);
  for (std::size_t i = 0; i < state.turns->size(); ++i) {
    if (SameValue((*state.turns)[i].saved, saved)) state.turns.Edit()[i].saved = bound;
  }
  if (!is_head) return;
  state.saved = bound;
  for (const Snapshot& snapshot : SnapshotsOf(bound->given)) KeepBlob(state, snapshot, RefOf(manifest, snapshot.kind));
}

void ReleaseBlobs(SpecState& state) {
  const auto goes = [&](const Blob& blob) {
    return blob.certain && !(state.saved->seen && Names(state.saved->manifest, blob.ref));
  };
  if (std::none_of(state.blobs->begin(), state.blobs->end(), goes)) return;
  for (Blob& blob : state.blobs.Edit()) {
    if (goes(blob)) blob.certain = false;
  }
}

Verdict CheckReadCheckpoint(const SpecState& state, const PersistedSessionRead& read, SessionCheckpoint* manifest) {
  const SavedCheckpoint& saved = *state.saved;
  if (!read.checkpoint_ref.has_value() || read.checkpoint_ref->empty()) return Refuse<"RP-LDS-2">();
  if (saved.seen && *read.checkpoint_ref != saved.ref) return Refuse<"RP-LDS-2">();
  if (!read.checkpoint.has_value()) return state.memory->collected ? Refuse<"RP-GC-1">() : Refuse<"RP-LDS-2">();
  const HydratedSessionCheckpoint& shown = *read.checkpoint;
  if (shown.turn_state != saved.given.turn_state || shown.plugin_snapshot_revision != saved.given.plugin_snapshot_revision) {
    return Refuse<"RP-LDS-13">();
  }
  const auto given = SnapshotsOf(saved.given);
  const auto found = SnapshotsOf(shown);
  for (std::size_t i = 0; i < given.size(); ++i) {
    const bool right =
        saved.seen ? found[i].ref == RefOf(saved.manifest, given[i].kind) : MayRefer(state, given[i], found[i].ref);
    if (!right) return Refuse<"RP-CMT-22">();
    if (given[i].content.has_value()) {
      if (found[i].content == given[i].content) continue;
      return state.memory->collected && !found[i].content.has_value() ? Refuse<"RP-GC-1">() : Refuse<"RP-LDS-13">();
    }
    if (!MayHydrate(state, given[i].kind, found[i].ref, found[i].content)) {
      return state.memory->collected && !found[i].content.has_value() ? Refuse<"RP-GC-1">() : Refuse<"RP-CMT-22">();
    }
  }
  *manifest = {shown.turn_state, shown.tool_state_ref, shown.plugin_snapshot_ref, shown.plugin_snapshot_revision,
               shown.execution_state_ref};
  return kAllowed;
}

void CountReadCheckpoint(const Judge& judge, const PersistedSessionRead& read) {
  if (!judge.counting()) return;
  const auto given = SnapshotsOf(judge.state.saved->given);
  const bool inlined = std::any_of(given.begin(), given.end(), [](const Snapshot& s) { return s.content.has_value(); });
  const auto shown = SnapshotsOf(*read.checkpoint);
  const bool named = std::any_of(shown.begin(), shown.end(), [](const Snapshot& s) { return s.ref.has_value(); });
  judge.Held<"RP-LDS-13">(inlined);
  judge.Held<"RP-CMT-22">(named);
  judge.Held<"RP-GC-1">(judge.state.memory->collected && (inlined || named));
}

Verdict JudgeCall(Judge& judge, const GcUnreachableRequest&, const Answer<GcReport>& answer) {
  SpecState& state = judge.state;
  if (answer.error != nullptr) return Refuse<"RP-GC-3">();
  if (answer.response != nullptr) {
    const GcReport& report = *answer.response;
    const bool zeros = report == GcReport();
    if (state.head_revision == 0 && !zeros) return Refuse<"RP-GC-3">();
    if (!zeros && (report.root_count == 0 || report.retained_blob_count == 0)) return Refuse<"RP-GC-2">();
    if (state.swept && report.deleted_blob_count > 0) return Refuse<"RP-GC-3">();
    judge.Held<"RP-GC-2">(!zeros);
    judge.Held<"RP-GC-3">(state.swept || state.head_revision == 0);
    judge.Held<"RP-GC-4">(report.deleted_blob_count > 0);
  }
  state.swept = true;
  if (judge.counting()) state.memory.Edit().collected = true;
  if (state.saved != nullptr) ReleaseBlobs(state);
  return kAllowed;
}

}  // namespace leasecheck::runtime_persistence::spec_internal
