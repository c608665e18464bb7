// History files: what JSON means in EDN, that round trips lose nothing, and what is said about bad input.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "properties/engine/history_edn.h"
#include "properties/engine/history_formats.h"
#include "tests/support/golden.h"

namespace leasecheck::engine {
namespace {

using codec::DumpOrderedJson;
using codec::OrderedJson;
using ::testing::HasSubstr;
using ::testing::StartsWith;

OrderedJson Json(const std::string& text) {
  auto json = codec::ParseOrderedJson(text, nullptr);
  EXPECT_TRUE(json.ok()) << text << json.status();
  return json.ok() ? *json : OrderedJson();
}

std::string ToEdn(const OrderedJson& json) {
  std::string edn;
  const absl::Status status = AppendEdn(json, EdnPlace::kValue, &edn);
  return status.ok() ? edn : std::string(status.message());
}

std::string ToJson(const std::string& edn) {
  auto value = EdnReader(edn).Next();
  if (!value.ok()) return std::string(value.status().message());
  return value->has_value() ? DumpOrderedJson(**value) : "nothing";
}

// The table of history_edn.h and its corners, as EDN is written.
TEST(HistoryEdn, EachValueHasOneForm) {
  const std::vector<std::pair<std::string, std::string>> same = {
      {"nil", "null"},
      {"true", "true"},
      {"-5", "-5"},
      {"18446744073709551615", "18446744073709551615"},
      {"18446744073709551616", R"({"#number":"18446744073709551616"})"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"-9223372036854775809", R"({"#number":"-9223372036854775809"})"},
      {"1.5", "1.5"},
      {"2.0", "2.0"},
      {"5N", R"({"#number":"5N"})"},
      {"1.50M", R"({"#number":"1.50M"})"},
      {"1/2", R"({"#number":"1/2"})"},
      {"##NaN", R"({"#number":"##NaN"})"},
      {"##-Inf", R"({"#number":"##-Inf"})"},
      {R"("text")", R"("text")"},
      {R"("a\n\"\\\u0000é")", R"("a\n\"\\\u0000é")"},
      {":a", R"(":a")"},
      {":a.b/c-d!", R"(":a.b/c-d!")"},
      {R"(":a")", R"("~:a")"},
      {R"("~:a")", R"("~~:a")"},
      {R"("~a")", R"("~a")"},
      {R"(":no keyword")", R"(":no keyword")"},
      {R"(":")", R"(":")"},
      {R"("")", R"("")"},
      {"[1 [] {}]", "[1,[],{}]"},
      {"(1 2)", R"({"#list":[1,2]})"},
      {"#{1 :a}", R"({"#set":[1,":a"]})"},
      {"\\a", R"({"#char":"a"})"},
      {"\\newline", R"({"#char":"\n"})"},
      {"\\(", R"({"#char":"("})"},
      {"\\,", R"({"#char":","})"},
      {"\\u0001", R"({"#char":"\u0001"})"},
      {"\\é", R"({"#char":"é"})"},
      {"a/b", R"({"#symbol":"a/b"})"},
      {"-", R"({"#symbol":"-"})"},
      {"#inst \"2026\"", R"({"#tag":["inst","2026"]})"},
      {"#a #b [nil]", R"({"#tag":["a",{"#tag":["b",[null]]}]})"},
      {"{:a 1, :b/c :d}", R"({"a":1,"b/c":":d"})"},
      {R"({"a" 1, "b c" 2, "~a" 3, ":a" 4, "~" 5})", R"({"~a":1,"b c":2,"~~a":3,":a":4,"~":5})"},
      {R"({"#set" 1, "~#set" 2, "#x" 3})", R"({"~#set":1,"~~#set":2,"#x":3})"},
      {"{1 2}", R"({"#map":[[1,2]]})"},
      {"{:a 1, [2] {nil 3}}", R"({"#map":[[":a",1],[[2],{"#map":[[null,3]]}]]})"},
  };
  for (const auto& [edn, json] : same) {
    EXPECT_EQ(ToJson(edn), json);
    EXPECT_EQ(ToEdn(Json(json)), edn);
  }
}

TEST(HistoryEdn, SpellingsThatMeanTheSame) {
  const std::vector<std::pair<std::string, std::string>> read = {
      {"  ,, ;comment\n 5", "5"},
      {"#_ [1 2] 5", "5"},
      {"#_ #_ 1 2 3", "3"},
      {"[1 #_2]", "[1]"},
      {"+7", "7"},
      {"-0", "0"},
      {"1e2", "100.0"},
      {"1.", "1.0"},
      {R"("\u00e9\ud83d\ude00")", "\"é😀\""},
      {"\\u0041", R"({"#char":"A"})"},
      {"{:a 1 :b 2}", R"({"a":1,"b":2})"},
      {"[1;x\n2]", "[1,2]"},
      {"\"a\nb\"", R"("a\nb")"},
      {"#inst\"x\"", R"({"#tag":["inst","x"]})"},
      {"", "nothing"},
      {"#_1", "nothing"},
  };
  for (const auto& [edn, json] : read) EXPECT_EQ(ToJson(edn), json) << edn;
}

TEST(HistoryEdn, BadEdnGetsASentence) {
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"[1 2", "expected a value or ']', found the end"},
      {"}", "expected a value, found '}'"},
      {"[1}", "expected a value, found '}'"},
      {"{:a}", "expected the key's value, found '}'"},
      {"{:a 1", "expected a key or '}', found the end"},
      {"{:a 1 :a 2}", "a map has this key twice"},
      {"#{1 1}", "a set holds this value twice"},
      {"\"abc", "expected the end of this string, found the end of the text"},
      {R"("\q")", "expected one of the escapes"},
      {R"("\u12")", "expected four hexadecimal digits"},
      {R"("\ud800")", "half of a surrogate pair"},
      {"\\", "expected a character after"},
      {"\\abc", "there is no character \\abc"},
      {"\\ud800", "half of a surrogate pair"},
      {"::a", "expected a value, found \"::a\""},
      {":", "expected a value, found \":\""},
      {"007", "expected a value, found \"007\""},
      {"0x1F", "expected a value"},
      {"1e999", "expected a value"},
      {"1.5.2", "expected a value"},
      {"##Foo", "expected ##NaN, ##Inf or ##-Inf, found ##Foo"},
      {"#:a{:b 1}", "expected a set, a tag, ##NaN or #_ after '#'"},
      {"#inst", "expected a value, found the end"},
      {"^{:a 1} x", "expected a value, found '^'"},
      {"\x01", "expected a value"},
      {"\"\xff\"", "expected UTF-8"},
      {std::string(300, '['), "nested deeper than 256 levels"},
      {std::string(100000, '{'), "nested deeper than 256 levels"},
  };
  for (const auto& [edn, message] : bad) EXPECT_THAT(ToJson(edn), HasSubstr(message)) << edn.substr(0, 40);
  std::string deep_discards;
  for (int i = 0; i < 100000; ++i) deep_discards += "#_ ";
  EXPECT_THAT(ToJson(deep_discards), HasSubstr("nested deeper"));
}

TEST(HistoryEdn, TakenNamesHoldWhatTheySay) {
  for (const char* json :
       {R"({"#set":1})", R"({"#set":[1,1]})", R"({"#set":[],"a":1})", R"({"#list":{}})", R"({"#char":"ab"})", R"({"#char":""})",
        R"({"#symbol":"a b"})", R"({"#symbol":"nil"})", R"({"#symbol":"5"})", R"({"#tag":["inst"]})", R"({"#tag":["1",2]})",
        R"({"#number":"5"})", R"({"#number":"+5N"})", R"({"#number":"x"})", R"({"#map":[]})", R"({"#map":[["a",1]]})",
        R"({"#map":[[1,2],[1,3]]})", R"([[{"#map":[[1]]}]])"}) {
    EXPECT_THAT(ToEdn(Json(json)), HasSubstr("is a taken name: expected ")) << json;
  }
}

TEST(HistoryEdn, PlainJsonKeepsItsStrings) {
  const codec::Json plain = codec::Json::parse(R"({"#set":[":a","~:a","x"],"a b":{"n":-1,"u":18446744073709551615,"d":0.5}})");
  const OrderedJson json = FromPlainJson(plain);
  EXPECT_EQ(ToEdn(json), R"({"#set" [":a" "~:a" "x"], "a b" {:d 0.5, :n -1, :u 18446744073709551615}})");
}

// Random values of every kind, with the strings that need care more often than not.
class RandomJson {
 public:
  explicit RandomJson(uint64_t seed) : random_(seed) {}

  OrderedJson Make(int depth) {
    switch (Below(depth > 0 ? 15 : 8)) {
      case 0:
        return nullptr;
      case 1:
        return Below(2) == 0;
      case 2:
        return static_cast<int64_t>(random_());
      case 3:
        return random_() >> Below(64);
      case 4:
        return static_cast<double>(static_cast<int64_t>(random_())) / 1024;
      case 5:
        return OrderedJson{{"#number", Pick({"5N", "-1/3", "1.50M", "##NaN", "99999999999999999999"})}};
      case 6:
        return OrderedJson{{"#char", Pick({"a", "\n", " ", "\\", "(", "é", ",", std::string(1, '\0')})}};
      case 7:
        return Text();
      case 8:
        return OrderedJson{{"#symbol", Pick({"a", "+", "a.b/c", "/", "...", "a:b"})}};
      case 9:
        return OrderedJson{{"#list", Array(depth)}};
      case 10:
        return OrderedJson{{"#set", Distinct(depth)}};
      case 11:
        return OrderedJson{{"#tag", OrderedJson::array({Pick({"inst", "a/b"}), Make(depth - 1)})}};
      case 12:
        return OrderedJson{{"#map", OrderedJson::array({OrderedJson::array({Below(100), Make(depth - 1)})})}};
      case 13:
        return Array(depth);
      default:
        return Object(depth);
    }
  }
  OrderedJson Object(int depth) {
    OrderedJson object = OrderedJson::object();
    for (std::size_t n = Below(4); n > 0; --n) {
      const std::string name = Text();
      if (!absl::StartsWith(name, "#")) object[name] = Make(depth - 1);
    }
    return object;
  }

 private:
  std::size_t Below(std::size_t bound) { return static_cast<std::size_t>(random_() % bound); }
  std::string Pick(const std::vector<std::string>& from) { return from[Below(from.size())]; }
  std::string Text() {
    std::string text = Pick({"", "~", "~~", ":", "~:", "::", "#", "~#"});
    text += Pick({"", "a", "a b", "set", "x/y", "/", "1", "é", "\"", "\\", "\n", "\x7f", "nil", ":", "tag"});
    return text;
  }
  OrderedJson Array(int depth) {
    OrderedJson array = OrderedJson::array();
    for (std::size_t n = Below(4); n > 0; --n) array.push_back(Make(depth - 1));
    return array;
  }
  OrderedJson Distinct(int depth) {
    OrderedJson distinct = OrderedJson::array();
    for (std::size_t n = Below(4); n > 0; --n) {
      OrderedJson value = Make(depth - 1);
      const bool seen = std::any_of(distinct.begin(), distinct.end(),
                                    [&](const OrderedJson& other) { return DumpOrderedJson(other) == DumpOrderedJson(value); });
      if (!seen) distinct.push_back(std::move(value));
    }
    return distinct;
  }

  std::mt19937_64 random_;
};

TEST(HistoryRoundTrip, RandomValues) {
  int strings = 0;
  for (uint64_t seed = 0; seed < 20000; ++seed) {
    const OrderedJson json = RandomJson(seed).Make(4);
    const std::string edn = ToEdn(json);
    ASSERT_EQ(ToJson(edn), DumpOrderedJson(json)) << edn;
    ASSERT_EQ(ToEdn(Json(DumpOrderedJson(json))), edn);
    strings += json.is_string() ? 1 : 0;
  }
  EXPECT_GT(strings, 500);
}

TEST(HistoryRoundTrip, RandomHistories) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    RandomJson random(seed);
    std::string lines;
    for (uint64_t i = 0; i < 20; ++i) {
      OrderedJson event = {{"index", 3 * i}, {"process", seed % 3 == 0 ? OrderedJson("nemesis") : OrderedJson(i)}};
      event["type"] = "invoke";
      event["f"] = random.Make(1);
      event["value"] = random.Make(3);
      event["error"] = random.Object(2);
      absl::StrAppend(&lines, DumpOrderedJson(event), "\n");
    }
    const auto edn = ConvertHistory(lines, "a.jsonl", HistoryFormat::kHistory, HistoryFormat::kEdn);
    ASSERT_TRUE(edn.ok()) << edn.status() << lines;
    const auto back = ConvertHistory(*edn, "a.edn", HistoryFormat::kEdn, HistoryFormat::kHistory);
    ASSERT_TRUE(back.ok()) << back.status() << *edn;
    ASSERT_EQ(*back, lines);
    ASSERT_EQ(GuessHistoryFormat(lines), HistoryFormat::kHistory);
    ASSERT_EQ(GuessHistoryFormat(*edn), HistoryFormat::kEdn);
  }
}

// What Jepsen writes, and one vector of it.
constexpr char kJepsen[] = R"edn({:type :invoke, :f :read, :value nil, :process 0, :time 3291485317, :index 0}
{:type :ok, :f :read, :value #{1 "x" :y}, :process 0, :time 3767733708, :index 1}
{:type :info, :f :start-partition, :value {"n1" #{"n2" "n3"}, "n2" #{"n1"}}, :process :nemesis, :time 4000000000, :index 2}
{:type :invoke, :f :txn, :value [[:append 5 1] [:r 6 nil]], :process 1, :time 4000000001, :index 3}
{:type :info, :f :txn, :value [[:append 5 1] [:r 6 nil]], :process 1, :time 5, :index 4, :error [:timeout "(no answer)"], :exception #error {:cause "x"}}
)edn";

TEST(HistoryRoundTrip, JepsenFilesKeepEveryByte) {
  const auto json = ConvertHistory(kJepsen, "history.edn", HistoryFormat::kEdn, HistoryFormat::kHistory);
  ASSERT_TRUE(json.ok()) << json.status();
  testing::ExpectGolden("tests/engine/golden/jepsen.jsonl", *json);
  const auto back = ConvertHistory(*json, "history.jsonl", HistoryFormat::kHistory, HistoryFormat::kEdn);
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(*back, kJepsen);
  for (const std::string& wrapped : {absl::StrCat("[", kJepsen, "]\n;end"), absl::StrCat("(", kJepsen, ")")}) {
    EXPECT_EQ(GuessHistoryFormat(wrapped), HistoryFormat::kEdn);
    EXPECT_EQ(ConvertHistory(wrapped, "history.edn", HistoryFormat::kEdn, HistoryFormat::kHistory).value_or("bad"), *json);
  }
}

struct BadHistory {
  HistoryFormat from;
  const char* text;
  const char* message;
  HistoryFormat to = HistoryFormat::kEdn;
};

TEST(HistoryFiles, BadInputGetsFileLineColumnAndASentence) {
  using enum HistoryFormat;
  const std::string header = R"({"format":"claimq-1","clients":2})";
  const std::vector<BadHistory> bad = {
      {kHistory, "{\"a\":1}\n", "f:1:1: expected \"type\" to be invoke, ok, fail or info, found none"},
      {kHistory, "\n[1]\n", "f:2:1: expected an event, a map, found [1]"},
      {kHistory, "\n{\"type\":nil}", "f:2:10: expected an event in JSON: "},
      {kHistory, R"({"type":"ok","type":"ok"})", "f:1:19: expected an event in JSON: the member \"type\" is given twice"},
      {kHistory, R"({"index":99999999999999999999})", "is beyond 64 bits"},
      {kHistory, R"({"type":"done","process":1,"f":"x"})",
       "f:1:1: expected \"type\" to be invoke, ok, fail or info, found \"done\""},
      {kHistory, R"({"type":"info","process":-1,"f":"x"})", "expected \"process\" to be a client's number or a name, found -1"},
      {kHistory, R"({"type":"info","process":1})", "expected \"f\" to be what was called, found none"},
      {kHistory, R"({"type":"info","process":1,"f":"x","time":"now"})", "expected \"time\" to be an integer"},
      {kHistory, R"({"type":"info","process":1,"f":"x","index":1.5})", "expected \"index\" to be an integer from 0 on"},
      {kHistory,
       "{\"type\":\"info\",\"process\":1,\"f\":\"x\",\"index\":4}\n{\"type\":\"info\",\"process\":1,\"f\":\"x\",\"index\":4}",
       "f:2:1: expected \"index\" to be greater than 4, the one before it, found 4"},
      {kHistory, R"({"type":"ok","process":1,"f":"x"})", "f:1:1: expected an invoke of process 1, found an answer to no call"},
      {kHistory, R"({"type":"info","process":1,"f":"x","value":{"#set":1}})",
       "f:1:1: \"#set\" is a taken name: expected an array"},
      {kEdn, "{:type :invoke, :process 1, :f :a}\n {:type :invoke, :process 1, :f :b}",
       "f:2:2: expected an answer to the open call \"a\" of process 1, found an invoke"},
      {kEdn, "{:type :invoke, :process 1, :f :a}{:type :ok, :process 1, :f :b}",
       "f:1:35: expected \"f\" to be \"a\", the open call of process 1, found \"b\""},
      {kEdn, "{:type :invoke\n :process @}", "f:2:11: expected a value, found '@'"},
      {kEdn, "{:type \"invoke\", :process 1, :f :a}", "found \"~invoke\""},
      {kEdn, "[{:type :info, :process 1, :f :a}] 5", "f:1:36: expected nothing after the end of the sequence, found '5'"},
      {kEdn, "[{:type :info, :process 1, :f :a}", "expected a value, found the end"},
      {kEtcdLog, "INFO  jepsen.util - 0 :invoke read nil\n", "f:1:31: expected what was called, such as :read"},
      {kEtcdLog, "x\nINFO  jepsen.util - 0 :invoke :read\n", "f:2:36: expected the call's value, found the end of the line"},
      {kEtcdLog, "INFO  jepsen.util - 0 :invoke :read [1\n", "expected a value or ']', found the end"},
      {kEtcdLog, "INFO  jepsen.util - 0 :invoke :read 1 2\n", "expected one value and nothing after it"},
      {kEtcdLog, "INFO  jepsen.util - 0 :ok :read 1\n", "f:1:1: expected an invoke of process 0"},
      {kPorcupineKv, "{:process 0, :type :invoke, :f :get, :value nil}", "f:1:1: expected the key, a string"},
      {kPorcupineKv, "{:process 0, :type :invoke, :f :cas, :key \"a\", :value nil}", "expected f to be get, put or append"},
      {kPorcupineKv, "{:process 0, :type :info, :f :get, :key \"a\", :value nil}", "expected the type invoke or ok, found info"},
      {kPorcupineKv, "{:process 0, :type :invoke, :f :get, :key :a, :value nil}", "expected a string, found a keyword"},
      {kPorcupineKv, "{:process :a, :type :invoke, :f :get, :key \"a\", :value nil}", "expected a numbered process"},
      {kPorcupineKv, "{:process 0, :type :invoke, :f :get, :key \"a\", :value nil, :error 1}",
       "f:1:1: expected the members process, type, f, key and value, found error"},
      {kPorcupineKv, "{:index 0, :process 0, :type :invoke, :f :get, :key \"a\", :value nil}", "found index"},
      {kClaimq, "", "f:1:1: expected the header"},
      {kClaimq, "{\"clients\":1}", "f:1:1: expected the header"},
      {kClaimq, "H\n{\"c\":2,\"f\":\"claim\",\"call\":1}", "f:2:1: expected c, a client of those that the header counts"},
      {kClaimq, "H\n{\"c\":1,\"f\":\"claim\"}", "f:2:1: expected call, an instant"},
      {kClaimq, "H\n{\"c\":1,\"f\":\"steal\",\"call\":1}", "expected f to be one of enqueue, claim"},
      {kClaimq, "H\n{\"c\":1,\"f\":\"claim\",\"call\":1,\"ret\":2}", "expected both of ret and out, or none"},
      {kClaimq, "H\n{\"c\":1,\"f\":\"claim\",\"call\":2,\"ret\":2,\"out\":\"empty\"}", "expected ret after call"},
      {kClaimq, "H\n{\"c\":1,\"f\":\"claim\",\"call\":1,\"ret\":2,\"out\":\"stale\"}",
       "expected another out than stale of claim"},
      {kClaimq, "H\n{\"c\":1,\"f\":\"claim\",\"call\":1,\"ret\":2,\"out\":\"ok\"}", "expected an item"},
      {kClaimq, "H\n{\"c\":1,\"f\":\"renew\",\"call\":1,\"item\":1}", "expected a token"},
      {kClaimq, "H\n{\"c\":1,\"f\":\"enqueue\",\"call\":1,\"item\":1,\"token\":1}", "expected no token"},
      {kClaimq, "H\n{\"c\":1,\"f\":\"claim\",\"call\":1,\"why\":2}",
       "expected c, f, call, ret, item, token or out, found \"why\""},
      {kClaimq, "H\n{\"c\":0,\"f\":\"claim\",\"call\":1}\n{\"c\":1,\"f\":\"claim\",\"call\":1}",
       "f:3:1: expected an instant that no other"},
      {kClaimq, "H\n{\"c\":0,\"f\":\"claim\",\"call\":1,\"ret\":9,\"out\":\"empty\"}\n{\"c\":0,\"f\":\"claim\",\"call\":2}",
       "f:3:1: expected an answer to the open call"},
      {kClaimq, "H\n[]", "f:2:1: expected an object"},
      // What a format has no place for.
      {kEdn, kJepsen, "f:3:1: this event cannot be written as etcd-log: its processes are numbers", kEtcdLog},
      {kEdn, "{:type :info :process 1 :f \"a\"}", "written as etcd-log: what was called is no keyword", kEtcdLog},
      {kEdn, "{:type :info :process 1 :f :a :error 1}", "written as etcd-log: it has no place for \"error\"", kEtcdLog},
      {kEdn, kJepsen, "f:1:1: this event cannot be written as porcupine-kv: expected f to be get, put or append", kPorcupineKv},
      {kEdn, kJepsen, "f:1:1: this event cannot be written as claimq: its first event is the header", kClaimq},
      {kHistory, "", "f:1:1: this event cannot be written as claimq: its first event is the header", kClaimq},
  };
  for (const BadHistory& history : bad) {
    const std::string text = absl::StartsWith(history.text, "H\n") ? header + (history.text + 1) : history.text;
    const auto converted = ConvertHistory(text, "f", history.from, history.to);
    ASSERT_FALSE(converted.ok()) << text;
    EXPECT_THAT(std::string(converted.status().message()), HasSubstr(history.message)) << text;
    EXPECT_THAT(std::string(converted.status().message()), ::testing::MatchesRegex("f:[0-9]+:[0-9]+: .*"));
    EXPECT_FALSE(absl::StrContains(converted.status().message(), "\n"));
  }
}

TEST(HistoryFiles, EmptyFilesAreEmptyHistories) {
  for (HistoryFormat format : {HistoryFormat::kHistory, HistoryFormat::kEdn, HistoryFormat::kEtcdLog}) {
    EXPECT_EQ(ConvertHistory("", "f", format, HistoryFormat::kHistory).value_or("bad"), "");
  }
  EXPECT_EQ(GuessHistoryFormat(" \n"), std::nullopt);
  EXPECT_EQ(GuessHistoryFormat("INFO something else"), std::nullopt);
}

}  // namespace
}  // namespace leasecheck::engine
