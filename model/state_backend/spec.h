// The executable contract of state_backend: judges outcomes against state-backend.md, clause by clause.
//
// The interface is described in model/spec.h. What is particular here:
//
// - One state holds everything, of all tenants: definitions, executions, logs, items, tokens, tenants. A view of a tenant sees
// the
//   part that is its own. What seldom changes of a row is shared between states.
// - The store's clock leaves instants behind that no answer tells at once (updated_at, a renewed lease, retry_after). Each is a
//   Moment: exact under a virtual clock, an interval where it is not known better, narrowed by every answer that depends on it.
// - Secrets are compared with each other and are in no text: Explain and Describe name a token by its id.
// - Where stores may choose, and choose the same in a whole run (SB-LAT-7, 11, 20, 24, 33), the first answer that shows the
// choice
//   binds it. Where no answer shows it at once, both states go on.
// - What settles an item that is settled already changes nothing, except under the preset `sqlite`: there an item may be one of
//   several ends, until a list of dead letters tells (SB-LAT-19).
//
//   StateBackendSpec::State state = StateBackendSpec::Initial(setup);
//   std::vector<StateBackendSpec::State> alternatives;
//   auto refused = StateBackendSpec::Step(state, request, outcome, now, context, &alternatives);
#ifndef LEASECHECK_MODEL_STATE_BACKEND_SPEC_H_
#define LEASECHECK_MODEL_STATE_BACKEND_SPEC_H_

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
#include "model/spec.h"
#include "model/state_backend/family.h"
#include "model/time.h"

namespace leasecheck {
namespace state_backend {

// An instant that lies between two others, both included.
struct Moment {
  Instant from;
  Instant to;
  static Moment At(Instant instant) { return {instant, instant}; }
  bool Includes(Instant instant) const { return from <= instant && instant <= to; }
  friend bool operator==(const Moment&, const Moment&) = default;
};

// Immutable and shared between states, as all that a pointer to const leads to below.
struct DefinitionRow {
  std::shared_ptr<const WorkflowDefinition> value;  // with the tenant that it belongs to
  bool replaced = false;                            // it has had a predecessor; only steers which clause is named
  friend bool operator==(const DefinitionRow& a, const DefinitionRow& b) { return a.value == b.value || *a.value == *b.value; }
};

// What an execution is from its creation on.
struct Birth {
  TenantId tenant;
  WorkflowExecution value;
  friend bool operator==(const Birth&, const Birth&) = default;
};

enum class Touch : uint8_t { kCreate, kStatus, kState, kPatch };

struct Execution {
  std::shared_ptr<const Birth> born;
  std::shared_ptr<const std::string> state;  // canonical JSON
  WorkflowStatus status = WorkflowStatus::kRunning;
  Moment updated_at;
  std::optional<Moment> completed_at;
  Touch touched = Touch::kCreate;  // what changed it last; only steers which clause is named

  const ExecutionId& id() const { return born->value.execution_id; }
  friend bool operator==(const Execution& a, const Execution& b);
};

struct Entry {
  std::shared_ptr<const Event> event;  // as it was sent
  EventSequence sequence = 0;          // 0: not known (numbered globally by an append that nobody saw)
};

// What is logged of an execution, which need not exist under SB-LAT-9 `accepted`.
struct Log {
  ExecutionId execution_id;
  Cow<std::vector<Entry>> entries;
  std::shared_ptr<const Snapshot> newest;  // that of the greatest at_sequence: no other is ever seen
  bool outrun = false;                     // one with a smaller at_sequence came later   } these two only steer
  bool rewritten = false;                  // it replaced one with the same at_sequence   } which clause is named
  friend bool operator==(const Log& a, const Log& b);
};

enum class Stage : uint8_t { kPending, kClaimed, kSettled };
// How an item may have been settled; a set.
using Ends = uint8_t;
inline constexpr Ends kCompleted = 1;
inline constexpr Ends kFailed = 2;
inline constexpr Ends kDead = 4;

struct Letter {
  std::optional<std::string> last_error;  // none: any text (SB-RCL-13)
  Moment at;
  bool rewritten = false;  // it has had another text
  // What a store that drops the text still has (SB-LAT-21): the fail's; or, of an item that was exhausted before, any.
  std::optional<std::string> kept = std::nullopt;
  bool any_kept = false;
  friend bool operator==(const Letter&, const Letter&) = default;
};

struct Item {
  std::shared_ptr<const WorkItem> work;           // as enqueued, with the tenant that it belongs to
  std::shared_ptr<const std::string> worker;      // of the claim
  std::shared_ptr<const std::string> last_error;  // of the last fail (SB-LAT-20,21)
  std::shared_ptr<const Letter> letter;           // null: never dead-lettered
  Moment lease;                                   // until when it is claimed
  std::optional<Moment> retry_after;
  uint32_t attempt = 0;
  Stage stage = Stage::kPending;
  Ends ends = 0;
  bool unscoped = false;  // enqueued through the unscoped store: what it shows as its tenant means nothing (SB-LAT-24)

  const WorkItemId& id() const { return work->id; }
  bool IsClaimedBy(absl::string_view worker_id) const { return stage == Stage::kClaimed && *worker == worker_id; }
  friend bool operator==(const Item& a, const Item& b);
};

struct TokenRow {
  std::shared_ptr<const CreatedToken> created;
  std::optional<Instant> expires_at;
  bool revoked = false;
  friend bool operator==(const TokenRow& a, const TokenRow& b);
};

struct TenantRow {
  std::shared_ptr<const Tenant> value;
  bool replaced = false;      // it was updated; only steers which clause is named
  bool created_open = false;  // its created_at is what the next answer shows
  friend bool operator==(const TenantRow& a, const TenantRow& b) {
    return a.created_open == b.created_open && (a.value == b.value || *a.value == *b.value);
  }
};

// What a store chose of two ways that are both right.
enum class Choice : uint8_t { kOpen, kFirst, kSecond };

// What happened before, in so far as it only tells whether a clause was exercised. Never compared.
struct Memory {
  bool reclaimed = false;      // the last call that may have changed anything was a reclaim that listed something
  bool append_failed = false;  // an append failed since the last that succeeded
  std::vector<std::pair<WorkItemId, std::string>> lost;  // which worker lost which item to a reclaim or a steal; the newest only
};

class SpecState {
 public:
  Cow<std::vector<DefinitionRow>> definitions;
  Cow<std::vector<Execution>> executions;  // by id, ascending
  Cow<std::vector<Log>> logs;              // by id, ascending
  Cow<std::vector<Item>> items;            // by id, ascending
  Cow<std::vector<TokenRow>> tokens;       // in the order of their creation
  Cow<std::vector<TenantRow>> tenants;     // by id, ascending
  Choice sessions = Choice::kOpen;         // session_type is kept; or lost (SB-LAT-7)
  Choice duplicates = Choice::kOpen;       // an event whose id its log has is refused; or stored (SB-LAT-11)
  Choice elsewhere = Choice::kOpen;        // ... whose id another log has
  Choice payloads = Choice::kOpen;         // a requeued item's payload is kept; or gains last_error (SB-LAT-20)
  Choice callers = Choice::kOpen;          // an unscoped enqueue keeps the caller's tenant; or makes it "default" (SB-LAT-24)
  Choice seed = Choice::kOpen;             // a fresh store holds the tenant "default"; or none (SB-LAT-33)
  Cow<Memory> memory;

  const Execution* FindExecution(const ExecutionId& id) const;  // null: unknown; so below
  const Log* FindLog(const ExecutionId& id) const;
  const Item* FindItem(const WorkItemId& id) const;
  const TenantRow* FindTenant(absl::string_view id) const;  // not the seeded one before it was seen
  const TokenRow* FindToken(const Secret& plaintext) const;
  const TokenRow* FindTokenId(absl::string_view id) const;

  friend bool operator==(const SpecState& a, const SpecState& b);
  template <typename H>
  friend H AbslHashValue(H h, const SpecState& state) {
    return H::combine(std::move(h), HashOf(state));
  }
  friend std::size_t HashOf(const SpecState& state);
};
std::size_t HashOf(const SpecState& state);

class StateBackendSpec {
 public:
  using Family = StateBackendFamily;
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

  // Always 1: every method is one atomic step (SB-GEN-1).
  static int Parts(const Request& request, const Outcome& outcome, const Context& context);

  // Always nullopt: claims and reclaims reach every item, lists every execution, and ids are unique in the whole store.
  static std::optional<std::string> PartitionKey(const Request& request);

  // Of create_token its created_at. A claim would name it only together with the lease length, which is the backend's to declare.
  static std::optional<EpochMs> ReportedInstant(const Request& request, const Outcome& outcome);
  // The instants at which a call's fate changes: the first millisecond after a lease, a retry_after, a token's expiry.
  static void AppendDeadlines(const State& state, std::vector<EpochMs>* deadlines);

  // See model/spec.h.
  static bool ChangesNothing(const Request& request, const Outcome& outcome, const Context& context);
  static void AppendMarks(const Request& request, const Outcome& outcome, std::vector<Mark>* marks);
  static bool Commute(const Request& a, const Outcome& outcome_a, const Request& b, const Outcome& outcome_b);
  static bool ReadsClock(const Request& request);

  static absl::Span<const ClauseInfo> Clauses();
  static absl::Span<const DialectPoint> DialectPoints();
  // Why a store that declares these dialects never shows the clause; "" where it has to.
  static absl::string_view NotApplicable(ClauseIndex clause, const Dialects& dialects);
};

}  // namespace state_backend

template <>
struct SpecOf<StateBackendFamily> {
  using type = state_backend::StateBackendSpec;
};

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_STATE_BACKEND_SPEC_H_
