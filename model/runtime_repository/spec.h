// The executable contract of runtime_repository: judges outcomes against runtime-repository.md, clause by clause.
//
// The interface is described in model/spec.h. What is particular here:
//
// - One state holds everything: the attempts, each with its lease, its dead letter and its history, and the runs' numbers. Sweeps
//   and timeouts move many attempts in one step. What seldom changes of an attempt is shared between states.
// - A lease id that the store chose is taken over from the first answer that shows it and compared from then on; before that the
//   lease is *unseen*: no id matches it, for nobody can present it.
// - The store's own clock, `now`, matters to claims only. Every other call is judged by its arguments.
// - Where stores may choose and an answer shows the choice later (whether a sweep requeues a marked retry, RR-LAT-11; what a
//   second dead letter does to the count of replays; whether a retry_at survived a claim, RR-LAT-9), both states go on until
//   then.
//
//   RuntimeRepositorySpec::State state = RuntimeRepositorySpec::Initial(setup);
//   std::vector<RuntimeRepositorySpec::State> alternatives;
//   auto refused = RuntimeRepositorySpec::Step(state, request, outcome, now, context, &alternatives);
#ifndef LEASECHECK_MODEL_RUNTIME_REPOSITORY_SPEC_H_
#define LEASECHECK_MODEL_RUNTIME_REPOSITORY_SPEC_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "model/clause.h"
#include "model/cow.h"
#include "model/dialect.h"
#include "model/instant.h"
#include "model/runtime_repository/family.h"
#include "model/spec.h"
#include "model/time.h"

namespace leasecheck {
namespace runtime_repository {

struct TimeoutPolicy {
  int64_t timeout_ms = 0;
  AttemptExecutionStatus on_timeout_status = AttemptExecutionStatus::kFailed;
  friend bool operator==(const TimeoutPolicy&, const TimeoutPolicy&) = default;
};

// What seldom changes of an attempt. Immutable and shared between states.
struct Settings {
  std::string attempt_id;
  std::string run_id;
  int32_t priority = 0;
  std::optional<std::string> tenant_id;
  std::optional<TimeoutPolicy> timeout;
  std::optional<RetryPolicy> retry;  // the last that an ack brought
  friend bool operator==(const Settings&, const Settings&) = default;
};

// Immutable and shared between states.
struct Lease {
  bool seen = true;  // false: the id is unknown and matches nothing
  LeaseRecord record;
  friend bool operator==(const Lease&, const Lease&) = default;
};

struct Letter {
  std::string reason;
  ReplayStatus status = ReplayStatus::kPending;
  Instant dead_at;
  uint64_t replays = 0;
  friend bool operator==(const Letter&, const Letter&) = default;
};

// What an attempt went through. Immutable and shared between states; null in an attempt that never failed.
struct Past {
  std::vector<RetryHistoryEntry> retries;
  std::optional<Letter> letter;
  friend bool operator==(const Past&, const Past&) = default;
};

struct Attempt {
  std::shared_ptr<const Settings> settings;
  std::shared_ptr<const Lease> lease;  // null: none
  std::shared_ptr<const Past> past;
  std::optional<Instant> retry_at;
  std::optional<Instant> started_at;
  uint32_t attempt_no = 1;
  AttemptExecutionStatus status = AttemptExecutionStatus::kQueued;
  bool retry_at_kept = true;  // false: the store may have dropped retry_at meanwhile (RR-LAT-9)

  const std::string& id() const { return settings->attempt_id; }
  bool LiveAt(Instant t) const { return lease != nullptr && lease->record.lease_expires_at >= t; }
  bool ReadyAt(Instant t) const {
    return status == AttemptExecutionStatus::kQueued ||
           (status == AttemptExecutionStatus::kRetryBackoff && (!retry_at.has_value() || *retry_at <= t));
  }
  bool DispatchableAt(Instant t) const { return ReadyAt(t) && !LiveAt(t); }
  bool Executes() const { return status == AttemptExecutionStatus::kLeased || status == AttemptExecutionStatus::kRunning; }
  friend bool operator==(const Attempt& a, const Attempt& b);
};

// What a store chose of two ways that are both right.
enum class Choice : uint8_t { kOpen, kFirst, kSecond };

// What happened before, in so far as it only tells whether a clause was exercised. Never compared.
struct Memory {
  std::vector<std::pair<std::string, std::string>> gone;  // leases, with their attempts; the newest only
  std::optional<Instant> swept;                           // by the last call that may have changed anything
  std::optional<Instant> timed_out;                       // ... likewise
  std::optional<Instant> listed;                          // the `now` of the last list
};

class SpecState {
 public:
  Cow<std::vector<Attempt>> attempts;                       // by attempt_id, ascending
  Cow<std::vector<std::pair<std::string, uint64_t>>> runs;  // those with events, by run_id, ascending
  Choice swept_retries = Choice::kOpen;  // a sweep leaves a marked retry RetryBackoff; or makes it Queued (RR-LAT-11)
  Choice letter_counts = Choice::kOpen;  // a new dead letter keeps the count of replays; or begins at 0
  Cow<Memory> memory;

  const Attempt* Find(absl::string_view attempt_id) const;     // null: unknown
  const Attempt* FindLease(absl::string_view lease_id) const;  // the attempt whose lease is shown to have this id
  uint64_t HeadOf(absl::string_view run_id) const;

  friend bool operator==(const SpecState& a, const SpecState& b);
  friend std::size_t HashOf(const SpecState& state);
  template <typename H>
  friend H AbslHashValue(H h, const SpecState& state) {
    return H::combine(std::move(h), HashOf(state));
  }
};
std::size_t HashOf(const SpecState& state);

class RuntimeRepositorySpec {
 public:
  using Family = RuntimeRepositoryFamily;
  using State = SpecState;
  using Request = RequestOf<Family>;
  using Outcome = OutcomeOf<Family>;
  using Context = StepContext<Family>;

  static State Initial(const SpecSetup& setup);
  static std::optional<ClauseIndex> Step(State& state, const Request& request, const Outcome& outcome, EpochMs now,
                                         const Context& context, std::vector<State>* alternatives);
  static std::string Explain(const State& state, const Request& request, const Outcome& outcome, EpochMs now,
                             const Context& context);
  static std::string Describe(const State& state, EpochMs now);

  // Always 1: every method is one atomic step.
  static int Parts(const Request& request, const Outcome& outcome, const Context& context);

  // Always nullopt: lists, sweeps and timeouts reach every attempt.
  static std::optional<std::string> PartitionKey(const Request& request);

  // Of a claim the lease's heartbeat_at, where it is no instant before 1970.
  static std::optional<EpochMs> ReportedInstant(const Request& request, const Outcome& outcome);
  // The instants at which a claim's fate changes: retry_at of attempts in RetryBackoff, and the first millisecond after the
  // lingering lease of a ready attempt. Those before 1970 are left out.
  static void AppendDeadlines(const State& state, std::vector<EpochMs>* deadlines);

  // See model/spec.h. Marks take lease ids for what the contract says they are, never issued twice.
  static bool ChangesNothing(const Request& request, const Outcome& outcome, const Context& context);
  static void AppendMarks(const Request& request, const Outcome& outcome, std::vector<Mark>* marks);
  static bool Commute(const Request& a, const Outcome& outcome_a, const Request& b, const Outcome& outcome_b);
  static bool ReadsClock(const Request& request);

  static absl::Span<const ClauseInfo> Clauses();
  static absl::Span<const DialectPoint> DialectPoints();
  // Why a store that declares these dialects never shows the clause; "" where it has to.
  static absl::string_view NotApplicable(ClauseIndex clause, const Dialects& dialects);
};

}  // namespace runtime_repository

template <>
struct SpecOf<RuntimeRepositoryFamily> {
  using type = runtime_repository::RuntimeRepositorySpec;
};

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_RUNTIME_REPOSITORY_SPEC_H_
