// Values that a store and its snapshots share.
#ifndef LEASECHECK_MEMSTORE_SHARED_VALUE_H_
#define LEASECHECK_MEMSTORE_SHARED_VALUE_H_

#include <memory>

namespace leasecheck::memstore {

// Whether both are null, or are equal values, however they are held.
template <class T>
bool SameValue(const std::shared_ptr<const T>& a, const std::shared_ptr<const T>& b) {
  return a == b || (a != nullptr && b != nullptr && *a == *b);
}

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_SHARED_VALUE_H_
