// Objects kept for their next use, so that a store in steady work seldom asks the allocator.
#ifndef LEASECHECK_MEMSTORE_SPARES_H_
#define LEASECHECK_MEMSTORE_SPARES_H_

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace leasecheck::memstore {

// Gives out objects that were given back, as they were left, or new ones; keeps at most kMost. `Pointer` is a unique_ptr or a
// shared_ptr; a shared object is given back by its last owner. Not thread-safe.
template <class T, class Pointer = std::unique_ptr<T>>
class Spares {
 public:
  Pointer Take() {
    if (spares_.empty()) return New();
    Pointer object = std::move(spares_.back());
    spares_.pop_back();
    return object;
  }
  void Keep(Pointer object) {
    if (spares_.size() < kMost) spares_.push_back(std::move(object));
  }

 private:
  static constexpr std::size_t kMost = 256;

  static Pointer New() {
    if constexpr (std::is_same_v<Pointer, std::shared_ptr<T>>) {
      return std::make_shared<T>();
    } else {
      return std::make_unique<T>();
    }
  }

  std::vector<Pointer> spares_;
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_SPARES_H_
