// What survives a crash of a store in memory.
#ifndef LEASECHECK_TESTS_MUTANTS_DISK_H_
#define LEASECHECK_TESTS_MUTANTS_DISK_H_

#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace leasecheck::mutants {

// The last image written. Thread-safe.
template <class Image>
class DiskOf {
 public:
  // Begins a new life of the store, which ends the last one: its writes no longer arrive. Returns the life's number.
  int BeginLife() {
    absl::MutexLock lock(&mutex_);
    return ++life_;
  }
  void EndLife() { BeginLife(); }
  Image Read() const {
    absl::MutexLock lock(&mutex_);
    return image_;
  }
  // Writes whole or not at all; nothing where `life` has ended.
  void Write(int life, Image image) {
    absl::MutexLock lock(&mutex_);
    if (life == life_) image_ = std::move(image);
  }

 private:
  mutable absl::Mutex mutex_;
  int life_ ABSL_GUARDED_BY(mutex_) = 0;
  Image image_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace leasecheck::mutants

#endif  // LEASECHECK_TESTS_MUTANTS_DISK_H_
