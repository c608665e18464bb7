// Does a faked clock fake? Asked before anything is judged by it.
#ifndef LEASECHECK_PROPERTIES_ENGINE_PROVE_CLOCK_H_
#define LEASECHECK_PROPERTIES_ENGINE_PROVE_CLOCK_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "model/spec.h"
#include "model/target.h"
#include "properties/engine/generator.h"

namespace leasecheck::engine {

// Sets the target's clock to several instants and asks it what it reads: the instant, and still the instant a moment later.
// FailedPrecondition: something else. The store is to be reset afterwards.
template <class F>
absl::Status ProveClock(Target<F>& target) {
  constexpr EpochMs kInstants[] = {1'000'000, 1'000'001, 86'400'000'123, 1'000'999, 1'700'000'000'500};
  constexpr absl::Duration kMoment = absl::Milliseconds(3);  // longer than what the clock tells apart
  if (absl::Status status = target.Reset(kInstants[0]); !status.ok()) return status;
  for (EpochMs instant : kInstants) {
    if (absl::Status status = target.SetClock(instant); !status.ok()) return status;
    for (int again = 0; again < 2; ++again) {
      if (again > 0) absl::SleepFor(kMoment);
      for (const RequestOf<F>& before : BeforeClockProbe<F>()) target.Execute(before);
      const RequestOf<F> request = PropertiesOf<F>::ClockProbe();
      const std::optional<EpochMs> read = Spec<F>::ReportedInstant(request, target.Execute(request));
      if (read == instant) continue;
      return absl::FailedPreconditionError(absl::StrCat("the backend's clock does not follow the faked time: set to ", instant,
                                                        " it read ", read.has_value() ? absl::StrCat(*read) : "nothing",
                                                        "; does the program ask libc for the time (Go does not)?"));
    }
  }
  return absl::OkStatus();
}

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_ENGINE_PROVE_CLOCK_H_
