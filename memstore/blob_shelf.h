// Blobs under the names of their content, and the checkpoints that are made of them.
#ifndef LEASECHECK_MEMSTORE_BLOB_SHELF_H_
#define LEASECHECK_MEMSTORE_BLOB_SHELF_H_

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "model/field.h"
#include "model/runtime_persistence/values.h"

namespace leasecheck::memstore {

// What a blob holds: a snapshot in JSON, a snapshot in bytes, or the manifest of a checkpoint.
using Blob = std::variant<OpaqueJson, std::vector<uint8_t>, runtime_persistence::SessionCheckpoint>;

// The name of a blob: 64 lower-case hexadecimal digits, the SHA-256 of an encoding that is different for different blobs.
runtime_persistence::BlobRef RefOf(const Blob& blob);

// Keeps blobs by name, so that equal content is kept once. Blobs are immutable and shared with snapshots of the store. Not
// thread-safe.
class BlobShelf {
 public:
  using BlobRef = runtime_persistence::BlobRef;
  using Blobs = absl::btree_map<BlobRef, std::shared_ptr<const Blob>>;

  // Keeps the checkpoint: its inline snapshots as blobs of their own, and its manifest, whose name is the answer. *manifest names
  // every snapshot: inline ones by their blobs, others as the caller did. [RP-CMT-21,22]
  BlobRef Put(const runtime_persistence::HydratedSessionCheckpoint& checkpoint, runtime_persistence::SessionCheckpoint* manifest);

  // The checkpoint with the snapshots that are there; none where its manifest is not. [RP-LDS-13, RP-CMT-22]
  std::optional<runtime_persistence::HydratedSessionCheckpoint> Hydrate(const BlobRef& checkpoint_ref) const;

  // The manifest's name with the names in it. [RP-GC-1]
  absl::btree_set<BlobRef> Reach(const BlobRef& checkpoint_ref) const;
  // Removes every blob that is not named here, and says how many.
  uint64_t KeepOnly(const absl::btree_set<BlobRef>& names);

  const Blobs& blobs() const { return blobs_; }
  void Restore(Blobs blobs) { blobs_ = std::move(blobs); }

 private:
  BlobRef Put(Blob blob);
  // The content, where the blob is there and of this kind; else null.
  template <class Content>
  const Content* Find(const BlobRef& ref) const;
  template <class Content>
  std::optional<Content> Read(const std::optional<BlobRef>& ref) const;

  Blobs blobs_;
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_BLOB_SHELF_H_
