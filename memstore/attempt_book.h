// The attempts of a runtime_repository store with their leases, found by every question that the contract asks.
#ifndef LEASECHECK_MEMSTORE_ATTEMPT_BOOK_H_
#define LEASECHECK_MEMSTORE_ATTEMPT_BOOK_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "memstore/due_tree.h"
#include "model/instant.h"
#include "model/runtime_repository/values.h"

namespace leasecheck::memstore {

struct TimeoutPolicy {
  int64_t timeout_ms = 0;
  runtime_repository::AttemptExecutionStatus on_timeout_status = runtime_repository::AttemptExecutionStatus::kFailed;
  friend bool operator==(const TimeoutPolicy&, const TimeoutPolicy&) = default;
};

// All that is known of an attempt.
struct AttemptValue {
  std::string attempt_id;
  std::string run_id;
  uint32_t attempt_no = 1;
  runtime_repository::AttemptExecutionStatus status = runtime_repository::AttemptExecutionStatus::kQueued;
  int32_t priority = 0;
  std::optional<std::string> tenant_id;
  std::optional<Instant> retry_at;
  std::optional<Instant> started_at;
  std::optional<TimeoutPolicy> timeout;
  std::optional<runtime_repository::RetryPolicy> retry;  // the one that was given last
  std::vector<runtime_repository::RetryHistoryEntry> history;
  std::optional<runtime_repository::LeaseRecord> lease;
  friend bool operator==(const AttemptValue&, const AttemptValue&) = default;

  bool IsReady(Instant now) const {
    using Status = runtime_repository::AttemptExecutionStatus;
    return status == Status::kQueued || (status == Status::kRetryBackoff && (!retry_at.has_value() || *retry_at <= now));
  }
  bool IsLive(Instant now) const { return lease.has_value() && lease->lease_expires_at >= now; }
  bool IsExecuting() const {
    using Status = runtime_repository::AttemptExecutionStatus;
    return status == Status::kLeased || status == Status::kRunning;
  }
};

// Attempts enter and never leave. Values change only inside of Change, which keeps the indexes right. Not thread-safe.
//
//   AttemptBook book;
//   AttemptBook::Attempt& attempt = book.Add(value);
//   book.Change(attempt, [&](AttemptValue& it) { it.priority = 5; });
class AttemptBook {
 public:
  class Attempt : public DueTree<Attempt>::Node {
   public:
    const AttemptValue& operator*() const { return value_; }
    const AttemptValue* operator->() const { return &value_; }
    // The dispatch order: total, because ids are distinct.
    bool Precedes(const Attempt& other) const {
      if (value_.priority != other.value_.priority) return value_.priority > other.value_.priority;
      if (value_.attempt_no != other.value_.attempt_no) return value_.attempt_no < other.value_.attempt_no;
      return value_.attempt_id < other.value_.attempt_id;
    }

   private:
    friend class AttemptBook;
    AttemptValue value_;
    uint64_t place_ = 0;  // in the order of entering: it makes equal instants distinct
  };

  // The attempt of this id must not be there. Returns it; it stays where it is.
  Attempt& Add(AttemptValue value);
  // Null where there is none.
  Attempt* Find(absl::string_view attempt_id) const;
  Attempt* FindByLease(absl::string_view lease_id) const;

  // Calls change(AttemptValue&), which may change everything but the attempt's id.
  template <class Mutate>
  void Change(Attempt& attempt, Mutate&& change) {
    Leave(attempt);
    change(attempt.value_);
    Enter(attempt);
  }

  // Calls visit(const AttemptValue&) for each attempt that is dispatchable at `now`, in dispatch order, until it returns false.
  template <class Visit>
  void ForEachDispatchable(Instant now, Visit&& visit) const {
    dispatch_.ForEachDue(now, [&](const Attempt& attempt) { return visit(*attempt); });
  }
  // The attempts whose leases expired before the cutoff, and those that have timed out at `now`: in no order to rely on.
  std::vector<Attempt*> Stale(Instant cutoff) const;
  std::vector<Attempt*> TimedOut(Instant now) const;
  // How many leases live at `now`. Costs what it counts.
  uint64_t LiveOfWorker(const std::string& worker_id, Instant now) const { return CountLive(by_worker_, worker_id, now); }
  uint64_t LiveOfTenant(const std::string& tenant_id, Instant now) const { return CountLive(by_tenant_, tenant_id, now); }

  // Every attempt, by id.
  std::vector<AttemptValue> All() const;
  void Clear();

 private:
  // Attempts by an instant in milliseconds, each once.
  struct Timed {
    int64_t at = 0;
    uint64_t place = 0;
    Attempt* attempt = nullptr;
    friend bool operator<(const Timed& a, const Timed& b) { return std::pair(a.at, a.place) < std::pair(b.at, b.place); }
  };
  using TimedSet = absl::btree_set<Timed>;
  using TimedSets = absl::flat_hash_map<std::string, TimedSet>;

  static uint64_t CountLive(const TimedSets& sets, const std::string& key, Instant now);
  static void Insert(TimedSets& sets, const std::string& key, const Timed& timed) { sets[key].insert(timed); }
  static void Erase(TimedSets& sets, const std::string& key, const Timed& timed);
  static std::vector<Attempt*> Before(const TimedSet& set, int64_t at);
  // The indexes take the attempt in, as its value is, and out again.
  void Enter(Attempt& attempt);
  void Leave(Attempt& attempt);

  absl::flat_hash_map<absl::string_view, std::unique_ptr<Attempt>> attempts_;  // by the id, which lives in the attempt
  DueTree<Attempt> dispatch_;                                                  // those that are ready, now or later
  absl::flat_hash_map<absl::string_view, Attempt*> by_lease_;                  // by the id, which lives in the lease
  TimedSet expiries_;                                                          // of leases
  TimedSets by_worker_;                                                        // expiries of leases, by worker and by tenant
  TimedSets by_tenant_;
  TimedSet timeouts_;
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_ATTEMPT_BOOK_H_
