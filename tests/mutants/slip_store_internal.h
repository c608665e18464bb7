// What the sources of SlipStore share.
#ifndef LEASECHECK_TESTS_MUTANTS_SLIP_STORE_INTERNAL_H_
#define LEASECHECK_TESTS_MUTANTS_SLIP_STORE_INTERNAL_H_

#include <cstddef>
#include <optional>
#include <string>

#include "model/session_store/values.h"
#include "tests/mutants/slip_store.h"
#include "tl/expected.hpp"

namespace leasecheck::mutants {

enum class WorkClass { kCommand, kTurnWork };

// The class that all payloads share, or none.
inline std::optional<WorkClass> ClassOf(const session_store::QueuedWorkBatch& batch) {
  std::optional<WorkClass> shared;
  for (const session_store::QueuedWorkItem& item : batch.items) {
    const bool command = std::holds_alternative<session_store::SessionCommand>(item.payload);
    const WorkClass own = command ? WorkClass::kCommand : WorkClass::kTurnWork;
    if (shared.has_value() && shared != own) return std::nullopt;
    shared = own;
  }
  return shared;
}

inline bool SameIncarnation(const session_store::LeaseOwnerIdentity& a, const session_store::LeaseOwnerIdentity& b) {
  return a.owner_id == b.owner_id && a.incarnation_id == b.incarnation_id;
}

inline bool LiveClaim(const Row& row, EpochMs now) { return row.record.has_value() && row.record->expires > now; }

inline tl::unexpected<session_store::StoreError> Fail(session_store::StoreError error) {
  return tl::unexpected<session_store::StoreError>(std::move(error));
}

// The last instant that fits a signed 64-bit integer: where databases end (LAT-13).
inline constexpr EpochMs kEndOfSignedTime = kEndOfTime / 2;

}  // namespace leasecheck::mutants

#endif  // LEASECHECK_TESTS_MUTANTS_SLIP_STORE_INTERNAL_H_
