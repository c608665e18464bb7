// The controls: legal deviants, each one liberty that the contract's latitude grants. The harness has to let every one pass.
#ifndef LEASECHECK_TESTS_CONTROLS_CATALOGUE_H_
#define LEASECHECK_TESTS_CONTROLS_CATALOGUE_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "model/session_store/family.h"
#include "model/target.h"
#include "tests/mutants/slip_store.h"

namespace leasecheck::controls {

struct Control {
  mutants::Deviation deviation;
  absl::string_view name;      // "seq-with-gaps"
  absl::string_view latitude;  // the latitude point that allows it: "QW-LAT-14"
  absl::string_view sentence;  // what the store does, for a person
};

// All of them, in the order of Deviation.
absl::Span<const Control> Controls();

// Targets that run the control; a durable one can also be killed and reopened. Declares what the contract wants declared.
TargetFactory<SessionStoreFamily> FactoryOf(const Control& control, bool durable);
// Targets that run the plain store without any liberty.
TargetFactory<SessionStoreFamily> PlainFactory(bool durable);

}  // namespace leasecheck::controls

#endif  // LEASECHECK_TESTS_CONTROLS_CATALOGUE_H_
