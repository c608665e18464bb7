// Scenes: short stories that random commands seldom tell, because each step has to hit what the step before it left.
#include <algorithm>
#include <array>
#include <vector>

#include "properties/runtime_repository_generator.h"

namespace leasecheck::runtime_repository {
namespace {

using Status = AttemptExecutionStatus;

constexpr int64_t kLong = 60'000;
constexpr uint64_t kAll = 100;

}  // namespace

void RuntimeRepositoryGenerator::PlanScene(const State& state, EpochMs now) {
  using Scene = bool (RuntimeRepositoryGenerator::*)(const State&, EpochMs);
  using G = RuntimeRepositoryGenerator;
  static constexpr std::array<Scene, 10> kScenes = {&G::SceneTimeoutOfRetry, &G::SceneOldHandle, &G::SceneRememberedPolicy,
                                                    &G::SceneNoTimeout,      &G::SceneFailover,  &G::SceneRetryBehind,
                                                    &G::SceneTenants,        &G::SceneRuns,      &G::SceneLingering,
                                                    &G::SceneEndedWithLease};
  constexpr std::size_t kMarking = 8;  // from here on they mark, which has programs of its own
  if (scenes_left_.empty()) {
    const std::size_t scenes = world_.theme == Theme::kMarks ? kScenes.size() : kMarking;
    for (std::size_t i = 0; i < scenes; ++i) scenes_left_.push_back(i);
    for (std::size_t i = scenes; i > 1; --i) std::swap(scenes_left_[i - 1], scenes_left_[random_.Below(i)]);
    if (world_.theme == Theme::kMarks)
      std::stable_partition(scenes_left_.begin(), scenes_left_.end(), [](std::size_t scene) {
        return scene < kMarking;  // they are taken from the back
      });
  }
  while (!scenes_left_.empty() && planned_.empty()) {
    const Scene scene = kScenes[scenes_left_.back()];
    scenes_left_.pop_back();
    if (!(this->*scene)(state, now)) planned_.clear();
  }
}

std::optional<RuntimeRepositoryGenerator::Subject> RuntimeRepositoryGenerator::Claimable(const State& state, EpochMs now,
                                                                                         const std::string& other_than) {
  std::vector<const Attempt*> found;
  found.reserve(state.attempts->size());
  for (const Attempt& attempt : *state.attempts) {
    if (attempt.id() == other_than) continue;
    const bool held = attempt.Executes() && attempt.lease != nullptr && attempt.lease->record.lease_expires_at < kLastInstant;
    if (held || attempt.DispatchableAt(InstantOf(now))) found.push_back(&attempt);
  }
  if (!found.empty()) {
    const Attempt& attempt = *random_.Pick(found);
    if (attempt.Executes()) {
      const Instant expires = attempt.lease->record.lease_expires_at;
      planned_.push_back(CommandOf(ExpireLeasesAndRequeueRequest{SaturatingAdd(expires, 1)}));
    }
    return Subject{attempt.id(), attempt.attempt_no};
  }
  for (const std::string& id : world_.attempts) {
    if (id == other_than || state.Find(id) != nullptr) continue;
    planned_.push_back(CommandOf(EnqueueAttemptRequest{id, random_.Pick(world_.runs)}));
    return Subject{id};
  }
  return std::nullopt;
}

std::string RuntimeRepositoryGenerator::PlanClaim(const std::string& attempt_id, Instant expires) {
  Command claim = CommandOf(UpsertLeaseRequest{attempt_id, random_.Pick(world_.workers), expires});
  claim.label = NewLabel('l');
  planned_.push_back(claim);
  return claim.label;
}

void RuntimeRepositoryGenerator::PlanRetry(const Subject& subject, EpochMs now) {
  RetryPolicy policy;
  policy.backoff_ms = random_.Pick(world_.backoffs);
  policy.max_retries = subject.attempt_no + 1 + static_cast<uint32_t>(random_.Below(3));
  // Under the system's clock clearly due, else perhaps at this very millisecond.
  const int64_t ago = policy.backoff_ms + (options_.system_now != 0 ? 1000 : static_cast<int64_t>(random_.Below(2)));
  const Instant then = SaturatingAdd(InstantOf(now), -ago);
  planned_.push_back(CommandOf(AckAttemptRequest{subject.id, Status::kFailed, policy, then, std::nullopt}));
}

// An attempt with retries left is claimed again and times out: that is its end all the same (RR-TMO-8).
bool RuntimeRepositoryGenerator::SceneTimeoutOfRetry(const State& state, EpochMs now) {
  const auto subject = Claimable(state, now);
  if (!subject.has_value()) return false;
  PlanRetry(*subject, now);
  PlanClaim(subject->id, Expiry(now));
  const int64_t timeout = random_.Pick(world_.timeouts);
  const Status ends = random_.OneIn(3) ? Status::kCancelled : Status::kFailed;
  planned_.push_back(CommandOf(SetAttemptTimeoutPolicyRequest{subject->id, timeout, ends}));
  const Instant due = SaturatingAdd(InstantOf(now), timeout + (options_.system_now != 0 ? kLong : 0));
  if (random_.OneIn(3)) planned_.push_back(CommandOf(TransitionTimedOutAttemptsRequest{SaturatingAdd(due, -1)}));
  planned_.push_back(CommandOf(TransitionTimedOutAttemptsRequest{due}));
  planned_.push_back(CommandOf(GetAttemptStatusRequest{subject->id}));
  planned_.push_back(CommandOf(ListDeadLettersRequest{}));
  if (random_.OneIn(3)) planned_.push_back(CommandOf(TransitionTimedOutAttemptsRequest{due}));
  return true;
}

// A lease is swept, its attempt is claimed anew, and the old holder goes on (RR-HBT-7).
bool RuntimeRepositoryGenerator::SceneOldHandle(const State& state, EpochMs now) {
  const auto subject = Claimable(state, now);
  if (!subject.has_value()) return false;
  const Instant at = InstantOf(now);
  const Instant expires = SaturatingAdd(at, random_.OneIn(2) ? -10 : 20);
  const std::string old = PlanClaim(subject->id, expires);
  planned_.push_back(CommandOf(ExpireLeasesAndRequeueRequest{SaturatingAdd(expires, 1)}));
  PlanClaim(subject->id, SaturatingAdd(at, kLong));
  const uint64_t way = random_.Below(3);
  Command late = way == 0 ? CommandOf(HeartbeatLeaseWithVersionRequest{"", random_.Pick(world_.workers), 1, at, Expiry(now)})
                          : CommandOf(HeartbeatLeaseRequest{"", at, Expiry(now)});
  late.references = {{"lease_id", old, "lease_id"}};
  planned_.push_back(std::move(late));
  planned_.push_back(CommandOf(GetLeaseForAttemptRequest{subject->id}));
  return true;
}

// The policy of the last retry decides on the next one too (RR-FIX-6).
bool RuntimeRepositoryGenerator::SceneRememberedPolicy(const State& state, EpochMs now) {
  const auto subject = Claimable(state, now);
  if (!subject.has_value()) return false;
  PlanRetry(*subject, now);
  if (random_.OneIn(2)) PlanClaim(subject->id, Expiry(now));
  planned_.push_back(CommandOf(AckAttemptRequest{subject->id, Status::kFailed, std::nullopt, InstantOf(now), std::nullopt}));
  planned_.push_back(CommandOf(GetAttemptRetryHistoryRequest{subject->id}));
  return true;
}

// An attempt whose timeout has passed, but which nobody executes (RR-TMO-5).
bool RuntimeRepositoryGenerator::SceneNoTimeout(const State& state, EpochMs now) {
  const auto subject = Claimable(state, now);
  if (!subject.has_value()) return false;
  const Instant at = InstantOf(now);
  const int64_t timeout = random_.Pick(world_.timeouts);
  const uint64_t way = random_.Below(3);
  if (way == 0) PlanRetry(*subject, now);
  if (way == 1) {
    planned_.push_back(CommandOf(AckAttemptRequest{subject->id, Status::kCompleted, std::nullopt, at, std::nullopt}));
  }
  planned_.push_back(CommandOf(SetAttemptTimeoutPolicyRequest{subject->id, timeout, Status::kFailed}));
  planned_.push_back(CommandOf(SetAttemptStartedAtRequest{subject->id, at}));
  planned_.push_back(CommandOf(TransitionTimedOutAttemptsRequest{SaturatingAdd(at, timeout)}));
  planned_.push_back(CommandOf(GetAttemptStatusRequest{subject->id}));
  return true;
}

// From which claim on a timeout counts when its attempt was swept and claimed again (RR-LAT-8, RR-UPS-11).
bool RuntimeRepositoryGenerator::SceneFailover(const State& state, EpochMs now) {
  const auto subject = Claimable(state, now);
  if (!subject.has_value()) return false;
  const Instant at = InstantOf(now);
  const int64_t timeout = random_.Pick(world_.timeouts);
  const Instant expires = SaturatingAdd(at, -1);
  PlanClaim(subject->id, expires);
  planned_.push_back(CommandOf(SetAttemptTimeoutPolicyRequest{subject->id, timeout, Status::kFailed}));
  Instant started = at;
  if (options_.system_now == 0 && options_.move_clock && random_.OneIn(2)) {
    planned_.push_back({"", engine::SetClock{std::min(now + 1 + random_.Below(2), kMaxVirtualTime)}, {}});
  } else {
    started = SaturatingAdd(at, -1 - static_cast<int64_t>(random_.Below(1000)));
    planned_.push_back(CommandOf(SetAttemptStartedAtRequest{subject->id, started}));
  }
  planned_.push_back(CommandOf(ExpireLeasesAndRequeueRequest{at}));
  PlanClaim(subject->id, SaturatingAdd(at, kLong));
  planned_.push_back(CommandOf(TransitionTimedOutAttemptsRequest{SaturatingAdd(started, timeout)}));
  planned_.push_back(CommandOf(GetAttemptStatusRequest{subject->id}));
  return true;
}

// A retry that is due, and a first try of the same priority (RR-LST-4).
bool RuntimeRepositoryGenerator::SceneRetryBehind(const State& state, EpochMs now) {
  const auto retry = Claimable(state, now);
  if (!retry.has_value()) return false;
  const auto first = Claimable(state, now, retry->id);
  if (!first.has_value()) return false;
  PlanRetry(*retry, now);
  const int32_t priority = random_.Pick(world_.priorities);
  for (const std::string& id : {retry->id, first->id}) planned_.push_back(CommandOf(SetAttemptPriorityRequest{id, priority}));
  planned_.push_back(CommandOf(ListDispatchableAttemptsRequest{InstantOf(now), random_.OneIn(2) ? kAll : 1 + random_.Below(3)}));
  return true;
}

// One of two attempts of a tenant is leased: the other is listed all the same (RR-LST-12).
bool RuntimeRepositoryGenerator::SceneTenants(const State& state, EpochMs now) {
  const auto leased = Claimable(state, now);
  if (!leased.has_value()) return false;
  const auto free = Claimable(state, now, leased->id);
  if (!free.has_value()) return false;
  const std::string& tenant = random_.Pick(world_.tenants);
  for (const std::string& id : {leased->id, free->id}) planned_.push_back(CommandOf(SetAttemptTenantIdRequest{id, tenant}));
  PlanClaim(leased->id, SaturatingAdd(InstantOf(now), kLong));
  planned_.push_back(CommandOf(ListDispatchableAttemptsRequest{InstantOf(now), kAll}));
  planned_.push_back(CommandOf(ActiveLeasesForTenantRequest{tenant, InstantOf(now)}));
  return true;
}

// Two runs that count apart (RR-SEQ-3).
bool RuntimeRepositoryGenerator::SceneRuns(const State& /*state*/, EpochMs /*now*/) {
  for (const std::string& run : world_.runs) planned_.push_back(CommandOf(AppendRunEventsRequest{run, 1 + random_.Below(3)}));
  for (const std::string& run : world_.runs) planned_.push_back(CommandOf(LatestSeqForRunRequest{run}));
  return true;
}

// A lease lingers on an attempt that was marked ready: live it hides it, expired it is replaced (RR-LST-7, RR-UPS-9).
bool RuntimeRepositoryGenerator::SceneLingering(const State& state, EpochMs now) {
  const auto subject = Claimable(state, now);
  if (!subject.has_value()) return false;
  const Instant at = InstantOf(now);
  const Instant expires = SaturatingAdd(at, options_.system_now != 0 ? kLong : static_cast<int64_t>(random_.Below(20)));
  const std::string lease = PlanClaim(subject->id, expires);
  planned_.push_back(CommandOf(MarkAttemptStatusRequest{subject->id, Status::kQueued}));
  for (const int64_t later : {0, 1}) {
    planned_.push_back(CommandOf(ListDispatchableAttemptsRequest{SaturatingAdd(expires, later), kAll}));
  }
  PlanClaim(subject->id, Expiry(now));
  Command shortened = CommandOf(HeartbeatLeaseRequest{"", at, SaturatingAdd(at, options_.system_now != 0 ? -10 : -1)});
  shortened.references = {{"lease_id", lease, "lease_id"}};
  planned_.push_back(std::move(shortened));
  if (random_.OneIn(2)) PlanClaim(subject->id, Expiry(now));
  return true;
}

// A sweep of an attempt that was marked as ended (RR-EXP-5).
bool RuntimeRepositoryGenerator::SceneEndedWithLease(const State& state, EpochMs now) {
  const auto subject = Claimable(state, now);
  if (!subject.has_value()) return false;
  const Instant expires = Expiry(now);
  PlanClaim(subject->id, expires);
  constexpr std::array<Status, 3> kEnds = {Status::kCompleted, Status::kFailed, Status::kCancelled};
  planned_.push_back(CommandOf(MarkAttemptStatusRequest{subject->id, random_.Pick(kEnds)}));
  planned_.push_back(CommandOf(ExpireLeasesAndRequeueRequest{SaturatingAdd(expires, 1)}));
  planned_.push_back(CommandOf(GetAttemptStatusRequest{subject->id}));
  return true;
}

}  // namespace leasecheck::runtime_repository
