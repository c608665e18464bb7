// Session meta and the durability tier.
#include <algorithm>
#include <memory>

#include "model/runtime_persistence/spec_internal.h"

namespace leasecheck::runtime_persistence::spec_internal {
namespace {

// Whether every saved meta names the store's own session: then there is one slot in every store (RP-LAT-12).
bool OneSlot(const SpecState& state) {
  const auto& metas = *state.metas;
  if (metas.empty()) return true;
  return metas.size() == 1 && (!state.bound_session.has_value() || metas.front()->session_id == *state.bound_session);
}

bool ShowsOne(const SpecState& state, const std::optional<SessionMeta>& shown) {
  if (!shown.has_value()) return true;
  return std::any_of(state.metas->begin(), state.metas->end(), [&](const auto& meta) { return *meta == *shown; });
}

Verdict BlameMeta(const SpecState& state, const std::optional<SessionMeta>& shown) {
  if (state.metas->empty()) return Refuse<"RP-MET-1">();
  if (!shown.has_value() && state.memory->settled) return Refuse<"RP-CMT-29">();
  return Refuse<"RP-MET-2">();
}

}  // namespace

Verdict JudgeCall(Judge& judge, const SaveSessionMetaRequest& request, const Answer<Done>& answer) {
  if (answer.error != nullptr) return Refuse<"RP-MET-3">();
  SpecState& state = judge.state;
  judge.Held<"RP-MET-3">(answer.response != nullptr && !state.metas->empty());
  auto& metas = state.metas.Edit();
  std::erase_if(metas, [&](const auto& meta) { return meta->session_id == request.meta.session_id; });
  metas.push_back(std::make_shared<const SessionMeta>(request.meta));
  if (judge.counting()) state.memory.Edit().settled = false;
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const LoadSessionMetaRequest&, const Answer<std::optional<SessionMeta>>& answer) {
  if (answer.unseen) return kAllowed;
  const SpecState& state = judge.state;
  if (answer.error != nullptr) return state.metas->empty() ? Refuse<"RP-MET-1">() : Refuse<"RP-MET-2">();
  const std::optional<SessionMeta>& shown = *answer.response;
  const bool newest = state.metas->empty() ? !shown.has_value() : shown.has_value() && *shown == *state.metas->back();
  if (!newest && (OneSlot(state) || !ShowsOne(state, shown))) return BlameMeta(state, shown);
  judge.Refused<"RP-MET-1">(state.metas->empty());
  judge.Held<"RP-MET-2">(!state.metas->empty());
  judge.Held<"RP-CMT-29">(!state.metas->empty() && state.memory->settled);
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const DurabilityTierRequest&, const Answer<DurabilityTier>& answer) {
  if (answer.unseen) return kAllowed;
  if (answer.error != nullptr) return Refuse<"RP-DUR-1">();
  const Choice tier = *answer.response == DurabilityTier::kInline ? Choice::kFirst : Choice::kSecond;
  if (judge.state.tier != Choice::kOpen && judge.state.tier != tier) return Refuse<"RP-DUR-1">();
  judge.Held<"RP-DUR-1">(judge.state.tier != Choice::kOpen);
  judge.state.tier = tier;
  return kAllowed;
}

}  // namespace leasecheck::runtime_persistence::spec_internal
