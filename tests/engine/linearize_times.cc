// Measures the search on the public histories: processor time a file, reading not counted. No test: it asserts nothing.
//
//   linearize_times [substring of a name]
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "properties/engine/linearize.h"
#include "properties/engine/linearize_partition.h"
#include "tests/engine/public_histories.h"

namespace leasecheck::engine {
namespace {

constexpr double kSecondsAFile = 20;

double Now() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

LinearizeOptions Limits() {
  LinearizeOptions options;
  options.memory_bytes = std::size_t{1} << 30;
  options.out_of_time = [until = Now() + kSecondsAFile] { return Now() > until; };
  return options;
}

void Print(const std::string& name, double seconds, Verdict verdict, const LinearizeStats& stats) {
  std::printf("%-32s %10.3f ms  %-8s %12llu steps %10llu configurations %8.1f MiB\n", name.c_str(), seconds * 1e3,
              VerdictName(verdict), static_cast<unsigned long long>(stats.steps),
              static_cast<unsigned long long>(stats.configurations), stats.peak_bytes / 1048576.0);
}

void Etcd(const std::string& folder) {
  double total = 0;
  LinearizeStats sum;
  Verdict verdict = Verdict::kOk;
  for (int number = 0; number <= 102; ++number) {
    const auto calls = ReadEtcdLog(absl::StrFormat("%s/jepsen/etcd_%03d.log", folder, number));
    if (!calls.ok()) continue;
    const RegisterModel model(calls->ops);
    const double start = Now();
    const auto result = Linearize(model, calls->history, {kNil}, Limits());
    total += Now() - start;
    if (result.verdict == Verdict::kUnknown) verdict = Verdict::kUnknown;
    sum.steps += result.stats.steps;
    sum.configurations += result.stats.configurations;
    sum.peak_bytes = std::max(sum.peak_bytes, result.stats.peak_bytes);
  }
  Print("etcd, sum of 102", total, verdict, sum);
}

void Kv(const std::string& path, const std::string& name) {
  const auto calls = ReadKvHistory(path);
  if (!calls.ok()) return;
  const KvKeyModel model(&calls->ops);
  const double start = Now();
  const auto result = LinearizeByPart(
      model, calls->history, {KvKeyModel::State()}, [&](int op) { return std::optional<std::string>(calls->ops[op].key); },
      Limits());
  const double seconds = Now() - start;
  LinearizeStats sum;
  for (const auto& part : result.parts) {
    sum.steps += part.result.stats.steps;
    sum.configurations += part.result.stats.configurations;
    sum.peak_bytes = std::max(sum.peak_bytes, part.result.stats.peak_bytes);
  }
  Print(name, seconds, result.verdict, sum);
}

void Claims(const std::string& path, const std::string& name) {
  const auto history = ReadClaimHistory(path);
  if (!history.ok()) return;
  const ClaimModel model(history->calls.ops, history->fifo);
  const double start = Now();
  const auto result = Linearize(model, history->calls.history, {ClaimModel::State()}, Limits());
  Print(name, Now() - start, result.verdict, result.stats);
}

int Main(const std::string& only) {
  const std::string folder = PublicHistories();
  if (folder.empty()) {
    std::fprintf(stderr, "the public histories are not mounted beside the source directory\n");
    return 2;
  }
  if (absl::StrContains("etcd", only)) Etcd(folder);
  for (const char* kind : {"kv", "claimq"}) {
    std::set<std::string> files;
    for (const auto& file : std::filesystem::directory_iterator(folder + "/" + kind)) files.insert(file.path());
    for (const std::string& file : files) {
      const std::string name = std::string(kind) + " " + std::filesystem::path(file).stem().string();
      if (!absl::StrContains(name, only)) continue;
      if (name[0] == 'k') Kv(file, name);
      if (name[0] == 'c') Claims(file, name);
      std::fflush(stdout);
    }
  }
  return 0;
}

}  // namespace
}  // namespace leasecheck::engine

int main(int argc, char** argv) { return leasecheck::engine::Main(argc > 1 ? argv[1] : ""); }
