#include <unistd.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "adapters/process/pipes.h"
#include "adapters/process/server.h"
#include "codec/json.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/adapters/process_fake_store.h"

namespace leasecheck::process {
namespace {

using codec::Json;
using ::testing::HasSubstr;

// A server on a thread of its own, seen through its pipes.
class Served {
 public:
  explicit Served(int concurrency = 1, const std::string& file = "") : target_(concurrency, file) {}
  ~Served() {
    if (server_.joinable()) CloseInput().IgnoreError();
  }
  FakeTarget& target() { return target_; }

  void Start() {
    input_ = *MakePipe();
    output_ = *MakePipe();
    server_ = std::thread([this] {
      status_ = Serve<SessionStoreFamily>(target_, input_.read.get(), output_.write.get());
      output_.write.Close();
    });
  }
  void Open() {
    Start();
    EXPECT_EQ(Ask(R"({"jsonrpc":"2.0","id":0,"method":"reset","params":{"now_ms":1000}})"),
              R"({"id":0,"jsonrpc":"2.0","result":{}})");
  }

  void Send(absl::string_view bytes) { EXPECT_TRUE(WriteBytes(input_.write.get(), bytes, absl::InfiniteFuture()).ok()); }
  // The next line; none at the end.
  std::optional<std::string> Receive() {
    std::optional<std::string> line;
    while (true) {
      const std::size_t end = received_.find('\n');
      if (end != std::string::npos) {
        line = received_.substr(0, end);
        received_.erase(0, end + 1);
        return line;
      }
      std::string bytes;
      if (!ReadAvailable(output_.read.get(), &bytes)) return line;
      received_ += bytes;
    }
  }
  std::string Ask(absl::string_view request) {
    Send(absl::StrCat(request, "\n"));
    return Receive().value_or("the end");
  }
  std::string Call(absl::string_view method, absl::string_view params) {
    return Ask(absl::StrCat(R"({"jsonrpc":"2.0","id":7,"method":")", method, R"(","params":)", params, "}"));
  }
  absl::Status CloseInput() {
    input_.write.Close();
    server_.join();
    return status_;
  }
  absl::Status Join() {
    server_.join();
    return status_;
  }
  void CloseOutput() { output_.read.Close(); }

 private:
  FakeTarget target_;
  Pipe input_, output_;
  std::thread server_;
  absl::Status status_;
  std::string received_;
};

std::string ErrorLine(absl::string_view id, int code, absl::string_view message) {
  return absl::StrCat(R"({"error":{"code":)", code, R"(,"message":")", message, R"("},"id":)", id, R"(,"jsonrpc":"2.0"})");
}

TEST(ServerTest, Initialize) {
  Served served(3);
  served.target().mutable_info().operations = std::vector<bool>(kOperationCount<SessionStoreFamily>, false);
  served.target().mutable_info().operations[7] = true;
  served.Start();
  EXPECT_EQ(
      served.Call("initialize", R"({"protocol":1,"family":"session_store"})"),
      R"({"id":7,"jsonrpc":"2.0","result":{"clock":"virtual","concurrency":3,"dialects":{"LENGTH":30000,"QW-LAT-7":"refuse"},)"
      R"("durable":false,"families":["session_store"],"name":"fake","operations":["list_queued_work"],"protocol":1,"version":"1"}})");
  EXPECT_EQ(served.Call("initialize", R"({"protocol":2,"family":"session_store"})"),
            ErrorLine("7", -32602, "params.protocol: this is protocol 1"));
  EXPECT_EQ(served.Call("initialize", R"({"protocol":1,"family":"x"})"),
            ErrorLine("7", -32602, "params.family: this is a store of session_store"));
  EXPECT_EQ(served.Call("initialize", "{}"), ErrorLine("7", -32602, "params.protocol: a required field is missing"));
  EXPECT_TRUE(served.CloseInput().ok());
}

TEST(ServerTest, AnswersContractCalls) {
  Served served;
  served.Open();
  EXPECT_EQ(served.Call("list_queued_work", R"({"session_id":"s"})"), R"({"id":7,"jsonrpc":"2.0","result":[]})");
  EXPECT_EQ(served.Call("cancel_queued_work_batch", R"({"session_id":"s","batch_id":"b"})"),
            R"({"error":{"code":-32000,"data":{"claim_id":"b","error":"QueuedWorkClaimExpired","session_id":"s"},)"
            R"("message":"contract error"},"id":7,"jsonrpc":"2.0"})");
  EXPECT_EQ(served.Call("load_session", R"({"scope":"FullGraph"})"),
            R"({"id":7,"jsonrpc":"2.0","result":{"graph":[5],"head_revision":1000,"session_id":"s"}})");
  EXPECT_EQ(served.Call("set_clock", R"({"now_ms":253370764799999})"), R"({"id":7,"jsonrpc":"2.0","result":{}})");
  EXPECT_THAT(served.Call("load_session", R"({"scope":"FullGraph"})"), HasSubstr("\"head_revision\":253370764799999"));
}

TEST(ServerTest, ContractCallsComeAfterReset) {
  Served served;
  served.Start();
  EXPECT_EQ(served.Call("list_queued_work", R"({"session_id":"s"})"),
            ErrorLine("7", -32600, "no store is open: reset or reopen comes first"));
  EXPECT_THAT(served.Call("reset", R"({"now_ms":1})"), HasSubstr("\"result\":{}"));
  EXPECT_THAT(served.Call("list_queued_work", R"({"session_id":"s"})"), HasSubstr("\"result\":[]"));
}

TEST(ServerTest, LivesOnAfterBadRequests) {
  Served served;
  served.Open();
  const std::pair<const char*, std::string> kCases[] = {
      {"", ErrorLine("null", -32700,
                     "byte 0: syntax error while parsing value - unexpected end of input; expected '[', '{', or a literal")},
      {"[]", ErrorLine("null", -32600, "batches are not part of this protocol")},
      {"7", ErrorLine("null", -32600, "a request is an object")},
      {"{}", ErrorLine("null", -32600, R"(a request has \"jsonrpc\":\"2.0\")")},
      {R"({"jsonrpc":"2.0","method":"shutdown"})", ErrorLine("null", -32600, "a request has a whole number as its id")},
      {R"({"jsonrpc":"2.0","id":1.5,"method":"shutdown"})", ErrorLine("null", -32600, "a request has a whole number as its id")},
      {R"({"jsonrpc":"2.0","id":1})", ErrorLine("null", -32600, "a request has a string as its method")},
      {R"({"jsonrpc":"2.0","id":1,"method":"drop_table"})",
       ErrorLine("1", -32601, "the family session_store has no method drop_table")},
      {R"({"jsonrpc":"2.0","id":1,"method":"$kill_at_statement","params":{"statement":1}})",
       ErrorLine("1", -32601, "the family session_store has no method $kill_at_statement")},
      {R"({"jsonrpc":"2.0","id":1,"method":"reopen"})", ErrorLine("1", -32601, "the store is not durable")},
      {R"({"jsonrpc":"2.0","id":1,"method":"reset","params":{}})",
       ErrorLine("1", -32602, "params.now_ms: a required field is missing")},
      {R"({"jsonrpc":"2.0","id":1,"method":"reset","params":{"now_ms":-1}})",
       ErrorLine("1", -32602, "params.now_ms: expected an unsigned 64-bit number, got the number -1")},
      {R"({"jsonrpc":"2.0","id":1,"method":"set_clock","params":{"now_ms":253370764800000}})",
       ErrorLine("1", -32602, "params.now_ms: expected at most 253370764799999, got 253370764800000")},
      {R"({"jsonrpc":"2.0","id":1,"method":"shutdown","params":{"now":1}})",
       ErrorLine("1", -32602, R"(params: unknown member \"now\")")},
      {R"({"jsonrpc":"2.0","id":1,"method":"list_queued_work","params":[]})",
       ErrorLine("1", -32602, "params: expected an object, got an array")},
      {R"({"jsonrpc":"2.0","id":1,"method":"list_queued_work","params":{"session_id":"s","more":1}})",
       ErrorLine("1", -32602, R"(params: unknown member \"more\")")},
  };
  for (const auto& [request, answer] : kCases) EXPECT_EQ(served.Ask(request), answer) << request;
  EXPECT_THAT(served.Ask("{\"a\":"), HasSubstr("\"code\":-32700"));
  EXPECT_THAT(served.Ask("{\"a\":\"\xff\"}"), HasSubstr("\"code\":-32700"));
  EXPECT_THAT(served.Call("list_queued_work", R"({"session_id":"s"})"), HasSubstr("\"result\":[]"));
}

TEST(ServerTest, SystemClocksAreNotSet) {
  Served served;
  served.target().mutable_info().virtual_clock = false;
  served.Open();
  EXPECT_EQ(served.Call("set_clock", R"({"now_ms":5})"), ErrorLine("7", -32601, "the store reads the system's clock"));
}

TEST(ServerTest, LongLines) {
  Served served;
  served.Open();
  const std::string frame = R"({"jsonrpc":"2.0","id":1,"method":"list_queued_work","params":{"session_id":""}})";
  std::string longest = frame;
  longest.insert(frame.size() - 3, kMaxLineBytes - frame.size(), 'x');
  ASSERT_EQ(longest.size(), kMaxLineBytes);
  EXPECT_EQ(served.Ask(longest), R"({"id":1,"jsonrpc":"2.0","result":[]})");
  EXPECT_EQ(served.Ask(longest + " "), ErrorLine("null", -32700, "a line of more than 16 MiB"));
  EXPECT_EQ(served.Ask(frame), R"({"id":1,"jsonrpc":"2.0","result":[]})");
  // Lengthened by its frame, the answer would be too long.
  EXPECT_EQ(served.Ask(absl::StrCat(R"({"jsonrpc":"2.0","id":2,"method":"cancel_queued_work_batch","params":{"session_id":")",
                                    std::string(kMaxLineBytes - 110, 'x'), R"(","batch_id":"b"}})")),
            ErrorLine("2", -32603, "the answer is longer than 16 MiB"));
}

TEST(ServerTest, CallsOverlapUpToTheConcurrency) {
  Served served(2);
  served.Open();
  // Each of the two returns only once the other is inside the store as well.
  served.Send(R"({"jsonrpc":"2.0","id":1,"method":"list_queued_work","params":{"session_id":"rendezvous"}})"
              "\n");
  served.Send(R"({"jsonrpc":"2.0","id":2,"method":"set_clock","params":{"now_ms":2000}})"
              "\n");
  EXPECT_EQ(served.Receive(), R"({"id":2,"jsonrpc":"2.0","result":{}})") << "set_clock overlaps a call";
  served.Send(R"({"jsonrpc":"2.0","id":3,"method":"list_queued_work","params":{"session_id":"rendezvous"}})"
              "\n");
  std::set<std::string> answers = {*served.Receive(), *served.Receive()};
  EXPECT_EQ(answers,
            (std::set<std::string>{R"({"id":1,"jsonrpc":"2.0","result":[]})", R"({"id":3,"jsonrpc":"2.0","result":[]})"}));
}

TEST(ServerTest, ResetWaitsForOpenCalls) {
  Served served(2);
  served.Open();
  // The reset, sent behind both calls, is answered last, or it would have run beside them.
  for (int id : {1, 2}) {
    served.Send(absl::StrCat(R"({"jsonrpc":"2.0","id":)", id,
                             R"(,"method":"list_queued_work","params":{"session_id":"rendezvous"}})", "\n"));
  }
  served.Send("{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"reset\",\"params\":{\"now_ms\":5}}\n");
  served.Receive();
  served.Receive();
  EXPECT_EQ(served.Receive(), R"({"id":3,"jsonrpc":"2.0","result":{}})");
}

TEST(ServerTest, ManyPipelinedCallsAreAllAnswered) {
  Served served(4);
  served.Open();
  constexpr int kCalls = 200;
  std::thread sender([&] {
    for (int id = 1; id <= kCalls; ++id) {
      served.Send(
          absl::StrCat(R"({"jsonrpc":"2.0","id":)", id, R"(,"method":"list_queued_work","params":{"session_id":"s"}})", "\n"));
    }
  });
  std::set<int64_t> ids;
  for (int i = 0; i < kCalls; ++i) ids.insert((*codec::ParseJson(*served.Receive()))["id"].get<int64_t>());
  sender.join();
  EXPECT_EQ(ids.size(), static_cast<std::size_t>(kCalls));
}

TEST(ServerTest, ShutdownAnswersAndEnds) {
  Served served(2);
  served.Open();
  EXPECT_EQ(served.Call("shutdown", "{}"), R"({"id":7,"jsonrpc":"2.0","result":{}})");
  EXPECT_EQ(served.Receive(), std::nullopt);
  EXPECT_TRUE(served.Join().ok());
}

TEST(ServerTest, EndOfInputEndsIt) {
  Served served(2);
  served.Open();
  served.Send(R"({"jsonrpc":"2.0","id":1,"method":"list_queued_work","params":{"session_id":"s"}})");
  EXPECT_TRUE(served.CloseInput().ok());
  EXPECT_EQ(served.Receive(), R"({"id":1,"jsonrpc":"2.0","result":[]})") << "the last line needs no line feed";
  EXPECT_EQ(served.Receive(), std::nullopt);
}

TEST(ServerTest, AReaderThatIsGoneEndsIt) {
  Served served;
  served.Open();
  served.CloseOutput();
  served.Send("{}\n");
  EXPECT_EQ(served.Join().code(), absl::StatusCode::kUnavailable);
}

TEST(LineCutterTest, CutsAnyPieces) {
  LineCutter cutter;
  std::vector<std::string> lines;
  auto on_line = [&](absl::string_view line) { lines.emplace_back(line); };
  auto on_too_long = [&] { lines.push_back("too long"); };
  for (const char* piece : {"a", "b\nc", "\n\nd\n", "", "e"}) cutter.Feed(piece, on_line, on_too_long);
  EXPECT_THAT(lines, testing::ElementsAre("ab", "c", "", "d"));
  EXPECT_EQ(cutter.rest(), "e");
  lines.clear();
  cutter.Feed(std::string(kMaxLineBytes, 'x'), on_line, on_too_long);
  EXPECT_THAT(lines, testing::ElementsAre("too long"));
  cutter.Feed("more\nnext\n", on_line, on_too_long);
  EXPECT_THAT(lines, testing::ElementsAre("too long", "next"));
}

}  // namespace
}  // namespace leasecheck::process
