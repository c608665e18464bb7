// What a store says of its choices at points of latitude.
#ifndef LEASECHECK_TESTS_SUPPORT_DECLARED_H_
#define LEASECHECK_TESTS_SUPPORT_DECLARED_H_

#include "model/dialect.h"

namespace leasecheck {

// None of a class that makes no choices to declare.
template <class Store>
Dialects DeclaredBy() {
  if constexpr (requires { Store::Declared(); }) return Store::Declared();
  return {};
}

}  // namespace leasecheck

#endif  // LEASECHECK_TESTS_SUPPORT_DECLARED_H_
