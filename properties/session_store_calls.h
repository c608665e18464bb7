// Small questions about the calls of a session_store history.
#ifndef LEASECHECK_PROPERTIES_SESSION_STORE_CALLS_H_
#define LEASECHECK_PROPERTIES_SESSION_STORE_CALLS_H_

#include <algorithm>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/session_store/family.h"
#include "properties/engine/history.h"

namespace leasecheck::session_store {

using SessionCall = engine::CallRecord<SessionStoreFamily>;

// The request, where the call is one with that request type.
template <class Request>
const Request* CallOf(const SessionCall& call) {
  const auto* request = engine::RequestIf<SessionStoreFamily>(call.action);
  return request == nullptr ? nullptr : std::get_if<Request>(request);
}

// The success value, where the call is one with that request type and succeeded.
template <class Request>
const auto* AnswerOf(const SessionCall& call) {
  return ResponseIf<SessionStoreFamily, OperationIndexOf<SessionStoreFamily, Request>()>(call.outcome);
}

// The claim that a call granted, or null.
inline const QueuedWorkClaim* GrantOf(const SessionCall& call) {
  for (const auto* answer : {AnswerOf<ClaimLeadingReadySessionCommandRequest>(call), AnswerOf<ClaimReadyQueuedWorkRequest>(call),
                             AnswerOf<ClaimReadyQueuedWorkByBatchIdsRequest>(call)}) {
    if (answer != nullptr && answer->has_value()) return &**answer;
  }
  return nullptr;
}

// The lane that a call newly acquired or re-entered, or null.
inline const SessionExecutionLease* AcquiredLaneOf(const SessionCall& call) {
  for (const auto* answer :
       {AnswerOf<TryClaimSessionExecutionLeaseRequest>(call), AnswerOf<ReclaimSessionExecutionLeaseRequest>(call)}) {
    if (answer == nullptr) continue;
    if (const auto* acquired = std::get_if<LeaseAcquired>(answer)) return &acquired->lease;
  }
  return nullptr;
}

inline bool IsIndefinite(const SessionCall& call) {
  return std::holds_alternative<RequestOf<SessionStoreFamily>>(call.action) && std::holds_alternative<Indefinite>(call.outcome);
}
inline bool Succeeded(const SessionCall& call) { return call.outcome.index() == 0; }

// Whether `earlier` returned before `later` was called.
inline bool Precedes(const SessionCall& earlier, const SessionCall& later) { return earlier.returned < later.called; }

// What the clock of the store may have read during each call of a history. Several clients may move it, also at the same time.
class ClockRange {
 public:
  explicit ClockRange(const engine::History<SessionStoreFamily>& history) : start_(history.start) {
    for (const SessionCall& call : history.calls) {
      if (const auto* clock = std::get_if<engine::SetClock>(&call.action))
        moves_.push_back({call.called, call.returned, clock->now, call.called, call.called});
    }
    std::sort(moves_.begin(), moves_.end(), [](const Move& a, const Move& b) { return a.returned < b.returned; });
    for (std::size_t i = 1; i < moves_.size(); ++i) moves_[i].last_called = std::max(moves_[i].called, moves_[i - 1].last_called);
    for (std::size_t i = moves_.size(); i-- > 1;) {
      moves_[i - 1].first_called = std::min(moves_[i - 1].called, moves_[i].first_called);
    }
  }
  // The most that it may have read: by a move that overlaps the call, or by one of the last before it, whose order is not known
  // where they overlapped each other.
  EpochMs Latest(const SessionCall& call) const {
    if (call.window.has_value()) return call.window->latest;
    const auto returned_by = [this](engine::Instant instant) {
      return std::partition_point(moves_.begin(), moves_.end(), [&](const Move& move) { return move.returned < instant; });
    };
    auto move = returned_by(call.called);
    EpochMs latest = 0;
    if (move == moves_.begin()) {
      latest = start_;
    } else {
      move = returned_by(std::prev(move)->last_called);
    }
    for (; move != moves_.end() && move->first_called < call.returned; ++move) {
      if (move->called < call.returned) latest = std::max(latest, move->now);
    }
    return latest;
  }

 private:
  struct Move {
    engine::Instant called;
    engine::Instant returned;
    EpochMs now;
    engine::Instant last_called;   // of this move and those that returned before it
    engine::Instant first_called;  // of this move and those that returned after it
  };
  EpochMs start_;
  std::vector<Move> moves_;  // in the order in which they returned
};

}  // namespace leasecheck::session_store

#endif  // LEASECHECK_PROPERTIES_SESSION_STORE_CALLS_H_
