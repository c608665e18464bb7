// Any bytes as a history, after a first byte that says in which format: either one sentence with a line and a column, or events
// that survive the way through EDN and back.
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "properties/engine/history_formats.h"
#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using namespace leasecheck::engine;  // NOLINT(google-build-using-namespace): the whole subject of this file
  using leasecheck::fuzz::Require;
  if (size == 0) return 0;
  constexpr HistoryFormat kFormats[] = {HistoryFormat::kHistory, HistoryFormat::kEdn, HistoryFormat::kEtcdLog,
                                        HistoryFormat::kPorcupineKv, HistoryFormat::kClaimq};
  const HistoryFormat format = kFormats[data[0] % 5];
  const absl::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  (void)GuessHistoryFormat(text);
  const auto history = ConvertHistory(text, "fuzz", format, HistoryFormat::kHistory);
  if (!history.ok()) {
    Require(absl::IsInvalidArgument(history.status()), "a bad history is an invalid argument");
    Require(absl::StartsWith(history.status().message(), "fuzz:"), "the message names the place");
    return 0;
  }
  const auto same = ConvertHistory(*history, "fuzz", HistoryFormat::kHistory, HistoryFormat::kHistory);
  Require(same.ok() && *same == *history, "a history that we wrote is read as it is");
  const auto edn = ConvertHistory(*history, "fuzz", HistoryFormat::kHistory, HistoryFormat::kEdn);
  if (!edn.ok()) {
    Require(format == HistoryFormat::kHistory || format == HistoryFormat::kClaimq, "what came from EDN can be written as EDN");
    Require(absl::StrContains(edn.status().message(), "is a taken name"), "only taken names have no EDN");
    return 0;
  }
  const auto back = ConvertHistory(*edn, "fuzz", HistoryFormat::kEdn, HistoryFormat::kHistory);
  Require(back.ok() && *back == *history, "the way through EDN loses nothing");
  if (format == HistoryFormat::kHistory || format == HistoryFormat::kEdn) return 0;
  const auto own = ConvertHistory(*back, "fuzz", HistoryFormat::kHistory, format);
  Require(own.ok(), "a public format holds its own events");
  const auto again = ConvertHistory(*own, "fuzz", format, HistoryFormat::kHistory);
  Require(again.ok() && *again == *history, "the way through the public format loses nothing");
  return 0;
}
