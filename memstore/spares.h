// Objects kept for their next use, so that a store in steady work seldom asks the allocator.
#ifndef LEASECHECK_MEMSTORE_SPARES_H_
#define LEASECHECK_MEMSTORE_SPARES_H_

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace leasecheck::memstore {

// Gives out objects that were given back, as they were left, or new ones; keeps at most kMost. Not thread-safe.
template <class T>
class Spares {
 public:
  std::unique_ptr<T> Take() {
    if (spares_.empty()) return std::make_unique<T>();
    std::unique_ptr<T> object = std::move(spares_.back());
    spares_.pop_back();
    return object;
  }
  void Keep(std::unique_ptr<T> object) {
    if (spares_.size() < kMost) spares_.push_back(std::move(object));
  }

 private:
  static constexpr std::size_t kMost = 256;
  std::vector<std::unique_ptr<T>> spares_;
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_SPARES_H_
