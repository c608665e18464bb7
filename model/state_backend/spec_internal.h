// What the files of the spec share. Not for others to include.
//
// Each operation has one JudgeCall. It first decides, reading only, and then changes the state: a refusal leaves it as it was.
#ifndef LEASECHECK_MODEL_STATE_BACKEND_SPEC_INTERNAL_H_
#define LEASECHECK_MODEL_STATE_BACKEND_SPEC_INTERNAL_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "model/state_backend/clauses.h"
#include "model/state_backend/dialects.h"
#include "model/state_backend/spec.h"

namespace leasecheck::state_backend::spec_internal {

using View = std::optional<TenantId>;

// nullopt: allowed; else the clause that forbids it.
using Verdict = std::optional<ClauseIndex>;
inline constexpr Verdict kAllowed = std::nullopt;

template <ClauseId kId>
constexpr Verdict Refuse() {
  return Clause<kId>();
}

// One outcome, seen as an operation's own: exactly one of response, error and unseen holds.
template <class Response>
struct Answer {
  const Response* response = nullptr;
  const StoreError* error = nullptr;
  bool unseen = false;

  bool IsNotFound() const { return error != nullptr && std::holds_alternative<NotFound>(*error); }
  bool IsDatabase() const { return error != nullptr && std::holds_alternative<Database>(*error); }
  bool IsEither() const { return IsNotFound() || IsDatabase(); }
};

// A call being judged, with what it is judged against.
struct Judge {
  SpecState& state;
  EpochMs now;
  const StateBackendSpec::Context& context;
  std::vector<SpecState>* alternatives;  // may be null

  bool counting() const { return context.hits != nullptr; }
  template <ClauseId kId>
  void Held(bool applies = true) const {
    if (applies && counting()) context.hits->Add(Clause<kId>(), Sense::kHeld);
  }
  template <ClauseId kId>
  void Refused(bool applies = true) const {
    if (applies && counting()) context.hits->Add(Clause<kId>(), Sense::kRefused);
  }
  bool Declares(absl::string_view point, absl::string_view word) const {
    return context.setup.dialects != nullptr && leasecheck::Declares(*context.setup.dialects, point, word);
  }
  bool MemoryPreset() const { return Declares("preset", "memory"); }
  bool SqlitePreset() const { return Declares("preset", "sqlite"); }
  bool Steals() const { return Declares("SB-LAT-16", "stealing"); }
  bool Requeues() const { return Declares("SB-LAT-20", "requeue"); }
  bool Accepts() const { return Declares("SB-LAT-9", "accepted"); }  // records for executions that do not exist
  bool NumbersGlobally() const { return Declares("SB-LAT-10", "global"); }
  bool NoTenants() const { return Declares("SB-LAT-34", "unsupported"); }
  DurationMs LeaseLength() const {
    return context.setup.dialects == nullptr ? kLeaseLengthMs : LeaseLengthOf(*context.setup.dialects);
  }

  Instant Clock() const { return InstantOf(now); }
  // What the store stamps in this call, `length` milliseconds later: exact, unless the clock's reading is known within a window
  // only.
  Moment Stamp(DurationMs length = 0) const {
    const auto after = static_cast<int64_t>(length);
    const EpochMs latest = context.latest > now ? context.latest : now;
    return {SaturatingAdd(Clock(), after), SaturatingAdd(InstantOf(latest), after)};
  }
  bool Overlaps() const { return context.overlap != nullptr; }
  // Adds `other` as another state that the answer allows, unless it is the one that the step leaves anyway.
  void AddAlternative(SpecState other) const {
    if (alternatives != nullptr && !(other == state)) alternatives->push_back(std::move(other));
  }
};

// An error where the call has to succeed: that of a busy store has a clause of its own.
template <ClauseId kId, class Response>
Verdict RefuseError(const Judge& judge, const Answer<Response>& answer) {
  return judge.Overlaps() && answer.IsDatabase() ? Refuse<"SB-GEN-5">() : Refuse<kId>();
}

// Pointers first: states that share a value need no comparison.
template <class T>
bool SameValue(const std::shared_ptr<const T>& a, const std::shared_ptr<const T>& b) {
  return a == b || (a != nullptr && b != nullptr && *a == *b);
}

template <class T>
std::shared_ptr<const T> Share(T value) {
  return std::make_shared<const T>(std::move(value));
}

// Whether another call that overlaps this one is of the type and satisfies `rivals`.
template <class Request, class Predicate>
bool AnyRival(const Judge& judge, Predicate rivals) {
  return judge.Overlaps() && judge.context.overlap->Any([&](const StateBackendSpec::Request& other) {
    const auto* request = std::get_if<Request>(&other);
    return request != nullptr && rivals(*request);
  });
}

// Choices.

// Whether the answer may show `choice`, which it then binds.
bool MayChoose(const SpecState& state, Choice SpecState::*point, Choice choice);
void Choose(SpecState& state, Choice SpecState::*point, Choice choice);

// The state (spec_state.cc).

inline bool Sees(const View& view, absl::string_view tenant) { return !view.has_value() || *view == tenant; }
// The tenant that what is made through the view belongs to, where the value names none.
inline TenantId OwnerOf(const View& view) { return view.value_or(TenantId(kDefaultTenant)); }

// Whether a tenant is registered. kUnsaid: the contract leaves it to the store.
enum class Registered { kYes, kNo, kUnsaid };
Registered IsRegistered(const Judge& judge, absl::string_view tenant);

// The visible execution, or null.
const Execution* VisibleExecution(const SpecState& state, const ExecutionId& id, const View& view);
// The visible item, or null.
const Item* VisibleItem(const SpecState& state, const WorkItemId& id, const View& view);
// The log as the view sees it, or null where it sees none.
const Log* VisibleLog(const SpecState& state, const ExecutionId& id, const View& view);
// `row`, which is the state's own, to be written to.
Execution& Edit(SpecState& state, const Execution* row);
Item& Edit(SpecState& state, const Item* row);
TokenRow& Edit(SpecState& state, const TokenRow* row);
TenantRow& Edit(SpecState& state, const TenantRow* row);
// The execution's log, made where there is none.
Log& EditLog(SpecState& state, const ExecutionId& id);
// Adds a row at its place; one of the same id is replaced.
void Put(SpecState& state, Execution row);
void Put(SpecState& state, Item row);
void Put(SpecState& state, TenantRow row);

// What may refer to an execution (spec_events.cc): whether the call has to fail because of the execution or the view.
enum class Standing {
  kFine,
  kUnknown,       // nobody created it
  kForeign,       // another tenant's
  kUnregistered,  // the view's tenant is not registered
};
Standing StandingOf(const Judge& judge, const ExecutionId& id, const View& view);

// Executions (spec_executions.cc). Whether the record may be shown so; binds what it shows. Refusals leave the state.
Verdict TakeExecution(Judge& judge, const Execution& execution, const WorkflowExecution& shown);
// Its order in a list (SB-LAT-5), of a record that is shown and of one that is not.
Instant ListKey(const Judge& judge, const WorkflowExecution& shown);
Moment ListKey(const Judge& judge, const Execution& execution);

// The queue (spec_queue.cc, spec_claim.cc, spec_reclaim.cc).

// Surely, surely not, or not known.
enum class Likely { kNo, kMaybe, kYes };
// Whether the lease of a claimed item ran out before the clock's reading.
Likely HasExpired(const Item& item, Instant clock);
// Whether a pending item's retry_after has come.
Likely IsDue(const Item& item, Instant clock);
void Settle(Item& item, Ends end);
// Remembers that the claimed item's worker loses it.
void Lose(const Judge& judge, SpecState& state, const Item& item);
// Whether `shown` is the item in what never changes, its attempt apart; a payload that has last_error binds SB-LAT-20.
bool ShowsWork(const SpecState& state, const Item& item, const WorkItem& shown);
void TakeWork(SpecState& state, const Item& item, const WorkItem& shown);
// The payload that the item would have if a requeue put the error's text in.
OpaqueJson PayloadWithError(const Item& item);
// The clause that a settled item breaks which is alive.
Verdict BlameSettled(const Item& item);
// The backoff of a reclaim that makes the attempt this number.
std::optional<Moment> BackoffOf(const Judge& judge, uint32_t attempt);

Verdict JudgeCall(Judge& judge, const StoreWorkflowRequest& request, const Answer<Done>& answer);
Verdict JudgeCall(Judge& judge, const GetWorkflowRequest& request, const Answer<std::optional<WorkflowDefinition>>& answer);
Verdict JudgeCall(Judge& judge, const CreateExecutionRequest& request, const Answer<Done>& answer);
Verdict JudgeCall(Judge& judge, const GetExecutionRequest& request, const Answer<std::optional<WorkflowExecution>>& answer);
Verdict JudgeCall(Judge& judge, const UpdateExecutionStatusRequest& request, const Answer<Done>& answer);
Verdict JudgeCall(Judge& judge, const UpdateExecutionCurrentStateRequest& request, const Answer<Done>& answer);
Verdict JudgeCall(Judge& judge, const PatchAppendArrayRequest& request, const Answer<Done>& answer);
Verdict JudgeCall(Judge& judge, const ListExecutionsRequest& request, const Answer<std::vector<WorkflowExecution>>& answer);
Verdict JudgeCall(Judge& judge, const AppendEventRequest& request, const Answer<EventSequence>& answer);
Verdict JudgeCall(Judge& judge, const GetEventsRequest& request, const Answer<std::vector<Event>>& answer);
Verdict JudgeCall(Judge& judge, const GetEventsSinceRequest& request, const Answer<std::vector<Event>>& answer);
Verdict JudgeCall(Judge& judge, const LatestSequenceRequest& request, const Answer<EventSequence>& answer);
Verdict JudgeCall(Judge& judge, const WriteSnapshotRequest& request, const Answer<Done>& answer);
Verdict JudgeCall(Judge& judge, const LatestSnapshotRequest& request, const Answer<std::optional<Snapshot>>& answer);
Verdict JudgeCall(Judge& judge, const EnqueueWorkItemRequest& request, const Answer<WorkItemId>& answer);
Verdict JudgeCall(Judge& judge, const ClaimWorkItemRequest& request, const Answer<std::optional<WorkItem>>& answer);
Verdict JudgeCall(Judge& judge, const RenewLeaseRequest& request, const Answer<Done>& answer);
Verdict JudgeCall(Judge& judge, const CompleteWorkItemRequest& request, const Answer<Done>& answer);
Verdict JudgeCall(Judge& judge, const FailWorkItemRequest& request, const Answer<Done>& answer);
Verdict JudgeCall(Judge& judge, const ReclaimExpiredLeasesRequest& request, const Answer<ReclaimResult>& answer);
Verdict JudgeCall(Judge& judge, const MoveToDeadLetterRequest& request, const Answer<Done>& answer);
Verdict JudgeCall(Judge& judge, const CreateTokenRequest& request, const Answer<CreatedToken>& answer);
Verdict JudgeCall(Judge& judge, const ValidateTokenRequest& request, const Answer<std::optional<ApiToken>>& answer);
Verdict JudgeCall(Judge& judge, const CreateTenantRequest& request, const Answer<Done>& answer);
Verdict JudgeCall(Judge& judge, const GetTenantRequest& request, const Answer<std::optional<Tenant>>& answer);
Verdict JudgeCall(Judge& judge, const ListTenantsRequest& request, const Answer<std::vector<Tenant>>& answer);
Verdict JudgeCall(Judge& judge, const UpdateTenantRequest& request, const Answer<Done>& answer);
Verdict JudgeCall(Judge& judge, const RevokeTokenRequest& request, const Answer<Done>& answer);
Verdict JudgeCall(Judge& judge, const ExpireTokenRequest& request, const Answer<Done>& answer);
Verdict JudgeCall(Judge& judge, const ListDeadLettersRequest& request, const Answer<std::vector<DeadLetter>>& answer);

}  // namespace leasecheck::state_backend::spec_internal

#endif  // LEASECHECK_MODEL_STATE_BACKEND_SPEC_INTERNAL_H_
