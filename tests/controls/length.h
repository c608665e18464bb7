// How many calls a control makes. LEASECHECK_NIGHTLY=1: 10,000,000 of every eighth control and 1,000,000 of the others, since all
// at full length take a core half a day; LEASECHECK_NIGHT, a number that grows by one a night, says whose turn it is.
#ifndef LEASECHECK_TESTS_CONTROLS_LENGTH_H_
#define LEASECHECK_TESTS_CONTROLS_LENGTH_H_

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/types/span.h"

namespace leasecheck::controls {

inline constexpr uint64_t kNights = 8;

// The place of a control in its catalogue, by its name; the size where it is not in there.
template <class C>
std::size_t PlaceOf(const C& control, absl::Span<const C> all) {
  std::size_t place = 0;
  while (place < all.size() && std::string(all[place].name) != std::string(control.name)) ++place;
  return place;
}

// `usual`: without a nightly run.
inline uint64_t LengthOf(std::size_t place, uint64_t usual) {
  const char* nightly = std::getenv("LEASECHECK_NIGHTLY");
  if (nightly == nullptr || std::string(nightly) != "1") return usual;
  const char* night = std::getenv("LEASECHECK_NIGHT");
  uint64_t number = 0;
  if (night != nullptr && !absl::SimpleAtoi(night, &number)) number = 0;
  return place % kNights == number % kNights ? 10'000'000 : 1'000'000;
}

}  // namespace leasecheck::controls

#endif  // LEASECHECK_TESTS_CONTROLS_LENGTH_H_
