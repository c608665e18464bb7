// The scans and probes of session_store on hand-made histories: each clause once broken, once kept, and once excused by overlap.
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/session_store/clauses.h"
#include "properties/session_store_calls.h"
#include "properties/session_store_scans.h"

namespace leasecheck::session_store {
namespace {

using F = SessionStoreFamily;

QueuedWorkBatch Batch(const std::string& id, uint64_t seq, const std::string& session = "s") {
  QueuedWorkBatch batch;
  batch.batch_id = id;
  batch.session_id = session;
  batch.enqueue_seq = seq;
  batch.items = {{id + "-i", ProcessWake{}}};
  return batch;
}
LeaseOwnerIdentity Owner(const std::string& name) { return {name, name + "1", OpaqueOwner{}}; }
QueuedWorkClaim Claim(const std::string& id, uint64_t token, EpochMs expires, std::vector<QueuedWorkBatch> batches,
                      LeaseOwnerIdentity owner = Owner("X")) {
  QueuedWorkClaim claim;
  claim.session_id = "s";
  claim.claim_id = id;
  claim.lease_token = id + "-token";
  claim.owner = std::move(owner);
  claim.fencing_token = token;
  claim.expires_at_epoch_ms = expires;
  claim.batches = std::move(batches);
  return claim;
}
SessionExecutionLease Lane(const std::string& token, uint64_t fencing) {
  SessionExecutionLease lease;
  lease.session_id = "s";
  lease.owner = Owner("X");
  lease.lease_token = token;
  lease.fencing_token = fencing;
  return lease;
}

// Builds a history call by call; calls follow one another unless Overlapping is said.
class Builder {
 public:
  Builder() { history_.start = 1000; }
  Builder& Enqueue(const QueuedWorkBatch& batch, std::optional<std::string> key = std::nullopt) {
    EnqueueQueuedWorkRequest request;
    request.batch.session_id = batch.session_id;
    request.batch.source_key = std::move(key);
    return Add<0>(std::move(request), batch);
  }
  Builder& Grant(const QueuedWorkClaim& claim) {
    ClaimReadyQueuedWorkRequest request;
    request.session_id = "s";
    request.owner = claim.owner;
    return Add<2>(std::move(request), std::optional(claim));
  }
  Builder& NoMatch(LeaseOwnerIdentity owner = Owner("X")) {
    ClaimReadyQueuedWorkByBatchIdsRequest request;
    request.session_id = "s";
    request.owner = std::move(owner);
    request.batch_ids = {"none"};
    return Add<3>(std::move(request), std::optional<QueuedWorkClaim>());
  }
  Builder& Renew(QueuedWorkClaim claim, EpochMs expires) {
    RenewQueuedWorkClaimRequest request{claim, 1};
    claim.expires_at_epoch_ms = expires;
    return Add<4>(std::move(request), std::move(claim));
  }
  Builder& Abandon(const QueuedWorkClaim& claim) { return Add<5>(AbandonQueuedWorkClaimRequest{claim}, Done{}); }
  Builder& Cancel(const QueuedWorkBatch& batch) {
    return Add<6>(CancelQueuedWorkBatchRequest{batch.session_id, batch.batch_id}, std::optional(batch));
  }
  Builder& List(std::vector<QueuedWorkBatch> batches, const std::string& session = "s") {
    return Add<7>(ListQueuedWorkRequest{session}, std::move(batches));
  }
  Builder& Pending(std::vector<QueuedWorkBatch> batches) { return Add<8>(ListPendingQueuedWorkRequest{"s"}, std::move(batches)); }
  Builder& Acquire(const SessionExecutionLease& lease) {
    return Add<9>(TryClaimSessionExecutionLeaseRequest{"s", lease.owner, 1},
                  SessionExecutionLeaseClaimOutcome(LeaseAcquired{lease}));
  }
  Builder& Commit(std::vector<QueuedWorkCompletion> completions, std::optional<RuntimeTurnCommitStamp> stamp = std::nullopt) {
    return Add<13>(CommitOf(std::move(completions), std::move(stamp)), RuntimeCommitResult{});
  }
  Builder& FailedCommit(std::vector<QueuedWorkCompletion> completions) {
    return AddOutcome(CommitOf(std::move(completions), std::nullopt), OutcomeOf<F>(std::in_place_index<1>, Backend{}));
  }
  Builder& UnknownCommit(std::vector<QueuedWorkCompletion> completions) {
    return AddOutcome(CommitOf(std::move(completions), std::nullopt), OutcomeOf<F>(Indefinite{}));
  }
  Builder& Clock(EpochMs now) {
    engine::CallRecord<F>& record = Next();
    record.action = engine::SetClock{now};
    return *this;
  }
  // The last two calls overlap.
  Builder& Overlapping() {
    auto& calls = history_.calls;
    std::swap(calls[calls.size() - 2].returned, calls[calls.size() - 1].returned);
    return *this;
  }

  // The call that began `back` calls before the last one returns together with the last.
  Builder& ReturnsNow(std::size_t back) {
    auto& calls = history_.calls;
    calls[calls.size() - 1 - back].returned = calls.back().returned;
    return *this;
  }

  std::vector<std::string> Broken(ClauseHits* hits = nullptr) const {
    std::vector<std::string> clauses;
    const FixedLiveness liveness;
    const SpecSetup setup{nullptr, &liveness};
    for (const auto& findings :
         {ScanBatches(history_, setup, hits), ScanLanes(history_, hits), ProbeObservations(history_, hits)}) {
      for (const engine::Finding& finding : findings) {
        EXPECT_FALSE(finding.explanation.empty());
        clauses.push_back(finding.clause);
      }
    }
    return clauses;
  }

 private:
  static CommitRuntimeStateRequest CommitOf(std::vector<QueuedWorkCompletion> completions,
                                            std::optional<RuntimeTurnCommitStamp> stamp) {
    CommitRuntimeStateRequest request;
    request.commit.session_id = "s";
    request.commit.completed_queue_claims = std::move(completions);
    request.commit.turn_commit = std::move(stamp);
    return request;
  }
  engine::CallRecord<F>& Next() {
    engine::CallRecord<F>& record = history_.calls.emplace_back();
    record.called = tick_++;
    record.returned = tick_++;
    return record;
  }
  template <std::size_t I, class Request, class Response>
  Builder& Add(Request request, Response response) {
    return AddOutcome(std::move(request), OutcomeOf<F>(std::in_place_index<0>, std::in_place_index<I>, std::move(response)));
  }
  template <class Request>
  Builder& AddOutcome(Request request, OutcomeOf<F> outcome) {
    engine::CallRecord<F>& record = Next();
    record.action = RequestOf<F>(std::move(request));
    record.outcome = std::move(outcome);
    return *this;
  }
  SessionHistory history_;
  engine::Instant tick_ = 0;
};

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

const QueuedWorkBatch kA = Batch("A", 1);
const QueuedWorkBatch kB = Batch("B", 2);

TEST(ScansTest, ALifeWithoutFaultBreaksNothing) {
  const QueuedWorkClaim first = Claim("c1", 1, 1500, {kA, kB});
  const QueuedWorkClaim second = Claim("c2", 2, 9000, {kA, kB}, Owner("Y"));
  ClauseHits hits(std::size(kClauses));
  EXPECT_THAT(Builder()
                  .Enqueue(kA)
                  .Enqueue(kB)
                  .Acquire(Lane("l1", 1))
                  .Grant(first)
                  .Renew(first, 1600)
                  .Clock(1600)
                  .List({kA, kB})
                  .Grant(second)
                  .Acquire(Lane("l2", 2))
                  .Pending({})
                  .Commit({CompletionOf(second)})
                  .List({})
                  .Broken(&hits),
              IsEmpty());
  for (const char* id : {"QW-INV-1", "QW-INV-2", "QW-INV-3", "QW-INV-4", "QW-INV-8", "QW-INV-9", "QW-INV-15"}) {
    EXPECT_GT(hits.held(static_cast<ClauseIndex>(FindClause(kClauses, id))), 0u) << id;
  }
}

TEST(ScansTest, ANumberThatIsUsedAgainIsWarnedOf) {
  const auto warned = [](Builder life) {
    ClauseHits hits(std::size(kClauses));
    EXPECT_THAT(life.Broken(&hits), IsEmpty());
    return hits.held(Clause<"QW-LAT-14">());
  };
  EXPECT_EQ(warned(Builder().Enqueue(kA).Cancel(kA).Enqueue(Batch("C", 1))), 1u);
  EXPECT_EQ(warned(Builder().Enqueue(kA).Cancel(kA).Enqueue(Batch("C", 2))), 0u);
}

TEST(ScansTest, TwoLiveClaimsOverOneBatch) {
  EXPECT_THAT(Builder().Enqueue(kA).Grant(Claim("c1", 1, 1500, {kA})).Clock(1499).Grant(Claim("c2", 2, 9000, {kA})).Broken(),
              ElementsAre("QW-INV-1"));
  EXPECT_THAT(Builder().Enqueue(kA).Grant(Claim("c1", 1, 1500, {kA})).Clock(1500).Grant(Claim("c2", 2, 9000, {kA})).Broken(),
              IsEmpty());
}

TEST(ScansTest, ARenewalOrAnAbandonMovesTheEndOfAClaim) {
  const QueuedWorkClaim claim = Claim("c1", 1, 1500, {kA});
  EXPECT_THAT(Builder().Enqueue(kA).Grant(claim).Renew(claim, 3000).Clock(2000).Grant(Claim("c2", 2, 9000, {kA})).Broken(),
              ElementsAre("QW-INV-1"));
  EXPECT_THAT(Builder().Enqueue(kA).Grant(claim).Renew(claim, 1000).Grant(Claim("c2", 2, 9000, {kA})).Broken(), IsEmpty());
  EXPECT_THAT(Builder().Enqueue(kA).Grant(claim).Abandon(claim).Grant(Claim("c2", 2, 9000, {kA})).Broken(), IsEmpty());
}

TEST(ScansTest, AClockMoveThatOverlapsTheGrantExcusesIt) {
  EXPECT_THAT(Builder()
                  .Enqueue(kA)
                  .Grant(Claim("c1", 1, 1500, {kA}))
                  .Grant(Claim("c2", 2, 9000, {kA}))
                  .Clock(1500)
                  .Overlapping()
                  .Broken(),
              IsEmpty());
}

TEST(ScansTest, OfClockMovesThatOverlappedEitherMayHaveBeenTheLast) {
  const QueuedWorkBatch a = Batch("a", 1);
  const auto granted = [&] { return Builder().Enqueue(a).Grant(Claim("c1", 1, 1100, {a})); };
  EXPECT_TRUE(granted().Clock(1100).Clock(1050).Overlapping().Grant(Claim("c2", 2, 1200, {a})).Broken().empty());
  EXPECT_THAT(granted().Clock(1100).Clock(1050).Grant(Claim("c2", 2, 1200, {a})).Broken(), ElementsAre("QW-INV-1"));
  // A move that both of them precede leaves no doubt.
  EXPECT_THAT(granted().Clock(1100).Clock(1050).Overlapping().Clock(1060).Grant(Claim("c2", 2, 1200, {a})).Broken(),
              ElementsAre("QW-INV-1"));
}

TEST(ScansTest, AnAbandonThatOverlapsTheGrantExcusesIt) {
  const QueuedWorkClaim first = Claim("c1", 1, 1500, {kA});
  EXPECT_THAT(Builder().Enqueue(kA).Grant(first).Grant(Claim("c2", 2, 9000, {kA})).Abandon(first).Overlapping().Broken(),
              IsEmpty());
  EXPECT_THAT(Builder().Enqueue(kA).Grant(first).Grant(Claim("c2", 2, 9000, {kA})).Abandon(first).Broken(),
              ElementsAre("QW-INV-1"));
}

TEST(ScansTest, ADeadHolderLosesItsClaim) {
  const LeaseOwnerIdentity dead{"D", "d1", LocalProcessOwner{"h", "b", kDeadPid, "7"}};
  const LeaseOwnerIdentity neighbour{"N", "n1", LocalProcessOwner{"h", "b", 1, "1"}};
  const LeaseOwnerIdentity stranger{"N", "n1", LocalProcessOwner{"h", "other boot", 1, "1"}};
  EXPECT_THAT(Builder().Enqueue(kA).Grant(Claim("c1", 1, 9000, {kA}, dead)).Grant(Claim("c2", 2, 9000, {kA}, neighbour)).Broken(),
              IsEmpty());
  EXPECT_THAT(Builder().Enqueue(kA).Grant(Claim("c1", 1, 9000, {kA}, dead)).Grant(Claim("c2", 2, 9000, {kA}, stranger)).Broken(),
              ElementsAre("QW-INV-1"));
}

// A claim by ids that does not match may take and give back; what it took had lapsed then, even if the clock has fallen since.
TEST(ScansTest, AClaimThatWasTakenWhileItHadLapsedIsGoneWhenTheClockFalls) {
  const QueuedWorkBatch a = Batch("a", 1);
  const auto granted = [&] { return Builder().Enqueue(a).Grant(Claim("c1", 1, 1000, {a})); };
  EXPECT_TRUE(granted().NoMatch().Clock(0).Grant(Claim("c2", 2, 1200, {a})).Broken().empty());
  EXPECT_THAT(granted().Clock(0).NoMatch().Grant(Claim("c2", 2, 1200, {a})).Broken(), ElementsAre("QW-INV-1"));
}

// ... and what a dead process held is pending then.
TEST(ScansTest, AClaimByIdsThatDoesNotMatchMayFreeWhatADeadHolderHeld) {
  LeaseOwnerIdentity local = Owner("L");
  local.liveness = LocalProcessOwner{"h", "b", 1, "1"};
  EXPECT_THAT(Builder().Enqueue(kA).Pending({}).NoMatch(local).Pending({kA}).Broken(), IsEmpty());
  EXPECT_THAT(Builder().Enqueue(kA).Pending({}).NoMatch().Pending({kA}).Broken(), ElementsAre("QW-INV-19"));
}

// The first of three grants to begin may be the last to be made: it may have taken the batch from the dead holder.
TEST(ScansTest, AGrantThatBeganEarlyMayHaveEndedADeadHoldersClaim) {
  const QueuedWorkBatch a = Batch("a", 1);
  LeaseOwnerIdentity dead = Owner("D");
  dead.liveness = LocalProcessOwner{"h", "b", kDeadPid, "7"};
  LeaseOwnerIdentity local = Owner("L");
  local.liveness = LocalProcessOwner{"h", "b", 1, "1"};
  Builder overlapping;
  overlapping.Enqueue(a).Grant(Claim("c3", 3, 1000, {a}, local)).Grant(Claim("c1", 1, 1000, {a}));
  overlapping.Grant(Claim("c2", 2, 9000, {a}, dead)).ReturnsNow(2).Clock(1001);
  EXPECT_THAT(overlapping.Grant(Claim("c4", 4, 1001, {a})).Broken(), IsEmpty());
  Builder in_a_row;
  in_a_row.Enqueue(a).Grant(Claim("c1", 1, 1000, {a})).Grant(Claim("c2", 2, 9000, {a}, dead)).Clock(1001);
  EXPECT_THAT(in_a_row.Grant(Claim("c4", 4, 1001, {a})).Broken(), ElementsAre("QW-INV-1"));
}

TEST(ScansTest, AStaleClaimNeitherRenewsNorSettles) {
  const QueuedWorkClaim old = Claim("c1", 1, 1500, {kA});
  const QueuedWorkClaim retaken = Claim("c2", 2, 9000, {kA});
  EXPECT_THAT(Builder().Enqueue(kA).Grant(old).Clock(1500).Grant(retaken).Renew(old, 9000).Broken(), ElementsAre("QW-INV-2"));
  EXPECT_THAT(Builder().Enqueue(kA).Grant(old).Clock(1500).Grant(retaken).Commit({CompletionOf(old)}).Broken(),
              ElementsAre("QW-INV-2"));
  EXPECT_THAT(Builder().Enqueue(kA).Grant(old).Clock(1500).Grant(retaken).FailedCommit({CompletionOf(old)}).Broken(), IsEmpty());
  EXPECT_THAT(Builder().Enqueue(kA).Grant(old).Clock(1500).Cancel(kA).Renew(old, 9000).Broken(), ElementsAre("QW-INV-2"));
  EXPECT_THAT(Builder().Enqueue(kA).Grant(old).Clock(1500).Grant(retaken).Renew(old, 9000).Overlapping().Broken(), IsEmpty());
}

TEST(ScansTest, AClaimNarrowedToWhatItStillOwnsMayRenew) {
  const QueuedWorkClaim both = Claim("c1", 1, 1500, {kA, kB});
  QueuedWorkClaim rest = both;
  rest.batches = {kB};
  EXPECT_THAT(Builder().Enqueue(kA).Enqueue(kB).Grant(both).Clock(1500).Cancel(kA).Renew(rest, 9000).Broken(), IsEmpty());
  EXPECT_THAT(Builder().Enqueue(kA).Enqueue(kB).Grant(both).Clock(1500).Cancel(kA).Renew(both, 9000).Broken(),
              ElementsAre("QW-INV-2"));
}

TEST(ScansTest, NothingIsLost) {
  EXPECT_THAT(Builder().Enqueue(kA).Enqueue(kB).List({kB}).Broken(), ElementsAre("QW-INV-3"));
  EXPECT_THAT(Builder().Enqueue(kA).Cancel(kA).List({}).Broken(), IsEmpty());
  EXPECT_THAT(Builder().Enqueue(kA).List({}).Cancel(kA).Overlapping().Broken(), IsEmpty());
  const QueuedWorkClaim claim = Claim("c1", 1, 1500, {kA});
  EXPECT_THAT(Builder().Enqueue(kA).Grant(claim).UnknownCommit({CompletionOf(claim)}).List({}).Broken(), IsEmpty());
  EXPECT_THAT(Builder().Enqueue(kA).Grant(claim).FailedCommit({CompletionOf(claim)}).List({}).Broken(), Contains("QW-INV-3"));
}

TEST(ScansTest, NothingIsRemovedTwiceOrComesBack) {
  const QueuedWorkClaim claim = Claim("c1", 1, 1500, {kA});
  EXPECT_THAT(Builder().Enqueue(kA).Cancel(kA).Cancel(kA).Broken(), Contains("QW-INV-4"));
  EXPECT_THAT(Builder().Enqueue(kA).Cancel(kA).List({kA}).Broken(), ElementsAre("QW-INV-4"));
  EXPECT_THAT(Builder().Enqueue(kA).Grant(claim).Cancel(kA).Commit({CompletionOf(claim)}).Overlapping().Broken(),
              ElementsAre("QW-INV-4"));
}

TEST(ScansTest, AStampedRetryRemovesNothingAgain) {
  const QueuedWorkClaim claim = Claim("c1", 1, 1500, {kA});
  const RuntimeTurnCommitStamp stamp{"s", "t", "h"};
  EXPECT_THAT(
      Builder().Enqueue(kA).Grant(claim).Commit({CompletionOf(claim)}, stamp).Commit({CompletionOf(claim)}, stamp).Broken(),
      IsEmpty());
  EXPECT_THAT(Builder().Enqueue(kA).Grant(claim).Commit({CompletionOf(claim)}).Commit({CompletionOf(claim)}).Broken(),
              Not(IsEmpty()));
}

TEST(ScansTest, FencingTokensOfOneHeadRise) {
  const QueuedWorkClaim first = Claim("c1", 4, 1000, {kA});
  EXPECT_THAT(Builder().Enqueue(kA).Grant(first).Abandon(first).Grant(Claim("c2", 4, 9000, {kA})).Broken(),
              ElementsAre("QW-INV-8"));
  EXPECT_THAT(Builder().Enqueue(kA).Grant(first).Abandon(first).Grant(first).Broken(), ElementsAre("QW-INV-8"));
  EXPECT_THAT(Builder().Enqueue(kA).Grant(first).Abandon(first).Grant(Claim("c2", 9, 9000, {kA})).Broken(), IsEmpty());
  // Another head: its own counter (QW-LAT-24).
  EXPECT_THAT(Builder().Enqueue(kA).Enqueue(kB).Grant(first).Grant(Claim("c2", 1, 9000, {kB})).Broken(), IsEmpty());
}

TEST(ScansTest, LaneFencingRisesAndNamesOneToken) {
  EXPECT_THAT(Builder().Acquire(Lane("l1", 2)).Acquire(Lane("l2", 2)).Broken(), ElementsAre("QW-INV-9"));
  EXPECT_THAT(Builder().Acquire(Lane("l1", 2)).Acquire(Lane("l1", 3)).Broken(), ElementsAre("QW-INV-9"));
  EXPECT_THAT(Builder().Acquire(Lane("l1", 2)).Acquire(Lane("l1", 2)).Acquire(Lane("l2", 7)).Broken(), IsEmpty());
  EXPECT_THAT(Builder().Acquire(Lane("l1", 3)).Acquire(Lane("l2", 2)).Overlapping().Broken(), IsEmpty());
}

TEST(ScansTest, ListsAscendAndContentStays) {
  EXPECT_THAT(Builder().Enqueue(kA).Enqueue(kB).List({kB, kA}).Broken(), Contains("QW-INV-15"));
  QueuedWorkBatch changed = kA;
  changed.available_at_ms = 5;
  EXPECT_THAT(Builder().Enqueue(kA).List({changed}).Broken(), Contains("QW-INV-15"));
}

TEST(ScansTest, IdsAreNew) {
  EXPECT_THAT(Builder().Enqueue(kA).Enqueue(kA).Broken(), Contains("QW-ENQ-8"));
  EXPECT_THAT(Builder().Enqueue(kA, "k").Enqueue(kA, "k").Broken(), IsEmpty());
  EXPECT_THAT(Builder().Enqueue(kA, "k").Cancel(kA).Enqueue(kA, "k").Broken(), Contains("QW-ENQ-6"));
}

TEST(ProbesTest, OnlyWhatMayChangeASessionDoes) {
  EXPECT_THAT(Builder().List({kA}).FailedCommit({}).List({}).Broken(), Contains("QW-INV-19"));
  EXPECT_THAT(Builder().List({kA}).Enqueue(Batch("Z", 9, "other")).List({}).Broken(), Contains("QW-INV-16"));
  const QueuedWorkClaim claim = Claim("c1", 1, 1500, {kA});
  EXPECT_THAT(Builder().List({kA}).Renew(claim, 2000).List({}).Broken(), Contains("QW-INV-20"));
  EXPECT_THAT(Builder().Abandon(claim).Pending({}).Abandon(claim).Pending({kA}).Broken(), Contains("QW-INV-17"));
  EXPECT_THAT(Builder().Pending({}).Abandon(claim).Pending({kA}).Broken(), IsEmpty());
  EXPECT_THAT(Builder().Pending({}).Clock(1500).Pending({kA}).Broken(), IsEmpty());
  EXPECT_THAT(Builder().Pending({}).Enqueue(kA).Pending({kA}).Overlapping().Broken(), IsEmpty());
}

}  // namespace
}  // namespace leasecheck::session_store
