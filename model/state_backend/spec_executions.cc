// Executions: what makes and changes them, and how one is shown.
#include <string>

#include "model/state_backend/spec_internal.h"

namespace leasecheck::state_backend::spec_internal {
namespace {

// A call that names an execution which is not there for the view.
template <class Response>
Verdict JudgeUnknown(const Judge& judge, const ExecutionId& id, const View& view, const Answer<Response>& answer,
                     Verdict refusal) {
  if (answer.unseen) return kAllowed;
  if (!answer.IsNotFound()) return judge.state.FindExecution(id) == nullptr ? refusal : Refuse<"SB-TEN-10">();
  const bool foreign = judge.state.FindExecution(id) != nullptr;
  judge.Refused<"SB-TEN-10">(foreign);
  judge.Refused<"SB-TEN-12">(view.has_value() && IsRegistered(judge, *view) == Registered::kNo);
  return kAllowed;
}

Verdict BlameState(const Execution& execution) {
  switch (execution.touched) {
    case Touch::kCreate:
      return Refuse<"SB-EXE-1">();
    case Touch::kStatus:
      return Refuse<"SB-EXE-6">();
    case Touch::kState:
      return Refuse<"SB-EXE-9">();
    default:
      return Refuse<"SB-PAT-3">();
  }
}

Verdict BlameUpdated(const Execution& execution) {
  return execution.touched == Touch::kPatch ? Refuse<"SB-PAT-8">() : BlameState(execution);
}

bool ShowsCompleted(const Judge& judge, const Execution& execution, const WorkflowExecution& shown) {
  const auto& expected = execution.completed_at;
  if (judge.MemoryPreset() && shown.completed_at == execution.born->value.completed_at) return true;  // SB-LAT-6
  if (expected.has_value() != shown.completed_at.has_value()) return false;
  return !expected.has_value() || expected->Includes(*shown.completed_at);
}

// What was lost, if anything, of the session type (SB-LAT-7).
bool ShowsSession(const SpecState& state, const WorkflowExecution& born, const WorkflowExecution& shown) {
  if (!born.session_type.has_value()) return !shown.session_type.has_value();
  if (shown.session_type.has_value() && shown.session_type != born.session_type) return false;
  return MayChoose(state, &SpecState::sessions, shown.session_type.has_value() ? Choice::kFirst : Choice::kSecond);
}

Verdict CheckExecution(const Judge& judge, const Execution& execution, const WorkflowExecution& shown) {
  const WorkflowExecution& born = execution.born->value;
  const bool same = shown.execution_id == born.execution_id && shown.workflow_id == born.workflow_id &&
                    shown.workflow_version == born.workflow_version && shown.initial_input == born.initial_input &&
                    shown.started_at == born.started_at;
  if (!same) return Refuse<"SB-EXE-1">();
  if (!ShowsSession(judge.state, born, shown)) return Refuse<"SB-LAT-7">();
  if (shown.status != execution.status) {
    return execution.touched == Touch::kCreate ? Refuse<"SB-EXE-1">() : Refuse<"SB-EXE-6">();
  }
  if (shown.current_state.text != *execution.state) return BlameState(execution);
  if (!execution.updated_at.Includes(shown.updated_at)) return BlameUpdated(execution);
  if (ShowsCompleted(judge, execution, shown)) return kAllowed;
  return execution.touched == Touch::kCreate ? Refuse<"SB-EXE-1">() : Refuse<"SB-EXE-7">();
}

void CountShown(const Judge& judge, const Execution& execution) {
  const bool completed = execution.completed_at.has_value();
  judge.Held<"SB-EXE-1">(execution.touched == Touch::kCreate);
  judge.Held<"SB-EXE-6">(execution.touched == Touch::kStatus);
  judge.Held<"SB-EXE-7">(execution.touched == Touch::kStatus && completed);
  judge.Held<"SB-EXE-9">(execution.touched == Touch::kState);
  judge.Held<"SB-PAT-8">(execution.touched == Touch::kPatch);
  judge.Held<"SB-INV-13">(execution.touched != Touch::kCreate);
  const Log* log = judge.state.FindLog(execution.id());
  judge.Held<"SB-EVT-10">(log != nullptr && !log->entries->empty());
  judge.Held<"SB-LAT-7">(execution.born->value.session_type.has_value());
}

void Create(SpecState& state, const CreateExecutionRequest& request) {
  const WorkflowExecution& value = request.execution;
  Execution execution;
  execution.born = Share(Birth{OwnerOf(request.view), value});
  execution.state = Share(value.current_state.text);
  execution.status = value.status;
  execution.updated_at = Moment::At(value.updated_at);
  if (value.completed_at.has_value()) execution.completed_at = Moment::At(*value.completed_at);
  Put(state, std::move(execution));
}

// A creation with an id that is taken.
Verdict JudgeTaken(const Judge& judge, const Execution& there, const CreateExecutionRequest& request,
                   const Answer<Done>& answer) {
  const bool foreign = !Sees(request.view, there.born->tenant);
  if (!answer.IsDatabase()) return foreign ? Refuse<"SB-TEN-14">() : Refuse<"SB-EXE-2">();
  judge.Refused<"SB-EXE-2">();
  judge.Refused<"SB-TEN-14">(foreign);
  return kAllowed;
}

}  // namespace

Verdict TakeExecution(Judge& judge, const Execution& execution, const WorkflowExecution& shown) {
  if (Verdict refused = CheckExecution(judge, execution, shown)) return refused;
  if (judge.counting()) CountShown(judge, execution);
  if (execution.born->value.session_type.has_value()) {
    Choose(judge.state, &SpecState::sessions, shown.session_type.has_value() ? Choice::kFirst : Choice::kSecond);
  }
  const Moment updated = Moment::At(shown.updated_at);
  std::optional<Moment> completed = execution.completed_at;
  if (completed.has_value() && shown.completed_at.has_value() && completed->Includes(*shown.completed_at)) {
    completed = Moment::At(*shown.completed_at);
  }
  if (execution.updated_at == updated && execution.completed_at == completed) return kAllowed;
  Execution& own = Edit(judge.state, judge.state.FindExecution(execution.id()));
  own.updated_at = updated;
  own.completed_at = completed;
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const CreateExecutionRequest& request, const Answer<Done>& answer) {
  const Execution* there = judge.state.FindExecution(request.execution.execution_id);
  const bool registered = !request.view.has_value() || IsRegistered(judge, *request.view) != Registered::kNo;
  if (!registered) {
    if (answer.response != nullptr || answer.IsNotFound()) return Refuse<"SB-TEN-12">();
    judge.Refused<"SB-TEN-12">(answer.error != nullptr);
    return kAllowed;
  }
  if (there != nullptr && !judge.MemoryPreset()) {  // SB-LAT-2
    return answer.unseen ? kAllowed : JudgeTaken(judge, *there, request, answer);
  }
  if (answer.error != nullptr) {
    const bool may_refuse =
        there != nullptr || (request.view.has_value() && IsRegistered(judge, *request.view) == Registered::kUnsaid);
    if (may_refuse && answer.IsDatabase()) return kAllowed;
    return RefuseError<"SB-EXE-3">(judge, answer);
  }
  judge.Held<"SB-EXE-3">(answer.response != nullptr);
  Create(judge.state, request);
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const GetExecutionRequest& request, const Answer<std::optional<WorkflowExecution>>& answer) {
  if (answer.unseen) return kAllowed;
  if (answer.error != nullptr) return Refuse<"SB-GEN-4">();
  const Execution* execution = VisibleExecution(judge.state, request.id, request.view);
  const std::optional<WorkflowExecution>& shown = *answer.response;
  const bool foreign = execution == nullptr && judge.state.FindExecution(request.id) != nullptr;
  if (!shown.has_value()) {
    if (execution != nullptr) return Refuse<"SB-EXE-1">();
    judge.Refused<"SB-EXE-4">();
    judge.Refused<"SB-GEN-4">();
    judge.Refused<"SB-TEN-10">(foreign);
    judge.Refused<"SB-TEN-12">(request.view.has_value() && IsRegistered(judge, *request.view) == Registered::kNo);
    return kAllowed;
  }
  if (execution == nullptr) return foreign ? Refuse<"SB-TEN-10">() : Refuse<"SB-EXE-4">();
  return TakeExecution(judge, *execution, *shown);
}

Verdict JudgeCall(Judge& judge, const UpdateExecutionStatusRequest& request, const Answer<Done>& answer) {
  const Execution* execution = VisibleExecution(judge.state, request.id, request.view);
  if (execution == nullptr) {
    const Verdict refused = JudgeUnknown(judge, request.id, request.view, answer, Refuse<"SB-EXE-5">());
    judge.Refused<"SB-EXE-5">(!refused.has_value() && !answer.unseen);
    return refused;
  }
  const bool legal = IsLegalMove(execution->status, request.status);
  if (answer.error != nullptr) {
    return legal ? RefuseError<"SB-EXE-6">(judge, answer) : RefuseError<"SB-EXE-8">(judge, answer);
  }
  judge.Held<"SB-EXE-8">(!legal && answer.response != nullptr);
  Execution& own = Edit(judge.state, execution);
  own.status = request.status;
  own.updated_at = judge.Stamp();
  if (IsTerminal(request.status)) own.completed_at = own.updated_at;
  own.touched = Touch::kStatus;
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const UpdateExecutionCurrentStateRequest& request, const Answer<Done>& answer) {
  const Execution* execution = VisibleExecution(judge.state, request.id, request.view);
  if (execution == nullptr) {
    if (answer.response != nullptr) return kAllowed;  // SB-LAT-4: it does nothing
    const Verdict refused = JudgeUnknown(judge, request.id, request.view, answer, Refuse<"SB-EXE-10">());
    judge.Refused<"SB-EXE-10">(!refused.has_value() && !answer.unseen);
    return refused;
  }
  if (answer.error != nullptr) return RefuseError<"SB-EXE-9">(judge, answer);
  Execution& own = Edit(judge.state, execution);
  own.state = Share(request.current_state.text);
  own.updated_at = judge.Stamp();
  own.touched = Touch::kState;
  return kAllowed;
}

}  // namespace leasecheck::state_backend::spec_internal
