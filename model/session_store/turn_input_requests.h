// The requests of the turn-input operations; store.h says what the operations do.
#ifndef LEASECHECK_MODEL_SESSION_STORE_TURN_INPUT_REQUESTS_H_
#define LEASECHECK_MODEL_SESSION_STORE_TURN_INPUT_REQUESTS_H_

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "model/session_store/values.h"

namespace leasecheck {
namespace session_store {

struct EnqueuePendingTurnInputRequest {
  PendingTurnInputDraft input;
  friend bool operator==(const EnqueuePendingTurnInputRequest&, const EnqueuePendingTurnInputRequest&) = default;
};

struct ListPendingTurnInputsRequest {
  std::string session_id;
  friend bool operator==(const ListPendingTurnInputsRequest&, const ListPendingTurnInputsRequest&) = default;
};

struct CancelPendingTurnInputsRequest {
  std::string session_id;
  std::vector<PendingTurnInputCancelTarget> targets;
  friend bool operator==(const CancelPendingTurnInputsRequest&, const CancelPendingTurnInputsRequest&) = default;
};

struct CancelPendingTurnInputRequest {
  std::string session_id;
  std::string input_id;
  friend bool operator==(const CancelPendingTurnInputRequest&, const CancelPendingTurnInputRequest&) = default;
};

struct CancelPendingTurnInputSuffixRequest {
  std::string session_id;
  PendingTurnInputCancelTarget anchor;
  friend bool operator==(const CancelPendingTurnInputSuffixRequest&, const CancelPendingTurnInputSuffixRequest&) = default;
};

struct ClaimActiveTurnInputsRequest {
  std::string session_id;
  SessionExecutionLeaseFence session_execution_lease;
  LeaseOwnerIdentity owner;
  std::string turn_id;
  CheckpointKind checkpoint = CheckpointKind::kAfterWork;
  DurationMs lease_ttl_ms = 0;
  uint64_t max_inputs = 0;
  friend bool operator==(const ClaimActiveTurnInputsRequest&, const ClaimActiveTurnInputsRequest&) = default;
};

struct ClaimNextTurnInputsRequest {
  std::string session_id;
  SessionExecutionLeaseFence session_execution_lease;
  LeaseOwnerIdentity owner;
  DurationMs lease_ttl_ms = 0;
  uint64_t max_inputs = 0;
  friend bool operator==(const ClaimNextTurnInputsRequest&, const ClaimNextTurnInputsRequest&) = default;
};

struct AbandonTurnInputClaimRequest {
  TurnInputClaim claim;
  friend bool operator==(const AbandonTurnInputClaimRequest&, const AbandonTurnInputClaimRequest&) = default;
};

struct VacuumRequest {
  friend bool operator==(const VacuumRequest&, const VacuumRequest&) = default;
};

}  // namespace session_store

template <>
inline constexpr auto kFields<session_store::EnqueuePendingTurnInputRequest> = std::make_tuple(Field{
    "input", &session_store::EnqueuePendingTurnInputRequest::input});
template <>
inline constexpr auto kFields<session_store::ListPendingTurnInputsRequest> = std::make_tuple(Field{
    "session_id", &session_store::ListPendingTurnInputsRequest::session_id});
template <>
inline constexpr auto kFields<session_store::CancelPendingTurnInputsRequest> =
    std::make_tuple(Field{"session_id", &session_store::CancelPendingTurnInputsRequest::session_id},
                    Field{"targets", &session_store::CancelPendingTurnInputsRequest::targets});
template <>
inline constexpr auto kFields<session_store::CancelPendingTurnInputRequest> =
    std::make_tuple(Field{"session_id", &session_store::CancelPendingTurnInputRequest::session_id},
                    Field{"input_id", &session_store::CancelPendingTurnInputRequest::input_id});
template <>
inline constexpr auto kFields<session_store::CancelPendingTurnInputSuffixRequest> =
    std::make_tuple(Field{"session_id", &session_store::CancelPendingTurnInputSuffixRequest::session_id},
                    Field{"anchor", &session_store::CancelPendingTurnInputSuffixRequest::anchor});
template <>
inline constexpr auto kFields<session_store::ClaimActiveTurnInputsRequest> =
    std::make_tuple(Field{"session_id", &session_store::ClaimActiveTurnInputsRequest::session_id},
                    Field{"session_execution_lease", &session_store::ClaimActiveTurnInputsRequest::session_execution_lease},
                    Field{"owner", &session_store::ClaimActiveTurnInputsRequest::owner},
                    Field{"turn_id", &session_store::ClaimActiveTurnInputsRequest::turn_id},
                    Field{"checkpoint", &session_store::ClaimActiveTurnInputsRequest::checkpoint},
                    Field{"lease_ttl_ms", &session_store::ClaimActiveTurnInputsRequest::lease_ttl_ms},
                    Field{"max_inputs", &session_store::ClaimActiveTurnInputsRequest::max_inputs});
template <>
inline constexpr auto kFields<session_store::ClaimNextTurnInputsRequest> =
    std::make_tuple(Field{"session_id", &session_store::ClaimNextTurnInputsRequest::session_id},
                    Field{"session_execution_lease", &session_store::ClaimNextTurnInputsRequest::session_execution_lease},
                    Field{"owner", &session_store::ClaimNextTurnInputsRequest::owner},
                    Field{"lease_ttl_ms", &session_store::ClaimNextTurnInputsRequest::lease_ttl_ms},
                    Field{"max_inputs", &session_store::ClaimNextTurnInputsRequest::max_inputs});
template <>
inline constexpr auto kFields<session_store::AbandonTurnInputClaimRequest> = std::make_tuple(Field{
    "claim", &session_store::AbandonTurnInputClaimRequest::claim});
template <>
inline constexpr auto kFields<session_store::VacuumRequest> = std::tuple<>{};

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_SESSION_STORE_TURN_INPUT_REQUESTS_H_
