// The values of the runtime_repository contract (runtime-repository.md, 2): attempts, leases, policies, dead letters, errors.
//
// Plain structs; strings are UTF-8, opaque, compared byte by byte, and empty strings are legal. Instants are whole milliseconds
// (model/instant.h); lengths of time are signed milliseconds, because the contract lets a caller name senseless ones.
#ifndef LEASECHECK_MODEL_RUNTIME_REPOSITORY_VALUES_H_
#define LEASECHECK_MODEL_RUNTIME_REPOSITORY_VALUES_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <variant>

#include "absl/strings/string_view.h"
#include "model/field.h"
#include "model/instant.h"
#include "model/session_store/values.h"

namespace leasecheck {
namespace runtime_repository {

using session_store::Done;

// Where an attempt is on its way. The last three are terminal.
enum class AttemptExecutionStatus { kQueued, kLeased, kRunning, kRetryBackoff, kCompleted, kFailed, kCancelled };

constexpr bool IsTerminal(AttemptExecutionStatus status) {
  return status == AttemptExecutionStatus::kCompleted || status == AttemptExecutionStatus::kFailed ||
         status == AttemptExecutionStatus::kCancelled;
}

// An attempt that may be dispatched, as a list shows it: a snapshot.
struct AttemptDispatchRecord {
  std::string attempt_id;                                           // by the caller of enqueue; unique in the store
  std::string run_id;                                               // by the caller of enqueue; many attempts may have one
  uint32_t attempt_no = 1;                                          // 1 at enqueue, + 1 at every ack that schedules a retry
  AttemptExecutionStatus status = AttemptExecutionStatus::kQueued;  // Queued or RetryBackoff
  std::optional<Instant> retry_at;  // RetryBackoff: not dispatched before; none: at once. Queued: nothing to rely on (RR-LAT-9)
  friend bool operator==(const AttemptDispatchRecord&, const AttemptDispatchRecord&) = default;
};

// Who may execute an attempt, and until when. *Live* at t: lease_expires_at >= t. An expired lease is still held until a sweep.
struct LeaseRecord {
  std::string lease_id;  // by the store at every successful claim: opaque, never issued twice
  std::string attempt_id;
  std::string worker_id;  // as given, not checked
  Instant lease_expires_at;
  Instant heartbeat_at;  // the store's clock at the claim, then what the last heartbeat said
  uint64_t version = 1;  // 1 at the claim, + 1 at every heartbeat
  friend bool operator==(const LeaseRecord&, const LeaseRecord&) = default;
};

enum class RetryStrategy { kFixed, kExponential };

// How often, and how late, a failed attempt is tried again. The store checks nothing of it.
struct RetryPolicy {
  RetryStrategy strategy = RetryStrategy::kFixed;
  int64_t backoff_ms = 0;
  std::optional<int64_t> max_backoff_ms;  // cap
  std::optional<double> multiplier;       // exponential only; none: 2.0
  uint32_t max_retries = 0;               // beyond the first execution
  friend bool operator==(const RetryPolicy&, const RetryPolicy&) = default;
};

// What an ack did. With retries left: RetryBackoff, the instant of the retry, the attempt's number from here on. Else the
// terminal status, none, the number that it keeps.
struct AckResult {
  AttemptExecutionStatus status = AttemptExecutionStatus::kCompleted;
  std::optional<Instant> next_retry_at;
  uint32_t next_attempt_no = 1;
  friend bool operator==(const AckResult&, const AckResult&) = default;
};

// An attempt's number and status; an array on the wire: [1,"Queued"].
struct AttemptStatus {
  uint32_t attempt_no = 1;
  AttemptExecutionStatus status = AttemptExecutionStatus::kQueued;
  friend bool operator==(const AttemptStatus&, const AttemptStatus&) = default;
};

// A retry that an ack scheduled, for good.
struct RetryHistoryEntry {
  uint32_t attempt_no = 1;  // that failed
  Instant retry_at;         // that was scheduled
  friend bool operator==(const RetryHistoryEntry&, const RetryHistoryEntry&) = default;
};

enum class ReplayStatus { kPending, kReplayed };

// The reasons that this contract's calls write.
inline constexpr absl::string_view kTerminalFailed = "terminal_failed";      // an ack Failed without retries left
inline constexpr absl::string_view kExecutionTimeout = "execution_timeout";  // a timeout with on_timeout_status Failed

// An attempt that failed for good. At most one an attempt; a later failure overwrites it.
struct DeadLetter {
  std::string attempt_id;
  std::optional<std::string> reason;
  ReplayStatus replay_status = ReplayStatus::kPending;
  std::optional<Instant> dead_at;        // `now` of the call that wrote it; a foreign store may leave it out
  std::optional<uint64_t> replay_count;  // replays of this attempt so far; a foreign store may leave it out
  friend bool operator==(const DeadLetter&, const DeadLetter&) = default;
};

// The contract's errors. Upstream's KernelError has six variants; these two are all that its methods raise.

enum class DriverClass {
  kLeaseConflict,       // the attempt has a live lease: a claim refusal
  kNotDispatchable,     // the attempt cannot be claimed, or is unknown: a claim refusal
  kLeaseNotFound,       // no such lease
  kVersionConflict,     // no such lease of this worker in this version
  kAttemptNotFound,     // no such attempt
  kBadPolicy,           // a timeout policy that means nothing
  kAttemptTerminal,     // the attempt has ended
  kBadOutcome,          // an ack with a status that is no outcome
  kDeadLetterNotFound,  // the attempt has no dead letter
  kAlreadyReplayed,     // its dead letter was replayed
  kBackend,             // trouble that the contract does not name, such as a disk that fails
};

// The phrase by which upstream's scheduler knows a claim refusal in an error's text, so that it tries the next candidate; "" for
// the other classes.
constexpr absl::string_view PhraseOf(DriverClass driver_class) {
  if (driver_class == DriverClass::kLeaseConflict) return "active lease already exists";
  if (driver_class == DriverClass::kNotDispatchable) return "not dispatchable";
  return "";
}

struct Driver {
  DriverClass driver_class = DriverClass::kBackend;
  std::optional<std::string> text;  // for people; never compared
  friend bool operator==(const Driver& a, const Driver& b) { return a.driver_class == b.driver_class; }
};
// The run's events cannot be read or appended.
struct EventStore {
  std::string text;  // for people; never compared
  friend bool operator==(const EventStore&, const EventStore&) { return true; }
};
using StoreError = std::variant<Driver, EventStore>;

// The delay before the retry that follows the failure of execution `attempt_no`, in milliseconds, at least 1: backoff_ms, or,
// where the strategy is exponential, backoff_ms * multiplier^(attempt_no - 1) in double precision, rounded to the nearest number,
// halves away from zero; then at most max_backoff_ms. Saturates instead of overflowing. [RR-LAT-16]
//
//   RetryDelay({RetryStrategy::kExponential, 100, 250, 3.0, 2}, 2) == 250   // 300, capped
int64_t RetryDelay(const RetryPolicy& policy, uint32_t attempt_no);

}  // namespace runtime_repository

// The lists that codec, traces and reports are made from.

template <>
inline constexpr auto kWords<runtime_repository::AttemptExecutionStatus> = std::array{
    Word<runtime_repository::AttemptExecutionStatus>{runtime_repository::AttemptExecutionStatus::kQueued, "Queued"},
    Word<runtime_repository::AttemptExecutionStatus>{runtime_repository::AttemptExecutionStatus::kLeased, "Leased"},
    Word<runtime_repository::AttemptExecutionStatus>{runtime_repository::AttemptExecutionStatus::kRunning, "Running"},
    Word<runtime_repository::AttemptExecutionStatus>{runtime_repository::AttemptExecutionStatus::kRetryBackoff, "RetryBackoff"},
    Word<runtime_repository::AttemptExecutionStatus>{runtime_repository::AttemptExecutionStatus::kCompleted, "Completed"},
    Word<runtime_repository::AttemptExecutionStatus>{runtime_repository::AttemptExecutionStatus::kFailed, "Failed"},
    Word<runtime_repository::AttemptExecutionStatus>{runtime_repository::AttemptExecutionStatus::kCancelled, "Cancelled"}};
template <>
inline constexpr auto kWords<runtime_repository::RetryStrategy> =
    std::array{Word<runtime_repository::RetryStrategy>{runtime_repository::RetryStrategy::kFixed, "fixed"},
               Word<runtime_repository::RetryStrategy>{runtime_repository::RetryStrategy::kExponential, "exponential"}};
template <>
inline constexpr auto kWords<runtime_repository::ReplayStatus> =
    std::array{Word<runtime_repository::ReplayStatus>{runtime_repository::ReplayStatus::kPending, "pending"},
               Word<runtime_repository::ReplayStatus>{runtime_repository::ReplayStatus::kReplayed, "replayed"}};
template <>
inline constexpr auto kWords<runtime_repository::DriverClass> =
    std::array{Word<runtime_repository::DriverClass>{runtime_repository::DriverClass::kLeaseConflict, "LEASE_CONFLICT"},
               Word<runtime_repository::DriverClass>{runtime_repository::DriverClass::kNotDispatchable, "NOT_DISPATCHABLE"},
               Word<runtime_repository::DriverClass>{runtime_repository::DriverClass::kLeaseNotFound, "LEASE_NOT_FOUND"},
               Word<runtime_repository::DriverClass>{runtime_repository::DriverClass::kVersionConflict, "VERSION_CONFLICT"},
               Word<runtime_repository::DriverClass>{runtime_repository::DriverClass::kAttemptNotFound, "ATTEMPT_NOT_FOUND"},
               Word<runtime_repository::DriverClass>{runtime_repository::DriverClass::kBadPolicy, "BAD_POLICY"},
               Word<runtime_repository::DriverClass>{runtime_repository::DriverClass::kAttemptTerminal, "ATTEMPT_TERMINAL"},
               Word<runtime_repository::DriverClass>{runtime_repository::DriverClass::kBadOutcome, "BAD_OUTCOME"},
               Word<runtime_repository::DriverClass>{runtime_repository::DriverClass::kDeadLetterNotFound, "DLQ_NOT_FOUND"},
               Word<runtime_repository::DriverClass>{runtime_repository::DriverClass::kAlreadyReplayed, "DLQ_ALREADY_REPLAYED"},
               Word<runtime_repository::DriverClass>{runtime_repository::DriverClass::kBackend, "BACKEND"}};
template <>
inline constexpr auto kFields<runtime_repository::AttemptDispatchRecord> =
    std::make_tuple(Field{"attempt_id", &runtime_repository::AttemptDispatchRecord::attempt_id},
                    Field{"run_id", &runtime_repository::AttemptDispatchRecord::run_id},
                    Field{"attempt_no", &runtime_repository::AttemptDispatchRecord::attempt_no},
                    Field{"status", &runtime_repository::AttemptDispatchRecord::status},
                    Field{"retry_at", &runtime_repository::AttemptDispatchRecord::retry_at});
template <>
inline constexpr auto kFields<runtime_repository::LeaseRecord> =
    std::make_tuple(Field{"lease_id", &runtime_repository::LeaseRecord::lease_id},
                    Field{"attempt_id", &runtime_repository::LeaseRecord::attempt_id},
                    Field{"worker_id", &runtime_repository::LeaseRecord::worker_id},
                    Field{"lease_expires_at", &runtime_repository::LeaseRecord::lease_expires_at},
                    Field{"heartbeat_at", &runtime_repository::LeaseRecord::heartbeat_at},
                    Field{"version", &runtime_repository::LeaseRecord::version});
template <>
inline constexpr auto kFields<runtime_repository::RetryPolicy> =
    std::make_tuple(Field{"strategy", &runtime_repository::RetryPolicy::strategy},
                    Field{"backoff_ms", &runtime_repository::RetryPolicy::backoff_ms},
                    Field{"max_backoff_ms", &runtime_repository::RetryPolicy::max_backoff_ms},
                    Field{"multiplier", &runtime_repository::RetryPolicy::multiplier},
                    Field{"max_retries", &runtime_repository::RetryPolicy::max_retries});
template <>
inline constexpr auto kFields<runtime_repository::AckResult> =
    std::make_tuple(Field{"status", &runtime_repository::AckResult::status},
                    Field{"next_retry_at", &runtime_repository::AckResult::next_retry_at},
                    Field{"next_attempt_no", &runtime_repository::AckResult::next_attempt_no});
template <>
inline constexpr auto kElements<runtime_repository::AttemptStatus> =
    std::make_tuple(Field{"attempt_no", &runtime_repository::AttemptStatus::attempt_no},
                    Field{"status", &runtime_repository::AttemptStatus::status});
template <>
inline constexpr auto kFields<runtime_repository::RetryHistoryEntry> =
    std::make_tuple(Field{"attempt_no", &runtime_repository::RetryHistoryEntry::attempt_no},
                    Field{"retry_at", &runtime_repository::RetryHistoryEntry::retry_at});
template <>
inline constexpr auto kFields<runtime_repository::DeadLetter> = std::make_tuple(
    Field{"attempt_id", &runtime_repository::DeadLetter::attempt_id}, Field{"reason", &runtime_repository::DeadLetter::reason},
    Field{"replay_status", &runtime_repository::DeadLetter::replay_status},
    Field{"dead_at", &runtime_repository::DeadLetter::dead_at},
    Field{"replay_count", &runtime_repository::DeadLetter::replay_count});
template <>
inline constexpr auto kFields<runtime_repository::Driver> =
    std::make_tuple(Field{"class", &runtime_repository::Driver::driver_class}, Field{"text", &runtime_repository::Driver::text});
template <>
inline constexpr auto kFields<runtime_repository::EventStore> = std::make_tuple(Field{"text",
                                                                                      &runtime_repository::EventStore::text});
template <>
inline constexpr auto kAlternatives<runtime_repository::StoreError> =
    AlternativeList<2>{Tagging::kInternal, "error", "", {{"Driver"}, {"EventStore"}}};

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_RUNTIME_REPOSITORY_VALUES_H_
