// A third runtime_persistence store, small and slow, written from the contract alone: right where its slip is kNone, wrong in one
// plausible way where it is another, and legal though different under its liberties.
//
// It keeps everything in plain vectors under one mutex. The race slips let go of it in the middle of a call and pause there.
#ifndef LEASECHECK_TESTS_MUTANTS_PERSISTENCE_SLIP_STORE_H_
#define LEASECHECK_TESTS_MUTANTS_PERSISTENCE_SLIP_STORE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "model/environment.h"
#include "model/runtime_persistence/store.h"
#include "tests/mutants/disk.h"

namespace leasecheck::mutants {

// What each is, in a sentence, is said in persistence_catalogue.cc.
enum class PersistenceSlip {
  kNone,
  // The commit.
  kReplayBehindHead,
  kStampOnRejection,
  kHashIgnored,
  kReplayOfCurrent,
  kReplayAddsUsage,
  kTornCompletions,
  kTornUsage,
  kTornStamps,
  kBindOnRejection,
  kZeroAlwaysFits,
  kLeafNoneIgnored,
  kAppendDuplicates,
  kReplaceKeepsOld,
  kFramesMerged,
  kRevisionDropped,
  kCommitClearsMeta,
  kCompletionByCount,
  kCompletionOfAnySession,
  // Reads.
  kPathLeafFirst,
  kReadMovesLeaf,
  kUnknownLeafIsError,
  kNodeFoundByHeadPathOnly,
  kLedgerLastWins,
  kLedgerBySource,
  kZeroEntryKept,
  // Upkeep.
  kVacuumRevives,
  kTombstoneTrap,
  kTombstoneTakesChildren,
  kTombstoneMovesHead,
  kVacuumCountsAll,
  kGcDropsLive,
  kGcCountsAgain,
  kMetaMerged,
  // The queue.
  kKeyUnscoped,
  kKeyFreedByClaim,
  kSeqPerSession,
  kExpiryStrict,
  kFencingResetOnAbandon,
  kBoundaryIgnored,
  kExclusiveTakesRun,
  kMergeKeyIgnored,
  kClaimsAnySession,
  kByIdsUnordered,
  kByIdsKeepsMismatch,
  kRenewIgnoresToken,
  kAbandonIgnoresToken,
  kCancelLive,
  kCancelKeepsDeferred,
  kPendingHidesDeferred,
  // Attachments.
  kCutoffExclusive,
  kForgetKeepsStamp,
  kIntentClearsStamp,
  kRefsRemembered,
  kStampsAnySession,
  // Races.
  kTornRead,
  kCheckThenCommit,
  kCheckThenEnqueue,
  kCheckThenClaim,
  // What a crash leaves.
  kCrashCommitInTwoWrites,
  kCrashLedgerForgotten,
  kCrashStampsForgotten,
  kCrashTombstonesForgotten,
  kCrashSnapshotsForgotten,
  kCrashFencingForgotten,
  kCrashCommittedForgotten,
  kLast = kCrashCommittedForgotten,
};

// What the contract lets a store do otherwise (runtime-persistence.md, 4).
struct Liberties {
  bool append_overwrites = false;      // RP-LAT-6
  bool paths_pass_tombstones = false;  // RP-LAT-3
  bool cached_only_dropped = false;    // RP-LAT-7
  bool refs_echoed = false;            // RP-LAT-9
  bool gc_does_nothing = false;        // RP-LAT-13
  bool vacuum_later = false;           // RP-VAC-3
  bool subset_refused = false;         // RP-LAT-10
  bool lapsed_refused = false;         // RP-LAT-11
  bool gap_ends_group = false;         // RP-LAT-15
  bool never_stands_alone = false;     // RP-LAT-16
  bool seq_reused = false;             // RP-LAT-14
  bool failed_renew_marks = false;     // RP-LAT-19
  bool manifest_by_id = false;         // RP-LAT-20
  bool paths_unsupported = false;      // RP-LAT-25
};

// All that the store keeps.
struct PersistenceState {
  struct Node {
    runtime_persistence::SessionNodeRecord record;
    bool tombstoned = false;
  };
  struct Blob {
    std::string ref;
    std::string content;
  };
  struct Row {
    runtime_persistence::QueuedWorkBatch batch;
    bool claimed = false;
    std::string claim_id;
    std::string lease_token;
    EpochMs expires = 0;
    uint64_t fencing = 0;
  };
  struct Turn {
    std::string hash;
    runtime_persistence::RuntimeCommitResult result;
  };
  struct Attachment {
    runtime_persistence::AttachmentIntent intent;
    bool committed = false;
  };

  std::optional<std::string> bound;
  uint64_t revision = 0;
  runtime_persistence::RuntimeCommit last;  // the last accepted commit, for what is replaced whole
  std::optional<std::string> leaf;
  runtime_persistence::RuntimeCommitResult result;
  std::vector<Node> nodes;
  std::set<std::string> traps;
  std::vector<runtime_persistence::TokenLedgerEntry> ledger;
  std::map<std::string, Turn> turns;
  std::vector<Blob> blobs;
  uint64_t swept = 0;  // blobs that the last collection removed
  std::optional<runtime_persistence::SessionMeta> meta;
  std::vector<Row> rows;  // ascending by enqueue_seq
  uint64_t last_seq = 0;
  uint64_t serial = 0;  // of ids
  std::vector<Attachment> attachments;
  std::set<std::pair<std::string, std::string>> early;  // kRefsRemembered, kForgetKeepsStamp
};
using PersistenceDisk = DiskOf<PersistenceState>;

class PersistenceSlipStore final : public runtime_persistence::RuntimePersistence {
 public:
  // `disk`, where given, is borrowed and holds what earlier lives of the store wrote.
  PersistenceSlipStore(const Environment& environment, PersistenceSlip slip, const Liberties& liberties,
                       PersistenceDisk* disk = nullptr);

  template <class T>
  using Result = runtime_persistence::Result<T>;
  using Done = runtime_persistence::Done;

  Result<Done> RecordIntent(const runtime_persistence::RecordIntentRequest& request) override;
  Result<Done> CommitRefs(const runtime_persistence::CommitRefsRequest& request) override;
  Result<std::vector<runtime_persistence::AttachmentManifestEntry>> ListUncommitted(
      const runtime_persistence::ListUncommittedRequest& request) override;
  Result<Done> Forget(const runtime_persistence::ForgetRequest& request) override;
  Result<std::optional<runtime_persistence::PersistedSessionRead>> LoadSession(
      const runtime_persistence::LoadSessionRequest& request) override;
  Result<std::optional<runtime_persistence::SessionNodeRecord>> LoadNode(
      const runtime_persistence::LoadNodeRequest& request) override;
  Result<runtime_persistence::RuntimeCommitResult> CommitRuntimeState(
      const runtime_persistence::CommitRuntimeStateRequest& request) override;
  Result<Done> SaveSessionMeta(const runtime_persistence::SaveSessionMetaRequest& request) override;
  Result<std::optional<runtime_persistence::SessionMeta>> LoadSessionMeta(
      const runtime_persistence::LoadSessionMetaRequest& request) override;
  Result<Done> TombstoneNodes(const runtime_persistence::TombstoneNodesRequest& request) override;
  Result<runtime_persistence::VacuumReport> Vacuum(const runtime_persistence::VacuumRequest& request) override;
  Result<runtime_persistence::GcReport> GcUnreachable(const runtime_persistence::GcUnreachableRequest& request) override;
  Result<runtime_persistence::QueuedWorkBatch> EnqueueQueuedWork(
      const runtime_persistence::EnqueueQueuedWorkRequest& request) override;
  Result<std::optional<runtime_persistence::QueuedWorkClaim>> ClaimReadyQueuedWork(
      const runtime_persistence::ClaimReadyQueuedWorkRequest& request) override;
  Result<std::optional<runtime_persistence::QueuedWorkClaim>> ClaimReadyQueuedWorkByBatchIds(
      const runtime_persistence::ClaimReadyQueuedWorkByBatchIdsRequest& request) override;
  Result<runtime_persistence::QueuedWorkClaim> RenewQueuedWorkClaim(
      const runtime_persistence::RenewQueuedWorkClaimRequest& request) override;
  Result<Done> AbandonQueuedWorkClaim(const runtime_persistence::AbandonQueuedWorkClaimRequest& request) override;
  Result<std::optional<runtime_persistence::QueuedWorkBatch>> CancelQueuedWorkBatch(
      const runtime_persistence::CancelQueuedWorkBatchRequest& request) override;
  Result<std::vector<runtime_persistence::QueuedWorkBatch>> ListQueuedWork(
      const runtime_persistence::ListQueuedWorkRequest& request) override;
  Result<std::vector<runtime_persistence::QueuedWorkBatch>> ListPendingQueuedWork(
      const runtime_persistence::ListPendingQueuedWorkRequest& request) override;

 private:
  using Node = PersistenceState::Node;
  using Blob = PersistenceState::Blob;
  using Row = PersistenceState::Row;
  using Turn = PersistenceState::Turn;
  using Attachment = PersistenceState::Attachment;
  using Commit = runtime_persistence::RuntimeCommit;
  using Read = runtime_persistence::PersistedSessionRead;

  bool Is(PersistenceSlip slip) const { return slip_ == slip; }
  // Lets go of the mutex in the middle of a call, where the slip says so.
  void PauseIf(PersistenceSlip slip) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Writes the state to the disk when a call ends that may have changed it, whatever it answers.
  class Saving {
   public:
    explicit Saving(PersistenceSlipStore* store) : store_(store) {}
    ~Saving() { store_->Persist(); }
    Saving(const Saving&) = delete;
    Saving& operator=(const Saving&) = delete;

   private:
    PersistenceSlipStore* store_;
  };
  void Persist() ABSL_NO_THREAD_SAFETY_ANALYSIS;  // of Saving, whose owner holds the mutex

  // Commits (persistence_slip_store.cc).
  // The answer to a commit that is not made: a replay, or an error.
  std::optional<Result<runtime_persistence::RuntimeCommitResult>> Decide(const Commit& commit)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WriteAhead(const Commit& commit) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<runtime_persistence::StoreError> Check(const Commit& commit) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<runtime_persistence::StoreError> CheckCompletions(const Commit& commit) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool CompletionFits(const Commit& commit, const runtime_persistence::QueuedWorkCompletion& completion,
                      std::set<std::string>& taken) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Settle(const runtime_persistence::QueuedWorkCompletion& completion) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool DeltaFits(const runtime_persistence::GraphCommitDelta& delta) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Tear(const Commit& commit) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  runtime_persistence::RuntimeCommitResult Apply(const Commit& commit) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ApplyGraph(const runtime_persistence::GraphCommitDelta& delta) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AddUsage(const std::vector<runtime_persistence::TokenLedgerEntry>& deltas) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Stamp(const std::string& session, const std::string& id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<std::string> Put(const std::optional<std::string>& content, const std::optional<std::string>& ref)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<std::string> Get(const std::optional<std::string>& ref) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  runtime_persistence::HydratedSessionCheckpoint Hydrated() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  runtime_persistence::SessionGraph Graph(const runtime_persistence::SessionReadScope& scope)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  runtime_persistence::SessionGraph Path(const std::optional<std::string>& leaf) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Node* FindNode(const std::string& id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // The queue (persistence_slip_queue.cc).
  bool Free(const Row& row, EpochMs now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<std::size_t> Candidates(const std::string& session, EpochMs now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<std::size_t> Group(const std::string& session, runtime_persistence::QueuedWorkClaimBoundary boundary, uint64_t max,
                                 EpochMs now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  runtime_persistence::QueuedWorkClaim Take(const std::vector<std::size_t>& group, const std::string& session,
                                            const std::string& owner, DurationMs ttl, EpochMs now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool Owns(const Row& row, const std::string& session, const std::string& claim_id, const std::string& token) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::size_t RowOf(const std::string& batch_id) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  uint64_t NextSeq(const std::string& session) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Environment environment_;
  const PersistenceSlip slip_;
  const Liberties liberties_;
  PersistenceDisk* const disk_;
  const int life_;  // of the disk's

  absl::Mutex mutex_;
  PersistenceState state_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace leasecheck::mutants

#endif  // LEASECHECK_TESTS_MUTANTS_PERSISTENCE_SLIP_STORE_H_
