// What the SQLite adapter's tests share: a private folder, short ways to make requests, and the file's whole content as text.
#ifndef LEASECHECK_TESTS_ADAPTERS_SQLITE_FIXTURE_H_
#define LEASECHECK_TESTS_ADAPTERS_SQLITE_FIXTURE_H_

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <stdlib.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "adapters/sqlite/session_store.h"
#include "model/environment.h"
#include "model/session_store/store.h"
#include "model/time.h"

namespace leasecheck::sqlite {

namespace ss = session_store;

// A folder that goes with the object.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "leasecheck-sqlite-XXXXXX").string();
    path_ = mkdtemp(name.data()) == nullptr ? "" : name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string File(const std::string& name) const { return absl::StrCat(path_, "/", name); }

 private:
  std::string path_;
};

inline ss::LeaseOwnerIdentity Owner(const std::string& id) { return {id, absl::StrCat(id, "-1"), ss::OpaqueOwner{}}; }
inline ss::LeaseOwnerIdentity Process(const std::string& id, uint32_t pid) {
  return {id, absl::StrCat(id, "-1"), ss::LocalProcessOwner{"host", "boot", pid, "1"}};
}

inline ss::QueuedWorkPayload Wake(const std::string& text = "w") {
  return ss::ProcessWake{{absl::StrCat("{\"text\":\"", text, "\"}")}};
}
inline ss::QueuedWorkPayload Command() { return ss::SessionCommand{{"{\"kind\":\"reset_session\",\"reason\":\"r\"}"}}; }

inline ss::QueuedWorkBatchDraft Draft(std::vector<ss::QueuedWorkPayload> payloads = {Wake()}) {
  return {.session_id = "s", .source_key = std::nullopt, .merge_key = ss::MergeNever{}, .payloads = std::move(payloads)};
}
inline ss::QueuedWorkBatchDraft Join(const std::string& group) {
  ss::QueuedWorkBatchDraft draft = Draft();
  draft.slot_policy = ss::SlotPolicy::kJoin;
  draft.merge_key = ss::MergeGroup{group};
  return draft;
}

// Calls on a store, in the words of the contract's examples; session "s". Each fails the test where the contract says nothing of
// failing.
class Caller {
 public:
  explicit Caller(ss::SessionStore* store) : store_([store]() -> ss::SessionStore& { return *store; }) {}
  // Asks for the store before every call.
  explicit Caller(std::function<ss::SessionStore&()> store) : store_(std::move(store)) {}

  ss::QueuedWorkBatch Enqueue(ss::QueuedWorkBatchDraft draft = Draft()) {
    auto batch = store_().EnqueueQueuedWork({std::move(draft)});
    EXPECT_TRUE(batch.has_value()) << Text(batch);
    return batch.value_or(ss::QueuedWorkBatch{});
  }
  // The lane, or what Busy shows of its holder.
  ss::SessionExecutionLeaseClaimOutcome Try(const ss::LeaseOwnerIdentity& owner, DurationMs ttl) {
    auto outcome = store_().TryClaimSessionExecutionLease({"s", owner, ttl});
    EXPECT_TRUE(outcome.has_value()) << Text(outcome);
    return outcome.value_or(ss::LeaseBusy{});
  }
  ss::SessionExecutionLease Lane(const ss::LeaseOwnerIdentity& owner, DurationMs ttl = 60000) {
    auto outcome = Try(owner, ttl);
    EXPECT_TRUE(std::holds_alternative<ss::LeaseAcquired>(outcome));
    return std::holds_alternative<ss::LeaseAcquired>(outcome) ? std::get<ss::LeaseAcquired>(outcome).lease
                                                              : ss::SessionExecutionLease{};
  }
  using Claimed = ss::Result<std::optional<ss::QueuedWorkClaim>>;
  Claimed Claim(const ss::SessionExecutionLease& lane, uint64_t max = 10, DurationMs ttl = 60000,
                ss::QueuedWorkClaimBoundary boundary = ss::QueuedWorkClaimBoundary::kIdle) {
    return ClaimFor(lane.owner, lane, max, ttl, boundary);
  }
  Claimed ClaimFor(const ss::LeaseOwnerIdentity& owner, const ss::SessionExecutionLease& lane, uint64_t max = 10,
                   DurationMs ttl = 60000, ss::QueuedWorkClaimBoundary boundary = ss::QueuedWorkClaimBoundary::kIdle) {
    return store_().ClaimReadyQueuedWork({"s", ss::FenceOf(lane), owner, boundary, ttl, max});
  }
  Claimed ClaimIds(const ss::SessionExecutionLease& lane, std::vector<std::string> ids) {
    return store_().ClaimReadyQueuedWorkByBatchIds(
        {"s", ss::FenceOf(lane), lane.owner, ss::QueuedWorkClaimBoundary::kIdle, 60000, std::move(ids)});
  }
  Claimed ClaimCommand(const ss::SessionExecutionLease& lane) {
    return store_().ClaimLeadingReadySessionCommand({"s", ss::FenceOf(lane), lane.owner, 60000});
  }
  ss::Result<ss::QueuedWorkClaim> Renew(const ss::QueuedWorkClaim& claim, DurationMs ttl) {
    return store_().RenewQueuedWorkClaim({claim, ttl});
  }
  void Abandon(const ss::QueuedWorkClaim& claim) { EXPECT_TRUE(store_().AbandonQueuedWorkClaim({claim}).has_value()); }
  std::optional<ss::QueuedWorkBatch> Cancel(const std::string& id) {
    auto batch = store_().CancelQueuedWorkBatch({"s", id});
    EXPECT_TRUE(batch.has_value()) << Text(batch);
    return batch.value_or(std::nullopt);
  }
  std::vector<std::string> List() { return Ids(store_().ListQueuedWork({"s"})); }
  std::vector<std::string> Pending() { return Ids(store_().ListPendingQueuedWork({"s"})); }
  ss::Result<ss::RuntimeCommitResult> Commit(ss::RuntimeCommit commit) {
    return store_().CommitRuntimeState({std::move(commit)});
  }
  ss::Result<ss::RuntimeCommitResult> Settle(const ss::SessionExecutionLease& lane, std::vector<ss::QueuedWorkClaim> claims) {
    return Commit(Settling(lane, std::move(claims)));
  }

  static ss::RuntimeCommit Settling(const ss::SessionExecutionLease& lane, std::vector<ss::QueuedWorkClaim> claims) {
    ss::RuntimeCommit commit;
    commit.session_id = "s";
    commit.session_execution_lease = ss::FenceOf(lane);
    for (const auto& claim : claims) commit.completed_queue_claims.push_back(ss::CompletionOf(claim));
    return commit;
  }
  static std::vector<std::string> Ids(const ss::Result<std::vector<ss::QueuedWorkBatch>>& batches) {
    EXPECT_TRUE(batches.has_value()) << Text(batches);
    return batches.has_value() ? Ids(*batches) : std::vector<std::string>{};
  }
  static std::vector<std::string> Ids(const std::vector<ss::QueuedWorkBatch>& batches) {
    std::vector<std::string> ids;
    ids.reserve(batches.size());
    for (const auto& batch : batches) ids.push_back(batch.batch_id);
    return ids;
  }
  static std::vector<std::string> Ids(const Claimed& claim) {
    EXPECT_TRUE(claim.has_value()) << Text(claim);
    return claim.has_value() && claim->has_value() ? Ids((*claim)->batches) : std::vector<std::string>{};
  }
  template <class Result>
  static std::string Text(const Result& result) {
    if (result.has_value()) return "a response";
    if (const auto* backend = std::get_if<ss::Backend>(&result.error())) return absl::StrCat("Backend: ", backend->text);
    return absl::StrCat("contract error ", result.error().index());
  }

 private:
  const std::function<ss::SessionStore&()> store_;
};

// Whether a result is this contract error, fields and all.
template <class Result>
bool Is(const Result& result, const ss::StoreError& error) {
  return !result.has_value() && result.error() == error;
}

// Every row of every table, without what each opening counts. The file must not be written meanwhile.
inline std::string Dump(const std::string& path, const std::string& vfs = "") {
  sqlite3* handle = nullptr;
  std::string dump;
  if (sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE, vfs.empty() ? nullptr : vfs.c_str()) == SQLITE_OK) {
    auto append = [](void* to, int columns, char** values, char**) {
      auto* text = static_cast<std::string*>(to);
      for (int i = 0; i < columns; ++i) absl::StrAppend(text, values[i] == nullptr ? "NULL" : values[i], " ");
      absl::StrAppend(text, "\n");
      return 0;
    };
    for (const char* sql :
         {"SELECT 'store', last_enqueue_seq, last_input_seq, clock_ms FROM store", "SELECT 'batch', * FROM batches ORDER BY 2",
          "SELECT 'item', * FROM items ORDER BY 2, 3", "SELECT 'input', * FROM turn_inputs ORDER BY 2",
          "SELECT 'given', * FROM given_ids ORDER BY 2", "SELECT 'claim', * FROM claims ORDER BY 2",
          "SELECT 'lane', * FROM lanes ORDER BY 2", "SELECT 'head', * FROM head", "SELECT 'stamp', * FROM stamps ORDER BY 2, 3",
          "PRAGMA integrity_check"}) {
      if (sqlite3_exec(handle, sql, append, &dump, nullptr) != SQLITE_OK) {
        absl::StrAppend(&dump, "error: ", sqlite3_errmsg(handle), "\n");
      }
    }
  }
  sqlite3_close(handle);
  return dump;
}

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_TESTS_ADAPTERS_SQLITE_FIXTURE_H_
