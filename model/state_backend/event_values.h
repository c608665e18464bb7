// The values of the state_backend contract: the event log and its snapshots.
#ifndef LEASECHECK_MODEL_STATE_BACKEND_EVENT_VALUES_H_
#define LEASECHECK_MODEL_STATE_BACKEND_EVENT_VALUES_H_

#include <cstdint>
#include <tuple>

#include "model/field.h"
#include "model/instant.h"
#include "model/state_backend/values.h"

namespace leasecheck {
namespace state_backend {

using EventSequence = int64_t;

// One entry of an execution's log, for good.
struct Event {
  Uuid id;                     // by the caller; unique in the store, over all executions and tenants
  ExecutionId execution_id;    // by the caller
  EventSequence sequence = 0;  // by the store; what the caller says is ignored
  OpaqueJson kind;             // by the caller: an object with a string `type`, opaque to the store, which checks neither
  Instant created_at;          // by the caller; stored as it is, and no part of the order
  friend bool operator==(const Event&, const Event&) = default;
};

// The state of an execution once the events up to `at_sequence` were folded in. All by the caller, unchecked. An execution has at
// most one snapshot for each at_sequence.
struct Snapshot {
  Uuid id;
  ExecutionId execution_id;
  EventSequence at_sequence = 0;  // any number
  OpaqueJson state;
  Instant created_at;
  friend bool operator==(const Snapshot&, const Snapshot&) = default;
};

}  // namespace state_backend

template <>
inline constexpr auto kFields<state_backend::Event> = std::make_tuple(Field{"id", &state_backend::Event::id},
                                                                      Field{"execution_id", &state_backend::Event::execution_id},
                                                                      Field{"sequence", &state_backend::Event::sequence},
                                                                      Field{"kind", &state_backend::Event::kind},
                                                                      Field{"created_at", &state_backend::Event::created_at});
template <>
inline constexpr auto kFields<state_backend::Snapshot> =
    std::make_tuple(Field{"id", &state_backend::Snapshot::id}, Field{"execution_id", &state_backend::Snapshot::execution_id},
                    Field{"at_sequence", &state_backend::Snapshot::at_sequence}, Field{"state", &state_backend::Snapshot::state},
                    Field{"created_at", &state_backend::Snapshot::created_at});

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_STATE_BACKEND_EVENT_VALUES_H_
