#include "model/session_store/spec_turn_input_order.h"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "model/session_store/spec_turn_input.h"

namespace leasecheck::session_store {
namespace {

using Request = SessionStoreSpec::Request;
using Outcome = SessionStoreSpec::Outcome;
using Family = SessionStoreFamily;

template <class R>
const auto* AnswerTo(const Outcome& outcome) {
  return ResponseIf<Family, OperationIndexOf<Family, R>()>(outcome);
}

const PendingTurnInput* RecordIn(const PendingTurnInputCancelOutcome& outcome) {
  return std::visit(
      [](const auto& one) -> const PendingTurnInput* {
        if constexpr (requires { one.input; }) {
          return &one.input;
        } else {
          return nullptr;
        }
      },
      outcome);
}

// Marks. A row is named by its number, which no other row of the session ever has: 0 before its insert, 1 while it is there, 2
// once it is Cancelled or Completed.

struct InputMarks {
  const Outcome& outcome;
  std::vector<Mark>* marks;

  void operator()(const EnqueuePendingTurnInputRequest& request) const {
    const auto* input = AnswerTo<EnqueuePendingTurnInputRequest>(outcome);
    if (input == nullptr) return;
    if (request.input.source_key.has_value()) return Shown(*input);  // it may be the replay of an earlier insert
    marks->push_back({LastNumber(*input), input->enqueue_seq - std::min<uint64_t>(input->enqueue_seq, 1), input->enqueue_seq});
    marks->push_back({Name(*input), 0, 1});
  }
  void operator()(const ListPendingTurnInputsRequest&) const {
    const auto* list = AnswerTo<ListPendingTurnInputsRequest>(outcome);
    for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) Shown((*list)[i]);
  }
  void operator()(const CancelPendingTurnInputsRequest&) const {
    const auto* results = AnswerTo<CancelPendingTurnInputsRequest>(outcome);
    for (std::size_t i = 0; results != nullptr && i < results->size(); ++i) Cancel((*results)[i].outcome);
  }
  void operator()(const CancelPendingTurnInputRequest&) const {
    if (const auto* one = AnswerTo<CancelPendingTurnInputRequest>(outcome)) Cancel(*one);
  }
  void operator()(const CancelPendingTurnInputSuffixRequest&) const {
    const auto* answer = AnswerTo<CancelPendingTurnInputSuffixRequest>(outcome);
    const auto* suffix = answer == nullptr ? nullptr : std::get_if<SuffixOutcomes>(answer);
    for (std::size_t i = 0; suffix != nullptr && i < suffix->outcomes.size(); ++i) Cancel(suffix->outcomes[i]);
  }
  void operator()(const ClaimActiveTurnInputsRequest& request) const { Claim(request); }
  void operator()(const ClaimNextTurnInputsRequest& request) const { Claim(request); }
  template <class R>
  void operator()(const R&) const {}

 private:
  static std::string Name(const PendingTurnInput& input) {
    return absl::StrCat("input ", input.enqueue_seq, " of ", input.session_id);
  }
  static std::string LastNumber(const PendingTurnInput& input) { return absl::StrCat("inputs of ", input.session_id); }

  void Shown(const PendingTurnInput& input) const {
    const uint64_t stage = spec_internal::IsTerminal(input.state) ? 2 : 1;
    marks->push_back({Name(input), stage, stage});
    marks->push_back({LastNumber(input), kAnythingBefore, input.enqueue_seq});
  }
  void Cancel(const PendingTurnInputCancelOutcome& one) const {
    const PendingTurnInput* input = RecordIn(one);
    if (input == nullptr) return;
    if (!std::holds_alternative<TurnInputCancelled>(one)) return Shown(*input);
    // A row that the same call cancelled before shows once more as cancelled already; both cannot come before what made it so.
    marks->push_back({Name(*input), 1, 2});
    marks->push_back({LastNumber(*input), kAnythingBefore, input->enqueue_seq});
  }
  // A claim that came past the fence check found the fence's lane.
  template <class R>
  void Claim(const R& request) const {
    const auto* grant = AnswerTo<R>(outcome);
    if (grant == nullptr || request.max_inputs == 0) return;
    const uint64_t lane = request.session_execution_lease.fencing_token;
    marks->push_back({absl::StrCat("lane ", request.session_id), lane, lane});
    if (!grant->has_value() || (*grant)->inputs.empty()) return;
    for (const PendingTurnInput& input : (*grant)->inputs) Shown(input);
    // The fencing tokens of grants with one first input rise (TI-INV-6).
    const uint64_t fencing = (*grant)->fencing_token;
    marks->push_back({absl::StrCat("claims of ", Name((*grant)->inputs.front())), fencing == 0 ? 0 : fencing - 1, fencing});
  }
};

// Commuting.

enum class Kind {
  kEnqueue,
  kList,
  kCancel,  // all three
  kClaim,
  kClaimError,  // refused by its fence: it looked at the lane only
  kAbandon,
  kVacuum,
  kCommit,
  kLane,  // the lane's affairs
  kQueue  // queued work, and load_session
};

struct View {
  Kind kind;
  const Request& request;
  const Outcome& outcome;
};

struct KindOf {
  const Outcome& outcome;
  Kind operator()(const EnqueuePendingTurnInputRequest&) const { return Kind::kEnqueue; }
  Kind operator()(const ListPendingTurnInputsRequest&) const { return Kind::kList; }
  Kind operator()(const CancelPendingTurnInputsRequest&) const { return Kind::kCancel; }
  Kind operator()(const CancelPendingTurnInputRequest&) const { return Kind::kCancel; }
  Kind operator()(const CancelPendingTurnInputSuffixRequest&) const { return Kind::kCancel; }
  Kind operator()(const ClaimActiveTurnInputsRequest&) const { return Claim(); }
  Kind operator()(const ClaimNextTurnInputsRequest&) const { return Claim(); }
  Kind operator()(const AbandonTurnInputClaimRequest&) const { return Kind::kAbandon; }
  Kind operator()(const VacuumRequest&) const { return Kind::kVacuum; }
  Kind operator()(const CommitRuntimeStateRequest&) const { return Kind::kCommit; }
  Kind operator()(const TryClaimSessionExecutionLeaseRequest&) const { return Kind::kLane; }
  Kind operator()(const ReclaimSessionExecutionLeaseRequest&) const { return Kind::kLane; }
  Kind operator()(const RenewSessionExecutionLeaseRequest&) const { return Kind::kLane; }
  Kind operator()(const ReleaseSessionExecutionLeaseRequest&) const { return Kind::kLane; }
  template <class R>
  Kind operator()(const R&) const {
    return Kind::kQueue;
  }

 private:
  Kind Claim() const {
    const auto* error = std::get_if<1>(&outcome);
    return error != nullptr && std::holds_alternative<SessionExecutionLeaseExpired>(*error) ? Kind::kClaimError : Kind::kClaim;
  }
};

bool IsOfInputs(Kind kind) { return kind <= Kind::kVacuum; }

const RuntimeCommit& CommitOf(const View& view) { return std::get<CommitRuntimeStateRequest>(view.request).commit; }

// A commit beside a call of turn inputs.
bool CommitCommutes(const View& input, const View& commit) {
  if (input.kind == Kind::kVacuum) return false;  // the commit may bind the store, and so say what vacuum reaches
  const bool releases = CommitOf(commit).release_session_execution_lease.has_value();
  if (input.kind == Kind::kClaimError) return !releases;
  if (input.kind == Kind::kClaim && releases) return false;
  return !spec_internal::ConcernsInputs(CommitOf(commit));
}

const std::string& ClaimIdOf(const View& abandon) {
  return std::get<AbandonTurnInputClaimRequest>(abandon.request).claim.claim_id;
}

// `a.kind` is not behind `b.kind`; both are about turn inputs.
bool CommuteInOrder(const View& a, const View& b) {
  if (a.kind == Kind::kClaimError || b.kind == Kind::kClaimError) return true;
  switch (a.kind) {
    case Kind::kEnqueue:
      // A keyed one may show a row that the abandon or the claim changes.
      return b.kind == Kind::kAbandon && !std::get<EnqueuePendingTurnInputRequest>(a.request).input.source_key.has_value();
    case Kind::kList:
      return b.kind == Kind::kList || b.kind == Kind::kVacuum;
    case Kind::kClaim:
      return b.kind == Kind::kVacuum;  // it sees no tombstone
    case Kind::kAbandon:
      return b.kind == Kind::kVacuum || (b.kind == Kind::kAbandon && ClaimIdOf(a) != ClaimIdOf(b));
    default:
      return false;
  }
}

}  // namespace

void AppendInputMarks(const Request& request, const Outcome& outcome, std::vector<Mark>* marks) {
  std::visit(InputMarks{outcome, marks}, request);
}

bool LeavesInputs(const Outcome& outcome) {
  const auto cancelled = [](const PendingTurnInputCancelOutcome& one) { return std::holds_alternative<TurnInputCancelled>(one); };
  if (const auto* results = AnswerTo<CancelPendingTurnInputsRequest>(outcome)) {
    return std::none_of(results->begin(), results->end(), [&](const auto& result) { return cancelled(result.outcome); });
  }
  if (const auto* one = AnswerTo<CancelPendingTurnInputRequest>(outcome)) return !cancelled(*one);
  if (const auto* answer = AnswerTo<CancelPendingTurnInputSuffixRequest>(outcome)) {
    const auto* suffix = std::get_if<SuffixOutcomes>(answer);
    return suffix == nullptr || std::none_of(suffix->outcomes.begin(), suffix->outcomes.end(), cancelled);
  }
  for (const auto* answer : {AnswerTo<ClaimActiveTurnInputsRequest>(outcome), AnswerTo<ClaimNextTurnInputsRequest>(outcome)}) {
    if (answer != nullptr) return !answer->has_value();
  }
  return false;
}

std::optional<bool> InputsCommute(const Request& a, const Outcome& outcome_a, const Request& b, const Outcome& outcome_b) {
  View first{std::visit(KindOf{outcome_a}, a), a, outcome_a};
  View second{std::visit(KindOf{outcome_b}, b), b, outcome_b};
  const bool swapped = second.kind < first.kind;
  const View& low = swapped ? second : first;
  const View& high = swapped ? first : second;
  if (!IsOfInputs(low.kind)) return std::nullopt;
  switch (high.kind) {
    case Kind::kQueue:
      return true;
    case Kind::kLane:
      return low.kind != Kind::kClaim && low.kind != Kind::kClaimError;
    case Kind::kCommit:
      return CommitCommutes(low, high);
    default:
      return CommuteInOrder(low, high);
  }
}

}  // namespace leasecheck::session_store
