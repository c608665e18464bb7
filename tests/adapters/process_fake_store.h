// A store with hardly any behaviour, for tests of the wire alone.
#ifndef LEASECHECK_TESTS_ADAPTERS_PROCESS_FAKE_STORE_H_
#define LEASECHECK_TESTS_ADAPTERS_PROCESS_FAKE_STORE_H_

#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "model/session_store/family.h"
#include "model/target.h"
#include "model/time.h"
#include "tests/support/without_turn_inputs.h"

namespace leasecheck::process {

// Enqueued batches are kept, in `file` too where it is named. Calls about the session "rendezvous" return only after a second one
// came in. load_session tells the clock as its head revision. cancel_queued_work_batch refuses with QueuedWorkClaimExpired. All
// else returns an empty response.
class FakeStore final : public session_store::WithoutTurnInputs {
 public:
  explicit FakeStore(const Clock* clock) : clock_(clock) {}

  void Open(const std::string& file) {
    absl::MutexLock lock(&mutex_);
    file_ = file;
    batches_.clear();
    std::ifstream lines(file_);
    for (std::string line; std::getline(lines, line);) batches_.push_back(MakeBatch(line));
  }
  void Clear() {
    absl::MutexLock lock(&mutex_);
    batches_.clear();
    if (!file_.empty()) std::ofstream(file_, std::ios::trunc);
  }

  session_store::Result<session_store::QueuedWorkBatch> EnqueueQueuedWork(
      const session_store::EnqueueQueuedWorkRequest& request) override {
    absl::MutexLock lock(&mutex_);
    batches_.push_back(MakeBatch(request.batch.session_id));
    session_store::QueuedWorkBatch batch = batches_.back();
    batch.source_key = request.batch.source_key;
    for (const auto& payload : request.batch.payloads) batch.items.push_back({"i", payload});
    if (!file_.empty()) std::ofstream(file_, std::ios::app) << request.batch.session_id << std::endl;
    return batch;
  }
  session_store::Result<std::vector<session_store::QueuedWorkBatch>> ListQueuedWork(
      const session_store::ListQueuedWorkRequest& request) override {
    absl::MutexLock lock(&mutex_);
    if (request.session_id == "rendezvous") {
      const int round = ++arrived_;
      auto met = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return arrived_ >= round + round % 2; };
      mutex_.Await(absl::Condition(&met));
    }
    std::vector<session_store::QueuedWorkBatch> found;
    for (const auto& batch : batches_) {
      if (batch.session_id == request.session_id) found.push_back(batch);
    }
    return found;
  }
  session_store::Result<std::optional<session_store::QueuedWorkBatch>> CancelQueuedWorkBatch(
      const session_store::CancelQueuedWorkBatchRequest& request) override {
    return tl::unexpected(session_store::StoreError(session_store::QueuedWorkClaimExpired{request.session_id, request.batch_id}));
  }
  session_store::Result<std::optional<session_store::LoadedSession>> LoadSession(
      const session_store::LoadSessionRequest&) override {
    return session_store::LoadedSession{"s", clock_->Now(), {R"({"graph":[5]})"}};
  }

  session_store::Result<std::optional<session_store::QueuedWorkClaim>> ClaimLeadingReadySessionCommand(
      const session_store::ClaimLeadingReadySessionCommandRequest&) override {
    return std::optional<session_store::QueuedWorkClaim>();
  }
  session_store::Result<std::optional<session_store::QueuedWorkClaim>> ClaimReadyQueuedWork(
      const session_store::ClaimReadyQueuedWorkRequest&) override {
    return std::optional<session_store::QueuedWorkClaim>();
  }
  session_store::Result<std::optional<session_store::QueuedWorkClaim>> ClaimReadyQueuedWorkByBatchIds(
      const session_store::ClaimReadyQueuedWorkByBatchIdsRequest&) override {
    return std::optional<session_store::QueuedWorkClaim>();
  }
  session_store::Result<session_store::QueuedWorkClaim> RenewQueuedWorkClaim(
      const session_store::RenewQueuedWorkClaimRequest& request) override {
    return request.claim;
  }
  session_store::Result<session_store::Done> AbandonQueuedWorkClaim(
      const session_store::AbandonQueuedWorkClaimRequest&) override {
    return session_store::Done{};
  }
  session_store::Result<std::vector<session_store::QueuedWorkBatch>> ListPendingQueuedWork(
      const session_store::ListPendingQueuedWorkRequest&) override {
    return std::vector<session_store::QueuedWorkBatch>();
  }
  session_store::Result<session_store::SessionExecutionLeaseClaimOutcome> TryClaimSessionExecutionLease(
      const session_store::TryClaimSessionExecutionLeaseRequest&) override {
    return session_store::SessionExecutionLeaseClaimOutcome();
  }
  session_store::Result<session_store::SessionExecutionLeaseClaimOutcome> ReclaimSessionExecutionLease(
      const session_store::ReclaimSessionExecutionLeaseRequest&) override {
    return session_store::SessionExecutionLeaseClaimOutcome();
  }
  session_store::Result<session_store::SessionExecutionLease> RenewSessionExecutionLease(
      const session_store::RenewSessionExecutionLeaseRequest&) override {
    return session_store::SessionExecutionLease();
  }
  session_store::Result<session_store::Done> ReleaseSessionExecutionLease(
      const session_store::ReleaseSessionExecutionLeaseRequest&) override {
    return session_store::Done{};
  }
  session_store::Result<session_store::RuntimeCommitResult> CommitRuntimeState(
      const session_store::CommitRuntimeStateRequest&) override {
    return session_store::RuntimeCommitResult();
  }

 private:
  static session_store::QueuedWorkBatch MakeBatch(const std::string& session) {
    session_store::QueuedWorkBatch batch;
    batch.session_id = session;
    return batch;
  }

  const Clock* const clock_;
  absl::Mutex mutex_;
  std::string file_ ABSL_GUARDED_BY(mutex_);
  int arrived_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<session_store::QueuedWorkBatch> batches_ ABSL_GUARDED_BY(mutex_);
};

class FakeTarget final : public Target<SessionStoreFamily> {
 public:
  // A durable one where `file` is named.
  explicit FakeTarget(int concurrency, std::string file = "") : file_(std::move(file)) {
    info_.name = std::string("fake");
    info_.version = std::string("1");
    info_.concurrency = concurrency;
    info_.durable = !file_.empty();
    info_.dialects = {{"QW-LAT-7", "refuse"}, {"LENGTH", "30000"}};
  }
  const TargetInfo& info() const override { return info_; }
  TargetInfo& mutable_info() { return info_; }
  OutcomeOf<SessionStoreFamily> Execute(const RequestOf<SessionStoreFamily>& request) override {
    return leasecheck::Execute<SessionStoreFamily>(store_, request);
  }
  absl::Status Reset(EpochMs now) override {
    clock_.Set(now);
    if (!file_.empty()) store_.Open(file_);
    store_.Clear();
    return absl::OkStatus();
  }
  absl::Status SetClock(EpochMs now) override {
    clock_.Set(now);
    return absl::OkStatus();
  }
  absl::Status Reopen() override {
    store_.Open(file_);
    return absl::OkStatus();
  }
  absl::Status Kill() override { return absl::UnimplementedError("it is not a process"); }

 private:
  const std::string file_;
  TargetInfo info_;
  ManualClock clock_;
  FakeStore store_{&clock_};
};

}  // namespace leasecheck::process

#endif  // LEASECHECK_TESTS_ADAPTERS_PROCESS_FAKE_STORE_H_
