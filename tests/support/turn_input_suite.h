// The turn-input clauses and worked examples as tests that any store can be put to.
//
// A test program compiles turn_input_suite.cc and names its stores:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, TurnInputSuite, ::testing::Values(StoreUnderTest{"Plain", [] { ... }}), ...);
#ifndef LEASECHECK_TESTS_SUPPORT_TURN_INPUT_SUITE_H_
#define LEASECHECK_TESTS_SUPPORT_TURN_INPUT_SUITE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/environment.h"
#include "model/session_store/store.h"
#include "model/time.h"

namespace leasecheck::session_store {

// A store that makes the reference's choices, and its clock. The probe is FixedLiveness(1, "1").
class StoreHandle {
 public:
  virtual ~StoreHandle() = default;
  // May be another opening of the same store each time.
  virtual SessionStore& store() = 0;
  virtual void SetNow(EpochMs now) = 0;
};

struct StoreUnderTest {
  std::string name;
  std::function<std::unique_ptr<StoreHandle>()> open;  // at time 0
};

inline std::string StoreName(const ::testing::TestParamInfo<StoreUnderTest>& info) { return info.param.name; }

class TurnInputSuite : public ::testing::TestWithParam<StoreUnderTest> {
 protected:
  using Ids = std::vector<std::string>;
  using Claimed = Result<std::optional<TurnInputClaim>>;

  TurnInputSuite() : handle_(GetParam().open()) {}

  SessionStore& store() { return handle_->store(); }
  void At(EpochMs now) { handle_->SetNow(now); }

  // Drafts.
  static PendingTurnInputDraft Next(const std::string& text = "hi", const std::string& session = "s");
  static PendingTurnInputDraft Active(const std::string& turn, CheckpointKind min_boundary = CheckpointKind::kAfterWork,
                                      const std::string& text = "hi", const std::string& session = "s");
  static PendingTurnInputDraft Keyed(const std::string& key, PendingTurnInputDraft draft);
  static PendingTurnInputDraft WithId(const std::string& id, PendingTurnInputDraft draft);
  static LeaseOwnerIdentity Owner(const std::string& id) { return {id, "1", OpaqueOwner{}}; }
  static LeaseOwnerIdentity Process(const std::string& id, uint32_t pid) {
    return {id, "1", LocalProcessOwner{"h", "b", pid, "1"}};
  }

  // Calls; each fails the test where the contract says nothing of failing.
  PendingTurnInput Enqueue(const PendingTurnInputDraft& draft);
  StoreError EnqueueError(const PendingTurnInputDraft& draft);
  SessionExecutionLease Hold(const LeaseOwnerIdentity& owner, DurationMs ttl = kEndOfTime, const std::string& session = "s");
  Claimed TryNext(const SessionExecutionLease& lane, DurationMs ttl = 1000, uint64_t max = 10);
  std::optional<TurnInputClaim> ClaimNext(const SessionExecutionLease& lane, DurationMs ttl = 1000, uint64_t max = 10);
  std::optional<TurnInputClaim> ClaimNextAs(const LeaseOwnerIdentity& owner, const SessionExecutionLease& lane,
                                            DurationMs ttl = 1000, uint64_t max = 10);
  Claimed TryActive(const SessionExecutionLease& lane, const std::string& turn,
                    CheckpointKind checkpoint = CheckpointKind::kAfterWork, DurationMs ttl = 1000, uint64_t max = 10);
  std::optional<TurnInputClaim> ClaimActive(const SessionExecutionLease& lane, const std::string& turn,
                                            CheckpointKind checkpoint = CheckpointKind::kAfterWork, DurationMs ttl = 1000,
                                            uint64_t max = 10);
  void Abandon(const TurnInputClaim& claim);
  std::vector<PendingTurnInput> ListFull(const std::string& session = "s");
  Ids List(const std::string& session = "s") { return IdsOf(ListFull(session)); }
  PendingTurnInputCancelOutcome Cancel(const std::string& input_id, const std::string& session = "s");
  std::vector<PendingTurnInputCancelResult> CancelAll(const std::vector<PendingTurnInputCancelTarget>& targets);
  PendingTurnInputSuffixCancelOutcome Suffix(const PendingTurnInputCancelTarget& anchor, const std::string& session = "s");
  uint64_t Vacuum();

  // Commits of the lane's session.
  static RuntimeCommit CommitOf(const SessionExecutionLease& lane, const std::vector<TurnInputCompletion>& completions = {},
                                const std::optional<std::string>& interrupted = std::nullopt);
  Result<RuntimeCommitResult> Commit(const RuntimeCommit& commit) { return store().CommitRuntimeState({commit}); }
  // Succeeds.
  void Settle(const SessionExecutionLease& lane, const std::vector<TurnInputClaim>& claims,
              const std::optional<std::string>& interrupted = std::nullopt);
  void Interrupt(const SessionExecutionLease& lane, const std::string& turn) { Settle(lane, {}, turn); }
  // Fails as a claim does that no longer owns its rows.
  void RefusesToSettle(const SessionExecutionLease& lane, const std::vector<TurnInputCompletion>& completions,
                       const TurnInputClaim& blamed);

  static Ids IdsOf(const std::vector<PendingTurnInput>& inputs);
  static Ids IdsOf(const std::optional<TurnInputClaim>& claim) { return claim.has_value() ? IdsOf(claim->inputs) : Ids{}; }
  // "cancelled a", "claimed a", "completed a", "already_cancelled a" or "not_found", where a is the input's id.
  static std::string Word(const PendingTurnInputCancelOutcome& outcome);
  static std::vector<std::string> Words(const std::vector<PendingTurnInputCancelResult>& results);
  static std::vector<std::string> Words(const PendingTurnInputSuffixCancelOutcome& suffix);
  // The record inside; a default one for NotFound.
  static PendingTurnInput RecordOf(const PendingTurnInputCancelOutcome& outcome);
  // The input as it is now, looked at without changing a live or terminal one: of one that can be cancelled, the list's record.
  PendingTurnInput Now(const std::string& input_id, const std::string& session = "s");

  const LeaseOwnerIdentity w_ = Owner("w");

 private:
  const std::unique_ptr<StoreHandle> handle_;
};

}  // namespace leasecheck::session_store

#endif  // LEASECHECK_TESTS_SUPPORT_TURN_INPUT_SUITE_H_
