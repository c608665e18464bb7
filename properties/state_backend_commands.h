// Making commands of the state_backend family. Internal to properties/state_backend*.
#ifndef LEASECHECK_PROPERTIES_STATE_BACKEND_COMMANDS_H_
#define LEASECHECK_PROPERTIES_STATE_BACKEND_COMMANDS_H_

#include <utility>

#include "model/state_backend/family.h"
#include "properties/engine/program.h"

namespace leasecheck::state_backend {

template <class Request>
engine::Command<StateBackendFamily> CommandOf(Request request) {
  engine::Command<StateBackendFamily> command;
  command.action = engine::Action<StateBackendFamily>(RequestOf<StateBackendFamily>(std::move(request)));
  return command;
}

// The kinds of ids that programs make; each has its own, so that no two are ever equal by chance.
inline constexpr uint64_t kItemIds = 0x11;
inline constexpr uint64_t kEventIds = 0x22;
inline constexpr uint64_t kSnapshotIds = 0x33;
// What no program ever makes.
inline constexpr Uuid kNobody{0xdead, 0xbeef};

}  // namespace leasecheck::state_backend

#endif  // LEASECHECK_PROPERTIES_STATE_BACKEND_COMMANDS_H_
