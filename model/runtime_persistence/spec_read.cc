// load_session.
#include <memory>

#include "model/runtime_persistence/spec_internal.h"

namespace leasecheck::runtime_persistence::spec_internal {
namespace {

using ReadAnswer = Answer<std::optional<PersistedSessionRead>>;

bool IsPath(const LoadSessionRequest& request) { return std::holds_alternative<ActivePath>(request.scope); }

// UnsupportedReadScope of a path, from a store that never reads one (RP-LAT-25).
Verdict JudgeReadError(Judge& judge, const LoadSessionRequest& request, const ReadAnswer& answer) {
  const auto* unsupported = answer.ErrorIf<UnsupportedReadScope>();
  const bool path = IsPath(request);
  if (unsupported == nullptr || !path || unsupported->scope != request.scope || judge.state.paths == Choice::kFirst) {
    if (judge.state.head_revision == 0) return Refuse<"RP-LDS-1">();
    return path ? Refuse<"RP-LDS-5">() : Refuse<"RP-LDS-2">();
  }
  judge.state.paths = Choice::kSecond;
  return kAllowed;
}

// What the head was replaced by, whole.
Verdict CheckHead(const SpecState& state, const PersistedSessionRead& read) {
  if (read.head_revision != state.head_revision) return Refuse<"RP-CMT-6">();
  if (read.session_id != *state.bound_session) return Refuse<"RP-LDS-2">();
  const Head& head = *state.head;
  const bool same = read.config == head.config && read.agent_frames == head.agent_frames &&
                    read.current_agent_frame_id == head.current_agent_frame_id;
  if (same) return kAllowed;
  return state.head_revision > 1 ? Refuse<"RP-CMT-20">() : Refuse<"RP-LDS-2">();
}

void CountRead(const Judge& judge, const LoadSessionRequest& request, const PersistedSessionRead& read) {
  if (!judge.counting()) return;
  judge.Held<"RP-LDS-2">();
  judge.Held<"RP-LDS-12">(IsPath(request));
  judge.Held<"RP-LDS-14">();
  judge.Held<"RP-CMT-6">();
  judge.Held<"RP-CMT-17">();
  judge.Held<"RP-CMT-20">(read.head_revision > 1);
  CountGraph(judge, request.scope);
  CountReadCheckpoint(judge, read);
  CountLedger(judge);
}

Verdict JudgeNothing(Judge& judge, const LoadSessionRequest& request) {
  if (judge.state.head_revision > 0) return Refuse<"RP-LDS-2">();
  if (IsPath(request) && judge.state.paths == Choice::kSecond) return Refuse<"RP-LDS-5">();
  judge.Refused<"RP-LDS-1">();
  if (IsPath(request)) judge.state.paths = Choice::kFirst;
  return kAllowed;
}

Verdict JudgeRead(Judge& judge, const LoadSessionRequest& request, const PersistedSessionRead& read) {
  SpecState& state = judge.state;
  if (state.head_revision == 0) return Refuse<"RP-LDS-1">();
  if (IsPath(request) && state.paths == Choice::kSecond) return Refuse<"RP-LDS-5">();
  SessionCheckpoint manifest;
  Choice counting = state.counting;
  if (Verdict refused = CheckHead(state, read)) return refused;
  if (Verdict refused = CheckGraph(judge, request.scope, read.graph)) return refused;
  if (Verdict refused = CheckReadCheckpoint(state, read, &manifest)) return refused;
  if (!MatchesLedger(state, read.token_ledger, &counting)) {
    const bool zero = std::any_of(read.token_ledger.begin(), read.token_ledger.end(),
                                  [](const TokenLedgerEntry& entry) { return entry.usage == TokenUsage(); });
    return zero ? Refuse<"RP-CMT-19">() : Refuse<"RP-CMT-18">();
  }
  CountRead(judge, request, read);
  state.counting = counting;
  if (IsPath(request)) state.paths = Choice::kFirst;
  if (!IsPath(request)) BindOrder(state, read.graph);
  if (!state.saved->seen) BindSaved(state, std::shared_ptr<const SavedCheckpoint>(state.saved), *read.checkpoint_ref, manifest);
  return kAllowed;
}

}  // namespace

Verdict JudgeCall(Judge& judge, const LoadSessionRequest& request, const ReadAnswer& answer) {
  if (answer.unseen) return kAllowed;
  if (answer.error != nullptr) return JudgeReadError(judge, request, answer);
  if (!answer.response->has_value()) return JudgeNothing(judge, request);
  return JudgeRead(judge, request, **answer.response);
}

}  // namespace leasecheck::runtime_persistence::spec_internal
