// The operation table of the runtime_persistence family.
#ifndef LEASECHECK_MODEL_RUNTIME_PERSISTENCE_FAMILY_H_
#define LEASECHECK_MODEL_RUNTIME_PERSISTENCE_FAMILY_H_

#include <tuple>

#include "absl/strings/string_view.h"
#include "model/operation.h"
#include "model/runtime_persistence/store.h"

namespace leasecheck {

struct RuntimePersistenceFamily {
  static constexpr absl::string_view kName = "runtime_persistence";
  using Store = runtime_persistence::RuntimePersistence;
  using Error = runtime_persistence::StoreError;
  static constexpr auto kOperations = std::make_tuple(
      Operation{"load_session", &Store::LoadSession, Effect::kRead}, Operation{"load_node", &Store::LoadNode, Effect::kRead},
      Operation{"commit_runtime_state", &Store::CommitRuntimeState, Effect::kWrite},
      Operation{"save_session_meta", &Store::SaveSessionMeta, Effect::kWrite},
      Operation{"load_session_meta", &Store::LoadSessionMeta, Effect::kRead},
      Operation{"tombstone_nodes", &Store::TombstoneNodes, Effect::kWrite}, Operation{"vacuum", &Store::Vacuum, Effect::kWrite},
      Operation{"gc_unreachable", &Store::GcUnreachable, Effect::kWrite},
      Operation{"durability_tier", &Store::GetDurabilityTier, Effect::kRead},
      Operation{"enqueue_queued_work", &Store::EnqueueQueuedWork, Effect::kWrite},
      Operation{"claim_ready_queued_work", &Store::ClaimReadyQueuedWork, Effect::kWrite},
      Operation{"claim_ready_queued_work_by_batch_ids", &Store::ClaimReadyQueuedWorkByBatchIds, Effect::kWrite},
      Operation{"renew_queued_work_claim", &Store::RenewQueuedWorkClaim, Effect::kWrite},
      Operation{"abandon_queued_work_claim", &Store::AbandonQueuedWorkClaim, Effect::kWrite},
      Operation{"cancel_queued_work_batch", &Store::CancelQueuedWorkBatch, Effect::kWrite},
      Operation{"list_queued_work", &Store::ListQueuedWork, Effect::kRead},
      Operation{"list_pending_queued_work", &Store::ListPendingQueuedWork, Effect::kRead},
      Operation{"record_intent", &Store::RecordIntent, Effect::kWrite},
      Operation{"commit_refs", &Store::CommitRefs, Effect::kWrite},
      Operation{"list_uncommitted", &Store::ListUncommitted, Effect::kRead}, Operation{"forget", &Store::Forget, Effect::kWrite});
};

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_RUNTIME_PERSISTENCE_FAMILY_H_
