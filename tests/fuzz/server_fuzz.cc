// Any bytes as the input of a served store. Every line that comes out must be a JSON-RPC answer, one for each line that went in.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "adapters/process/pipes.h"
#include "adapters/process/server.h"
#include "codec/json.h"
#include "tests/adapters/process_fake_store.h"
#include "tests/fuzz/require.h"

namespace leasecheck::fuzz {
namespace {

using process::Descriptor;

std::string ReadAll(int fd) {
  std::string all, bytes;
  lseek(fd, 0, SEEK_SET);
  while (process::ReadAvailable(fd, &bytes)) all += bytes;
  return all;
}

void CheckAnswer(absl::string_view line) {
  absl::StatusOr<codec::Json> answer = codec::ParseJson(line);
  Require(answer.ok() && answer->is_object(), "an answer is an object");
  Require((*answer)["jsonrpc"] == "2.0" && answer->contains("id"), "an answer has its frame");
  Require(answer->contains("result") != answer->contains("error"), "an answer has a result or an error");
}

void CheckServer(absl::string_view input) {
  // Files in memory: they never block, whatever their size.
  Descriptor in(memfd_create("in", MFD_CLOEXEC)), out(memfd_create("out", MFD_CLOEXEC));
  Require(process::WriteBytes(in.get(), input, absl::InfiniteFuture()).ok(), "the input can be written");
  lseek(in.get(), 0, SEEK_SET);
  process::FakeTarget target(1);
  Require(process::Serve<SessionStoreFamily>(target, in.get(), out.get()).ok(), "the server ends well");
  const std::string output = ReadAll(out.get());
  Require(output.empty() || output.back() == '\n', "the output is made of lines");
  for (absl::string_view line : absl::StrSplit(output, '\n', absl::SkipEmpty())) CheckAnswer(line);
  const auto answers = std::count(output.begin(), output.end(), '\n');
  const auto lines = std::count(input.begin(), input.end(), '\n') + (input.empty() || input.back() == '\n' ? 0 : 1);
  Require(answers == lines || (answers < lines && absl::StrContains(input, "shutdown")), "each line has its answer");
}

}  // namespace
}  // namespace leasecheck::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  // The fake store holds a call about this session until a second one comes, and here none can.
  if (!absl::StrContains(input, "rendezvous") && !absl::StrContains(input, "\\u")) leasecheck::fuzz::CheckServer(input);
  return 0;
}
