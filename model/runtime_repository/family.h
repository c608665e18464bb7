// The operation table of the runtime_repository family: the trait's six methods, then the fixtures.
#ifndef LEASECHECK_MODEL_RUNTIME_REPOSITORY_FAMILY_H_
#define LEASECHECK_MODEL_RUNTIME_REPOSITORY_FAMILY_H_

#include <tuple>

#include "absl/strings/string_view.h"
#include "model/operation.h"
#include "model/runtime_repository/store.h"

namespace leasecheck {

struct RuntimeRepositoryFamily {
  static constexpr absl::string_view kName = "runtime_repository";
  using Store = runtime_repository::RuntimeRepositoryStore;
  using Error = runtime_repository::StoreError;
  static constexpr auto kOperations =
      std::make_tuple(Operation{"list_dispatchable_attempts", &Store::ListDispatchableAttempts, Effect::kRead},
                      Operation{"upsert_lease", &Store::UpsertLease, Effect::kWrite},
                      Operation{"heartbeat_lease", &Store::HeartbeatLease, Effect::kWrite},
                      Operation{"expire_leases_and_requeue", &Store::ExpireLeasesAndRequeue, Effect::kWrite},
                      Operation{"latest_seq_for_run", &Store::LatestSeqForRun, Effect::kRead},
                      Operation{"transition_timed_out_attempts", &Store::TransitionTimedOutAttempts, Effect::kWrite},
                      Operation{"enqueue_attempt", &Store::EnqueueAttempt, Effect::kWrite},
                      Operation{"ack_attempt", &Store::AckAttempt, Effect::kWrite},
                      Operation{"mark_attempt_status", &Store::MarkAttemptStatus, Effect::kWrite},
                      Operation{"set_attempt_priority", &Store::SetAttemptPriority, Effect::kWrite},
                      Operation{"set_attempt_tenant_id", &Store::SetAttemptTenantId, Effect::kWrite},
                      Operation{"set_attempt_timeout_policy", &Store::SetAttemptTimeoutPolicy, Effect::kWrite},
                      Operation{"set_attempt_started_at", &Store::SetAttemptStartedAt, Effect::kWrite},
                      Operation{"get_attempt_status", &Store::GetAttemptStatus, Effect::kRead},
                      Operation{"get_lease_for_attempt", &Store::GetLeaseForAttempt, Effect::kRead},
                      Operation{"get_lease_by_id", &Store::GetLeaseById, Effect::kRead},
                      Operation{"heartbeat_lease_with_version", &Store::HeartbeatLeaseWithVersion, Effect::kWrite},
                      Operation{"active_leases_for_worker", &Store::ActiveLeasesForWorker, Effect::kRead},
                      Operation{"active_leases_for_tenant", &Store::ActiveLeasesForTenant, Effect::kRead},
                      Operation{"get_attempt_retry_history", &Store::GetAttemptRetryHistory, Effect::kRead},
                      Operation{"list_dead_letters", &Store::ListDeadLetters, Effect::kRead},
                      Operation{"replay_dead_letter", &Store::ReplayDeadLetter, Effect::kWrite},
                      Operation{"append_run_events", &Store::AppendRunEvents, Effect::kWrite});
};

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_RUNTIME_REPOSITORY_FAMILY_H_
