// patch_append_array.
#include <string>

#include "absl/strings/match.h"
#include "model/state_backend/spec_internal.h"
#include "model/state_backend/spec_json.h"

namespace leasecheck::state_backend::spec_internal {
namespace {

Verdict JudgeUnknown(const Judge& judge, const PatchAppendArrayRequest& request, const Answer<Done>& answer) {
  if (answer.unseen) return kAllowed;
  const bool foreign = judge.state.FindExecution(request.execution_id) != nullptr;
  if (!answer.IsNotFound()) return foreign ? Refuse<"SB-TEN-10">() : Refuse<"SB-PAT-1">();
  judge.Refused<"SB-PAT-1">();
  judge.Refused<"SB-TEN-10">(foreign);
  return kAllowed;
}

// A patch that the state has no place for.
template <ClauseId kId>
Verdict JudgeMisfit(const Judge& judge, const Answer<Done>& answer) {
  if (answer.unseen) return kAllowed;
  if (!answer.IsDatabase()) return Refuse<kId>();
  judge.Refused<kId>();
  return kAllowed;
}

bool LooksLikePath(absl::string_view key) {
  return key.empty() || absl::StrContains(key, ".") || absl::StrContains(key, "/") || absl::StrContains(key, "~");
}

void CountPatch(const Judge& judge, const PatchAppendArrayRequest& request, Appended appended) {
  const char first = request.value.text.empty() ? ' ' : request.value.text.front();
  judge.Held<"SB-PAT-2">(appended == Appended::kCreated);
  judge.Held<"SB-PAT-3">(appended == Appended::kAppended);
  judge.Held<"SB-PAT-4">(first == '[' || first == '{' || first == 'n');
  judge.Held<"SB-PAT-5">(LooksLikePath(request.key));
  judge.Held<"SB-PAT-9">(AnyRival<PatchAppendArrayRequest>(judge, [&](const PatchAppendArrayRequest& other) {
    return other.execution_id == request.execution_id && other.key == request.key;
  }));
}

}  // namespace

Verdict JudgeCall(Judge& judge, const PatchAppendArrayRequest& request, const Answer<Done>& answer) {
  const Execution* execution = VisibleExecution(judge.state, request.execution_id, request.view);
  if (execution == nullptr) return JudgeUnknown(judge, request, answer);
  std::string patched;
  const Appended appended = AppendToArray(*execution->state, request.key, request.value.text, &patched);
  if (appended == Appended::kNoObject) return JudgeMisfit<"SB-PAT-7">(judge, answer);
  if (appended == Appended::kNoArray) return JudgeMisfit<"SB-PAT-6">(judge, answer);
  if (answer.error != nullptr) {
    if (LooksLikePath(request.key)) return RefuseError<"SB-PAT-5">(judge, answer);
    return appended == Appended::kCreated ? RefuseError<"SB-PAT-2">(judge, answer) : RefuseError<"SB-PAT-3">(judge, answer);
  }
  if (answer.response != nullptr && judge.counting()) CountPatch(judge, request, appended);
  Execution& own = Edit(judge.state, execution);
  own.state = Share(std::move(patched));
  own.updated_at = judge.Stamp();
  own.touched = Touch::kPatch;
  return kAllowed;
}

}  // namespace leasecheck::state_backend::spec_internal
