// What the sources of SlipStore share.
#ifndef LEASECHECK_TESTS_MUTANTS_SLIP_STORE_INTERNAL_H_
#define LEASECHECK_TESTS_MUTANTS_SLIP_STORE_INTERNAL_H_

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

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

// Of a Row or an InputRow.
template <class R>
bool LiveClaim(const R& row, EpochMs now) {
  return row.record.has_value() && row.record->expires > now;
}

inline bool Ended(const InputRow& row) {
  return row.input.state == session_store::TurnInputState::kCancelled ||
         row.input.state == session_store::TurnInputState::kCompleted;
}

inline session_store::TurnInputState FirstStateOf(const session_store::TurnInputIngress& ingress) {
  return std::holds_alternative<session_store::ActiveTurnIngress>(ingress) ? session_store::TurnInputState::kPendingActive
                                                                           : session_store::TurnInputState::kDeferredNextTurn;
}

// The rows by ascending enqueue_seq; a slip may store them in another order.
inline std::vector<InputRow*> BySeq(std::vector<InputRow>& rows) {
  std::vector<InputRow*> ordered;
  for (InputRow& row : rows) ordered.push_back(&row);
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const InputRow* a, const InputRow* b) { return a->input.enqueue_seq < b->input.enqueue_seq; });
  return ordered;
}

inline tl::unexpected<session_store::StoreError> Fail(session_store::StoreError error) {
  return tl::unexpected<session_store::StoreError>(std::move(error));
}

// Whether the holder's process is known to be dead, whoever asks.
inline bool ProcessDead(const LivenessProbe* probe, const session_store::LeaseOwnerIdentity& holder) {
  const auto* process = std::get_if<session_store::LocalProcessOwner>(&holder.liveness);
  if (process == nullptr || probe == nullptr) return false;
  return probe->Probe(process->pid, process->process_start) == LivenessProbe::Answer::kDead;
}

// The last instant that fits a signed 64-bit integer: where databases end (LAT-13).
inline constexpr EpochMs kEndOfSignedTime = kEndOfTime / 2;

}  // namespace leasecheck::mutants

#endif  // LEASECHECK_TESTS_MUTANTS_SLIP_STORE_INTERNAL_H_
