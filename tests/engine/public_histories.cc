#include "tests/engine/public_histories.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace leasecheck::engine {
namespace {

// Calls `read` with every line; the first line it does not accept is an error.
absl::Status ForEachLine(const std::string& path, const std::function<bool(const std::string&)>& read) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot open ", path));
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (!read(line)) return absl::InvalidArgumentError(absl::StrCat(path, ":", number, ": not a line of this format"));
  }
  return absl::OkStatus();
}

bool ParseValue(absl::string_view text, int* value) {
  if (text == "nil") {
    *value = kNil;
    return true;
  }
  return absl::SimpleAtoi(text, value);
}

class EtcdReader {
 public:
  bool Line(const std::string& line) {
    ++now_;
    std::vector<absl::string_view> words = absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    if (words.size() < 7 || words[0] != "INFO" || words[1] != "jepsen.util") return true;
    int process = 0;
    if (!absl::SimpleAtoi(words[3], &process)) return true;
    std::vector<absl::string_view> values(words.begin() + 6, words.end());
    if (words[4] == ":invoke") return Invoke(process, words[5], values);
    const auto open = open_.find(process);
    if (open == open_.end()) return words[4] == ":info";
    if (words[4] == ":info") {
      open_.erase(open);
      return true;
    }
    RegisterOp& op = calls_.ops[open->second];
    op.answer = words[4] == ":ok" ? RegisterOp::kOk : RegisterOp::kFail;
    if (op.kind == RegisterOp::kRead && op.answer == RegisterOp::kOk) {
      int value = 0;
      if (!ParseValue(values[0], &value)) return false;
      op.read = value;
    }
    calls_.history[open->second].end = now_;
    calls_.history[open->second].optional = false;
    open_.erase(open);
    return true;
  }
  RecordedCalls<RegisterOp> Take() { return std::move(calls_); }

 private:
  bool Invoke(int process, absl::string_view f, const std::vector<absl::string_view>& values) {
    RegisterOp op;
    op.kind = f == ":read" ? RegisterOp::kRead : f == ":write" ? RegisterOp::kWrite : RegisterOp::kCas;
    if (op.kind == RegisterOp::kWrite && !ParseValue(values[0], &op.a)) return false;
    if (op.kind == RegisterOp::kCas) {
      if (values.size() != 2 || !absl::ConsumePrefix(&const_cast<absl::string_view&>(values[0]), "[")) return false;
      if (!ParseValue(values[0], &op.a) || !ParseValue(absl::StripSuffix(values[1], "]"), &op.b)) return false;
    }
    open_[process] = calls_.ops.size();
    calls_.ops.push_back(op);
    calls_.history.push_back({now_, kOpen, /*optional=*/true, 1});
    return true;
  }

  Instant now_ = 0;
  RecordedCalls<RegisterOp> calls_;
  absl::flat_hash_map<int, std::size_t> open_;
};

}  // namespace

std::string PublicHistories() {
  const std::string path = std::string(LEASECHECK_SOURCE_DIR) + "/../shared/histories";
  return std::filesystem::is_directory(path) ? path : "";
}

bool EtcdLogIsLinearizable(int number) {
  static constexpr int kLinearizable[] = {2,  5,  7,  18, 25, 31, 38, 45, 48,  49,  51, 53,
                                          56, 67, 75, 76, 80, 87, 92, 98, 100, 101, 102};
  return std::find(std::begin(kLinearizable), std::end(kLinearizable), number) != std::end(kLinearizable);
}

absl::StatusOr<RecordedCalls<RegisterOp>> ReadEtcdLog(const std::string& path) {
  EtcdReader reader;
  if (absl::Status status = ForEachLine(path, [&](const std::string& line) { return reader.Line(line); }); !status.ok()) {
    return status;
  }
  return reader.Take();
}

absl::StatusOr<RecordedCalls<KvOp>> ReadKvHistory(const std::string& path) {
  static const std::regex kLine(R"re(\{:process (\d+), :type :(\w+), :f :(\w+), :key "([^"]*)", :value (?:nil|"([^"]*)")\})re");
  RecordedCalls<KvOp> calls;
  std::map<std::string, std::size_t> open;
  Instant now = 0;
  const absl::Status status = ForEachLine(path, [&](const std::string& line) {
    std::smatch match;
    if (!std::regex_match(line, match, kLine)) return false;
    ++now;
    if (match[2] == "invoke") {
      open[match[1]] = calls.ops.size();
      calls.ops.push_back({match[3] == "get" ? KvOp::kGet : match[3] == "put" ? KvOp::kPut : KvOp::kAppend, match[4], match[5]});
      calls.history.push_back({now, kOpen, /*optional=*/true, 1});
      return true;
    }
    const auto it = open.find(match[1]);
    if (it == open.end()) return false;
    if (calls.ops[it->second].kind == KvOp::kGet) calls.ops[it->second].value = match[5];
    calls.history[it->second].end = now;
    calls.history[it->second].optional = false;
    open.erase(it);
    return true;
  });
  if (!status.ok()) return status;
  return calls;
}

absl::StatusOr<ClaimHistory> ReadClaimHistory(const std::string& path) {
  static const std::map<std::string, ClaimOp::Kind> kKinds = {{"enqueue", ClaimOp::kEnqueue}, {"claim", ClaimOp::kClaim},
                                                              {"renew", ClaimOp::kRenew},     {"complete", ClaimOp::kComplete},
                                                              {"abandon", ClaimOp::kAbandon}, {"expire", ClaimOp::kExpire}};
  static const std::map<std::string, ClaimOp::Answer> kAnswers = {
      {"", ClaimOp::kUnknown}, {"ok", ClaimOp::kOk}, {"stale", ClaimOp::kStale}, {"empty", ClaimOp::kEmpty}};
  ClaimHistory history;
  bool header = true;
  const absl::Status status = ForEachLine(path, [&](const std::string& text) {
    const nlohmann::json line = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!line.is_object()) return false;
    if (header) {
      header = false;
      history.fifo = line.value("order", "") == "fifo";
      return line.value("format", "") == "claimq-1";
    }
    const auto kind = kKinds.find(line.value("f", ""));
    const auto answer = kAnswers.find(line.value("out", ""));
    if (kind == kKinds.end() || answer == kAnswers.end()) return false;
    history.calls.ops.push_back({kind->second, line.value("item", 0), line.value("token", 0), answer->second});
    const bool answered = line.contains("ret");
    history.calls.history.push_back({line.value("call", Instant{0}), line.value("ret", kOpen), !answered, 1});
    return true;
  });
  if (!status.ok()) return status;
  return history;
}

}  // namespace leasecheck::engine
