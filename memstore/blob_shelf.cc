#include "memstore/blob_shelf.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "memstore/sha256.h"

namespace leasecheck::memstore {
namespace {

using runtime_persistence::BlobRef;
using runtime_persistence::HydratedSessionCheckpoint;
using runtime_persistence::SessionCheckpoint;

// A text with its length before it, so that no two lists of texts run together into the same bytes.
std::string Framed(absl::string_view text) { return absl::StrCat(text.size(), ":", text); }
std::string FramedIfAny(const std::optional<std::string>& text) { return text.has_value() ? Framed(*text) : "-"; }

struct Encoder {
  std::string operator()(const OpaqueJson& json) const { return absl::StrCat("json ", json.text); }
  std::string operator()(const std::vector<uint8_t>& bytes) const {
    return absl::StrCat("bytes ", absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  }
  std::string operator()(const SessionCheckpoint& manifest) const {
    std::optional<std::string> revision;
    if (manifest.plugin_snapshot_revision.has_value()) revision = absl::StrCat(*manifest.plugin_snapshot_revision);
    return absl::StrCat("manifest ", Framed(manifest.turn_state.text), FramedIfAny(manifest.tool_state_ref),
                        FramedIfAny(manifest.plugin_snapshot_ref), FramedIfAny(revision),
                        FramedIfAny(manifest.execution_state_ref));
  }
};

}  // namespace

BlobRef RefOf(const Blob& blob) { return Sha256Hex(std::visit(Encoder{}, blob)); }

BlobRef BlobShelf::Put(Blob blob) {
  BlobRef ref = RefOf(blob);
  std::shared_ptr<const Blob>& kept = blobs_[ref];
  if (kept == nullptr) kept = std::make_shared<const Blob>(std::move(blob));
  return ref;
}

BlobRef BlobShelf::Put(const HydratedSessionCheckpoint& checkpoint, SessionCheckpoint* manifest) {
  auto name = [this](const auto& snapshot, const std::optional<BlobRef>& ref) {
    return snapshot.has_value() ? std::optional<BlobRef>(Put(Blob(*snapshot))) : ref;
  };
  manifest->turn_state = checkpoint.turn_state;
  manifest->tool_state_ref = name(checkpoint.tool_state, checkpoint.tool_state_ref);
  manifest->plugin_snapshot_ref = name(checkpoint.plugin_snapshot, checkpoint.plugin_snapshot_ref);
  manifest->plugin_snapshot_revision = checkpoint.plugin_snapshot_revision;
  manifest->execution_state_ref = name(checkpoint.execution_state, checkpoint.execution_state_ref);
  return Put(Blob(*manifest));
}

template <class Content>
const Content* BlobShelf::Find(const BlobRef& ref) const {
  auto it = blobs_.find(ref);
  return it == blobs_.end() ? nullptr : std::get_if<Content>(it->second.get());
}

template <class Content>
std::optional<Content> BlobShelf::Read(const std::optional<BlobRef>& ref) const {
  const Content* content = ref.has_value() ? Find<Content>(*ref) : nullptr;
  return content == nullptr ? std::nullopt : std::optional<Content>(*content);
}

std::optional<HydratedSessionCheckpoint> BlobShelf::Hydrate(const BlobRef& checkpoint_ref) const {
  const SessionCheckpoint* manifest = Find<SessionCheckpoint>(checkpoint_ref);
  if (manifest == nullptr) return std::nullopt;
  HydratedSessionCheckpoint checkpoint;
  checkpoint.turn_state = manifest->turn_state;
  checkpoint.tool_state = Read<OpaqueJson>(manifest->tool_state_ref);
  checkpoint.tool_state_ref = manifest->tool_state_ref;
  checkpoint.plugin_snapshot = Read<OpaqueJson>(manifest->plugin_snapshot_ref);
  checkpoint.plugin_snapshot_ref = manifest->plugin_snapshot_ref;
  checkpoint.plugin_snapshot_revision = manifest->plugin_snapshot_revision;
  checkpoint.execution_state = Read<std::vector<uint8_t>>(manifest->execution_state_ref);
  checkpoint.execution_state_ref = manifest->execution_state_ref;
  return checkpoint;
}

absl::btree_set<BlobRef> BlobShelf::Reach(const BlobRef& checkpoint_ref) const {
  absl::btree_set<BlobRef> reached{checkpoint_ref};
  const SessionCheckpoint* manifest = Find<SessionCheckpoint>(checkpoint_ref);
  if (manifest == nullptr) return reached;
  for (const auto* ref : {&manifest->tool_state_ref, &manifest->plugin_snapshot_ref, &manifest->execution_state_ref}) {
    if (ref->has_value()) reached.insert(**ref);
  }
  return reached;
}

uint64_t BlobShelf::KeepOnly(const absl::btree_set<BlobRef>& names) {
  const std::size_t before = blobs_.size();
  for (auto it = blobs_.begin(); it != blobs_.end();) it = names.contains(it->first) ? std::next(it) : blobs_.erase(it);
  return before - blobs_.size();
}

}  // namespace leasecheck::memstore
