// The judge over sessions' leases: deadlines inside the window of a call, and the words for a concurrent failure.
#include "properties/engine/judge.h"

#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/session_store/family.h"
#include "model/session_store/spec.h"

namespace leasecheck::engine {
namespace {

using F = SessionStoreFamily;
using session_store::LeaseAcquired;
using session_store::LeaseBusy;
using session_store::LeaseOwnerIdentity;
using session_store::SessionExecutionLease;
using session_store::SessionExecutionLeaseClaimOutcome;
using testing::AllOf;
using testing::HasSubstr;

LeaseOwnerIdentity Owner(const std::string& name) {
  LeaseOwnerIdentity owner;
  owner.owner_id = name;
  owner.incarnation_id = name;
  return owner;
}

SessionExecutionLease Lease(const std::string& owner, uint64_t fencing_token, EpochMs claimed, EpochMs expires) {
  return {.session_id = "s",
          .owner = Owner(owner),
          .lease_token = owner + "'s",
          .fencing_token = fencing_token,
          .claimed_at_epoch_ms = claimed,
          .expires_at_epoch_ms = expires};
}

CallRecord<F> TryClaim(const std::string& owner, uint64_t ttl, OutcomeOf<F> outcome) {
  CallRecord<F> record;
  record.action = RequestOf<F>(
      session_store::TryClaimSessionExecutionLeaseRequest{.session_id = "s", .owner = Owner(owner), .lease_ttl_ms = ttl});
  record.outcome = std::move(outcome);
  return record;
}

OutcomeOf<F> Answer(SessionExecutionLeaseClaimOutcome outcome) {
  constexpr std::size_t kTryClaim = OperationIndexOf<F, session_store::TryClaimSessionExecutionLeaseRequest>();
  return ResponseOf<F>(std::in_place_index<kTryClaim>, std::move(outcome));
}

CallRecord<F> Within(EpochMs earliest, EpochMs latest, CallRecord<F> record) {
  record.window = TimeWindow{earliest, latest};
  return record;
}

// A's lease lapses at 100. B's call began before and ended after: nobody saw its answer, so that it may have found the lease
// held, and may as well have taken it. What C sees later decides.
class UnseenAcrossADeadline : public testing::Test {
 protected:
  UnseenAcrossADeadline() {
    judge_.Begin(0);
    Expect(Within(50, 50, TryClaim("A", 50, Answer(LeaseAcquired{Lease("A", 1, 50, 100)}))), true);
    Expect(Within(90, 110, TryClaim("B", 50, Indefinite{})), true);
  }
  void Expect(const CallRecord<F>& call, bool legal) {
    const std::optional<Violation> violation = judge_.JudgeCall(call, calls_++);
    EXPECT_EQ(!violation.has_value(), legal) << (legal ? violation->clause + ": " + violation->expected : "");
  }

  Judge<F> judge_{SpecSetup(), nullptr};
  std::size_t calls_ = 0;
};

TEST_F(UnseenAcrossADeadline, TheUnseenCallMayHaveTakenIt) {
  Expect(Within(120, 121, TryClaim("C", 10, Answer(LeaseBusy{Lease("B", 2, 105, 155)}))), true);
}
TEST_F(UnseenAcrossADeadline, TheUnseenCallMayHaveFoundItHeld) {
  Expect(Within(120, 121, TryClaim("C", 10, Answer(LeaseAcquired{Lease("C", 2, 120, 130)}))), true);
}
TEST_F(UnseenAcrossADeadline, NobodyTookItBeforeTheDeadline) {
  Expect(Within(120, 121, TryClaim("C", 10, Answer(LeaseBusy{Lease("B", 2, 99, 149)}))), false);
}

TEST(JudgePhase, NamesTheCallsAsTheTraceDoes) {
  std::vector<CallRecord<F>> calls = {TryClaim("A", 50, Answer(LeaseAcquired{Lease("A", 1, 10, 60)})),
                                      TryClaim("B", 50, Answer(LeaseAcquired{Lease("B", 2, 10, 60)}))};
  calls[0].label = "l1";
  calls[0].called = 1, calls[0].returned = 3;
  calls[1].client = 1, calls[1].called = 2, calls[1].returned = 4;
  Judge<F> judge(SpecSetup(), nullptr);
  judge.Begin(10);
  std::optional<Violation> violation;
  ASSERT_EQ(judge.JudgePhase(calls, 7, LinearizeOptions(), &violation), Verdict::kIllegal);
  EXPECT_THAT(violation->expected, AllOf(HasSubstr("l1 at 1-3"), HasSubstr("try_claim_session_execution_lease at 2-4")));
}

}  // namespace
}  // namespace leasecheck::engine
