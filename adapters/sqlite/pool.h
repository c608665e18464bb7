// The connections of one store, handed out one call at a time.
#ifndef LEASECHECK_ADAPTERS_SQLITE_POOL_H_
#define LEASECHECK_ADAPTERS_SQLITE_POOL_H_

#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "adapters/sqlite/connection.h"

namespace leasecheck::sqlite {

// Thread-safe. Guards the hand-out only: calls on different connections run side by side, and what keeps them apart is the
// database.
class Pool {
 public:
  explicit Pool(std::vector<std::unique_ptr<Connection>> connections) : free_(std::move(connections)) {}

  // A connection taken out of the pool, given back when destroyed.
  class Lease {
   public:
    Lease(Pool* pool, std::unique_ptr<Connection> connection) : pool_(pool), connection_(std::move(connection)) {}
    ~Lease() { pool_->GiveBack(std::move(connection_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Connection& operator*() const { return *connection_; }
    Connection* operator->() const { return connection_.get(); }

   private:
    Pool* const pool_;
    std::unique_ptr<Connection> connection_;
  };

  // Waits for a free connection.
  Lease Take() {
    absl::MutexLock lock(&mutex_);
    while (free_.empty()) given_back_.Wait(&mutex_);
    std::unique_ptr<Connection> connection = std::move(free_.back());
    free_.pop_back();
    return Lease(this, std::move(connection));
  }

 private:
  void GiveBack(std::unique_ptr<Connection> connection) {
    absl::MutexLock lock(&mutex_);
    free_.push_back(std::move(connection));
    given_back_.Signal();
  }

  absl::Mutex mutex_;
  absl::CondVar given_back_;
  std::vector<std::unique_ptr<Connection>> free_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_POOL_H_
