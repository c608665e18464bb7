// Any bytes as a trace: either one sentence with a line and a column, or a trace whose canonical text is read as the same trace.
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "properties/engine/trace.h"
#include "properties/session_store.h"
#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using namespace leasecheck::engine;  // NOLINT(google-build-using-namespace): the whole subject of this file
  using F = leasecheck::SessionStoreFamily;
  using leasecheck::fuzz::Require;
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto conversions = PropertiesOf<F>::Conversions();
  const auto trace = ParseTrace<F>(text, "fuzz", conversions);
  if (!trace.ok()) {
    Require(absl::IsInvalidArgument(trace.status()), "a bad trace is an invalid argument");
    Require(absl::StartsWith(trace.status().message(), "fuzz:"), "the message names the place");
    return 0;
  }
  const std::string printed = PrintTrace<F>(*trace);
  const auto again = ParseTrace<F>(printed, "fuzz", conversions);
  Require(again.ok(), "the canonical text is read");
  Require(*again == *trace, "the canonical text is read as the same trace");
  Require(PrintTrace<F>(*again) == printed, "the canonical text is canonical");
  const Trace<F> made = ProgramToTrace<F>(trace->program, conversions, {});
  Require(made.program == trace->program, "the program of a trace is plain already");
  return 0;
}
