// The least that a backend can be: it overrides what its trait requires and inherits every provided method. For checking the
// provided methods, and as the smallest example of a backend.
#ifndef LEASECHECK_MEMSTORE_MINIMAL_H_
#define LEASECHECK_MEMSTORE_MINIMAL_H_

#include <optional>

#include "memstore/runtime_persistence.h"
#include "model/dialect.h"
#include "model/environment.h"
#include "model/runtime_persistence/store.h"

namespace leasecheck::memstore {

// The eight required methods are the reference store's. It has no queue and keeps no attachments. Thread-safe.
//
//   MinimalRuntimePersistence store({.clock = &clock});
//   store.EnqueueQueuedWork({draft});  // Backend, always
class MinimalRuntimePersistence final
    : public runtime_persistence::NoopAttachmentManifest<runtime_persistence::RuntimePersistence> {
 public:
  explicit MinimalRuntimePersistence(const Environment& environment) : state_(environment) {}

  // What such a backend declares.
  static Dialects Declared() { return {{"AM-NOP-1", "noop"}, {"RP-DEF", "default"}}; }

  runtime_persistence::Result<std::optional<runtime_persistence::PersistedSessionRead>> LoadSession(
      const runtime_persistence::LoadSessionRequest& request) override {
    return state_.LoadSession(request);
  }
  runtime_persistence::Result<std::optional<runtime_persistence::SessionNodeRecord>> LoadNode(
      const runtime_persistence::LoadNodeRequest& request) override {
    return state_.LoadNode(request);
  }
  runtime_persistence::Result<runtime_persistence::RuntimeCommitResult> CommitRuntimeState(
      const runtime_persistence::CommitRuntimeStateRequest& request) override {
    return state_.CommitRuntimeState(request);
  }
  runtime_persistence::Result<runtime_persistence::Done> SaveSessionMeta(
      const runtime_persistence::SaveSessionMetaRequest& request) override {
    return state_.SaveSessionMeta(request);
  }
  runtime_persistence::Result<std::optional<runtime_persistence::SessionMeta>> LoadSessionMeta(
      const runtime_persistence::LoadSessionMetaRequest& request) override {
    return state_.LoadSessionMeta(request);
  }
  runtime_persistence::Result<runtime_persistence::Done> TombstoneNodes(
      const runtime_persistence::TombstoneNodesRequest& request) override {
    return state_.TombstoneNodes(request);
  }
  runtime_persistence::Result<runtime_persistence::VacuumReport> Vacuum(
      const runtime_persistence::VacuumRequest& request) override {
    return state_.Vacuum(request);
  }
  runtime_persistence::Result<runtime_persistence::GcReport> GcUnreachable(
      const runtime_persistence::GcUnreachableRequest& request) override {
    return state_.GcUnreachable(request);
  }

 private:
  memstore::RuntimePersistence state_;
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_MINIMAL_H_
