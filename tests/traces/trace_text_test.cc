// The trace format: what is refused and with which sentence, what is canonical, what patterns match.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "properties/engine/trace.h"
#include "properties/engine/trace_pattern.h"
#include "properties/session_store.h"
#include "properties/state_backend.h"

namespace leasecheck::engine {
namespace {

using F = SessionStoreFamily;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr absl::string_view kHead = "leasecheck trace 1 session_store\nstart 1000\n";
constexpr absl::string_view kLane =
    "L = try_claim_session_execution_lease {\"session_id\":\"s\",\"owner\":{\"owner_id\":\"X\"},\"lease_ttl_ms\":9}\n";
constexpr absl::string_view kClaim =
    "c = claim_ready_queued_work {\"session_id\":\"s\",\"session_execution_lease\":\"$L.Acquired\",\"max_batches\":1}\n";

absl::StatusOr<Trace<F>> Parse(absl::string_view text) { return ParseTrace<F>(text, "f", PropertiesOf<F>::Conversions()); }

struct BadInput {
  std::string text;
  std::string message;
};

// After the two lines of the head.
BadInput Body(absl::string_view text, absl::string_view message) { return {absl::StrCat(kHead, text), std::string(message)}; }

// After the head, a lane and a claim: line 5 on.
BadInput Tail(absl::string_view text, absl::string_view message) {
  return {absl::StrCat(kHead, kLane, kClaim, text), std::string(message)};
}

std::string Of(const BadInput& input) {
  const auto trace = Parse(input.text);
  return trace.ok() ? "it was read" : std::string(trace.status().message());
}

void ExpectMessages(const std::vector<BadInput>& inputs) {
  for (const BadInput& input : inputs) {
    EXPECT_EQ(Of(input), input.message) << input.text;
    EXPECT_EQ(Parse(input.text).status().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST(TraceText, RefusesBadHeads) {
  ExpectMessages({
      {"", "f:1:1: expected \"leasecheck trace 1 \" and a family, got an empty line"},
      {"hello", "f:1:1: expected \"leasecheck trace 1 \" and a family, got \"hello\""},
      {"leasecheck trace 2 session_store", "f:1:18: the format's version 2 is unknown: expected 1"},
      {"leasecheck trace 1 queue\nstart 1", "f:1:1: expected a trace of the family session_store, got one of \"queue\""},
      {"leasecheck trace 1 session_store",
       "f:1:1: expected a line \"start N\", the clock's first instant, got the end of the file"},
      {"leasecheck trace 1 session_store\n# nothing\n\n",
       "f:3:1: expected a line \"start N\", the clock's first instant, got the end of the file"},
      {"leasecheck trace 1 session_store\nload_session {}", "f:2:1: expected a line \"start N\" before the first command"},
      {"leasecheck trace 1 session_store\nstart soon",
       "f:2:7: expected the clock's first instant, a whole number of at most 64 bits, got \"soon\""},
      {"leasecheck trace 1 session_store\nstart 18446744073709551616",
       "f:2:7: expected the clock's first instant, a whole number of at most 64 bits, got \"18446744073709551616\""},
      Body("start 2", "f:3:1: start is given twice"),
      Body("seed 1", "f:3:7: expected \"program\" and its number after the seed, got the end of the line"),
      Body("seed 1 program 2 3", "f:3:18: expected the end of the line, got \"3\""),
      Body("clause", "f:3:7: expected the id of a clause, got the end of the line"),
      Body("load_session {}\nclause QW-CLM-1", "f:4:1: this line stands before the first command"),
  });
}

TEST(TraceText, RefusesBadLines) {
  ExpectMessages({
      Body(
          "  *",
          "f:3:3: expected a command, an expectation (->, !!, ?\?), @time, let, parallel, client, schedule, order, end, barrier, "
          "reopen, crash, stall, start, seed, clause or a # comment, got \"*\""),
      Body("load_session", "f:3:13: expected an object with the arguments of \"load_session\", got the end of the line"),
      Body("load_session 5", "f:3:14: expected an object with the arguments of \"load_session\", got \"5\""),
      Body("A = ", "f:3:4: expected an operation after the label, got the end of the line"),
      Body("1A = load_session {}",
           "f:3:1: \"1A\" cannot be a name: expected letters, digits and underscores, no digit first, at most 64, and no word of "
           "the format"),
      Body("any = load_session {}",
           "f:3:1: \"any\" cannot be a name: expected letters, digits and underscores, no digit first, at most 64, and no word "
           "of the format"),
      Body("A = load_session {}\nA = load_session {}", "f:4:1: the name \"A\" is given twice"),
      Body("let A = [1]\nA = load_session {}", "f:4:1: the name \"A\" is given twice"),
      Body("let A = {}", "f:3:9: a constant is an object or an array with something in it"),
      Body("let A [1]", "f:3:7: expected \"=\" and the constant's value, got \"[1]\""),
      Body("let A = [\"$B\"]",
           "f:3:9: in the constant A: \"$B\" cannot stand here: nothing is referred to inside of this value, and a literal $ is "
           "written $$"),
      Body("@", "f:3:2: expected the clock's new instant, a whole number, got the end of the line"),
      Body("@-1", "f:3:2: expected the clock's new instant, a whole number, got \"-1\""),
      Body("@1 2", "f:3:4: expected the end of the line, got \"2\""),
      Body("crash after", "f:3:12: expected the number of calls, a whole number, got the end of the line"),
      Body("crash soon",
           "f:3:7: expected \"process\" and its number, \"after\" and a number of calls, \"at statement\" and its number, or "
           "the end of the line, got \"soon\""),
      Body("crash process", "f:3:14: expected the number of the process, a whole number, got the end of the line"),
      Body("crash after 2 process 1",
           "f:3:15: expected \"process\" and its number, \"after\" and a number of calls, \"at statement\" and its number, or "
           "the end of the line, got \"process 1\""),
      Body("crash after 2 at 3", "f:3:18: expected \"statement\" and its number, got \"3\""),
      Body("crash at statement", "f:3:19: expected the number of the statement, a whole number, got the end of the line"),
      Body("crash at statement 3 4", "f:3:22: expected the end of the line, got \"4\""),
      Body("lost", "f:3:5: expected a call after lost, got the end of the line"),
      Body("dropped stall until 5", "f:3:15: expected an object with the arguments of \"stall\", got \"until 5\""),
      Body("unknown held 2", "f:3:15: expected a call after held and its number, got the end of the line"),
      Body("held load_session {}",
           "f:3:6: expected the number of commands that end meanwhile, a whole number of at most 64 bits, got "
           "\"load_session\""),
      Body("lost unknown load_session {}",
           "f:3:14: expected an object with the arguments of \"unknown\", got \"load_session {}\""),
      Body("stall 5", "f:3:7: expected \"until\" and what the clock reads when the client goes on, got \"5\""),
      Body("stall until",
           "f:3:12: expected what the clock reads when the client goes on, a whole number, got the end of the line"),
      Body("reopen now", "f:3:8: expected the end of the line, got \"now\""),
  });
}

TEST(TraceText, RefusesBadPhases) {
  ExpectMessages({
      Body("parallel\n", "f:3:1: the parallel of line 3 has no end"),
      Body("parallel\nparallel", "f:4:1: the parallel of line 3 has no end yet"),
      Body("parallel\nend", "f:4:1: a parallel phase has at least two clients"),
      Body("parallel\nclient 0:\nend", "f:5:1: a parallel phase has at least two clients"),
      Body("parallel\nclient 1:", "f:4:1: expected client 0, got client 1"),
      Body("parallel\nclient 0", "f:4:9: expected \":\" after the client's number, got the end of the line"),
      Body("parallel\nload_session {}", "f:4:1: expected \"client 0:\" before the commands of a parallel phase"),
      Body("parallel\nclient 0:\nlet A = [1]", "f:5:1: let stands outside of parallel phases"),
      Body("parallel\nclient 0:\nbarrier", "f:5:1: barrier stands outside of parallel phases"),
      Body("parallel\nclient 0:\nschedule 0", "f:5:1: a schedule or order stands right after parallel"),
      Body("parallel\nschedule 0 2 1\nclient 0:\nclient 1:\nend", "f:4:1: the schedule names a client that is none of the 2"),
      Body("parallel\nschedule x", "f:4:10: expected a client's number, a whole number of at most 64 bits, got \"x\""),
      Body("client 0:", "f:3:1: client stands in a parallel phase"),
      Body("end", "f:3:1: end ends a parallel phase, and there is none"),
      Body("barrier", "f:3:1: barrier ends a sequence of commands, and there is none before it"),
      Body("load_session {}\nbarrier\n", "f:4:1: expected a command after the barrier, got the end of the file"),
      Body("load_session {}\nbarrier\nparallel", "f:5:1: a barrier stands between two sequences of commands only"),
  });
}

TEST(TraceText, RefusesBadRequests) {
  ExpectMessages({
      Body("claim_ready_queue_work {}",
           "f:3:1: the family session_store has no operation \"claim_ready_queue_work\"; did you mean claim_ready_queued_work?"),
      Body("load_session {\"scope\":}",
           "f:3:23: the object of the arguments is no JSON: syntax error while parsing value - unexpected '}'; expected '[', "
           "'{', or a literal"),
      Body("load_session {\"a\":1,\"a\":2}", "f:3:23: the object of the arguments is no JSON: the member \"a\" is given twice"),
      Body("load_session {} x",
           "f:3:17: the object of the arguments is no JSON: syntax error while parsing value - invalid literal; last read: '{} "
           "x'; expected end of input"),
      Body("list_queued_work {\"sesion_id\":\"s\"}", "f:3:18: it has no \"sesion_id\"; did you mean session_id?"),
      Body("enqueue_queued_work {\"batch\":{\"sot_policy\":\"join\"}}",
           "f:3:21: batch: it has no \"sot_policy\"; did you mean slot_policy?"),
      Body("list_queued_work {\"session_id\":5}", "f:3:18: session_id: expected a string, got the number 5"),
      Body("enqueue_queued_work {\"batch\":{\"payloads\":[{\"type\":\"wake\"}]}}",
           "f:3:21: batch.payloads[0].type: expected one of \"process_wake\", \"session_command\", got \"wake\""),
      Body("load_session {\"$base\":\"$x\"}", "f:3:14: the arguments themselves have no $base"),
      Body("enqueue_queued_work {\"batch\":{\"payloads\":[{\"type\":\"process_wake\",\"wake\":\"$x\"}]}}",
           "f:3:21: batch.payloads.0: \"$x\" cannot stand here: nothing is referred to inside of this value, and a literal $ is "
           "written $$"),
  });
}

TEST(TraceText, RefusesBadReferences) {
  ExpectMessages({
      Body("list_queued_work {\"session_id\":\"$A.session_id\"}",
           "f:3:18: session_id: \"$A.session_id\": no label \"A\" stands before this line"),
      Body("list_queued_work {\"session_id\":\"$\"}", "f:3:18: session_id: \"$\" names nothing; a literal $ is written $$"),
      Body("list_queued_work {\"session_id\":\"$none.x\"}",
           "f:3:18: session_id: \"$none.x\" names nothing; a literal $ is written $$"),
      Body("let X = {\"a\":1}\nlist_queued_work {\"session_id\":\"$X.a\"}",
           "f:4:18: session_id: \"$X.a\": a constant is used as a whole, and not as a $base"),
      Tail("list_queued_work {\"session_id\":\"$c.claimid\"}",
           "f:5:18: session_id: \"$c.claimid\": it has no \"claimid\"; did you mean claim_id?"),
      Tail("list_queued_work {\"session_id\":\"$c.batches.first\"}",
           "f:5:18: session_id: \"$c.batches.first\": it is a list: expected a position, got \"first\""),
      Tail("list_queued_work {\"session_id\":\"$c.claim_id.x\"}",
           "f:5:18: session_id: \"$c.claim_id.x\": nothing is inside of it that could be named \"x\""),
      Tail("list_queued_work {\"session_id\":\"$L.acquired\"}",
           "f:5:18: session_id: \"$L.acquired\": it has no \"acquired\"; did you mean Acquired?"),
      Tail("list_queued_work {\"session_id\":\"$c\"}",
           "f:5:18: session_id: \"$c\" has another type than the value that is expected here"),
      Tail("renew_queued_work_claim {\"claim\":\"$L\"}",
           "f:5:25: claim: \"$L\" has another type than the value that is expected here"),
      Tail("renew_queued_work_claim {\"claim\":{\"$base\":\"$c\",\"lease_token\":\"other\"}}",
           "f:5:25: claim.lease_token: only a reference can change a part of a referenced value; else write out the fields, one "
           "by one"),
      Tail("renew_queued_work_claim {\"claim\":{\"$base\":\"$c\",\"token\":\"$none\"}}",
           "f:5:25: claim: it has no \"token\"; did you mean lease_token or fencing_token?"),
      Tail("renew_queued_work_claim {\"claim\":{\"$base\":\"c\"}}",
           "f:5:25: claim: expected the name of an answer, such as \"$c\", after \"$base\""),
      Tail("renew_queued_work_claim {\"claim\":{\"$base\":\"$c\",\"batches\":{\"x\":\"$none\"}}}",
           "f:5:25: claim.batches: it is a list: expected a position, got \"x\""),
      Body("parallel\nclient 0:\nA = enqueue_queued_work {\"batch\":{}}\nclient 1:\nlist_queued_work "
           "{\"session_id\":\"$A.session_id\"}\nend",
           "f:7:18: session_id: \"$A.session_id\": the label of line 5 belongs to another client of the same phase, which cannot "
           "be waited for"),
  });
}

// A value that is an array on the wire is matched place by place.
TEST(TraceText, ReadsPatternsOfTuples) {
  using Backend = StateBackendFamily;
  const auto refusal = [](absl::string_view pattern) {
    const std::string text = absl::StrCat("leasecheck trace 1 state_backend\nstart 0\ncreate_token {}\n-> ", pattern);
    return std::string(ParseTrace<Backend>(text, "f", PropertiesOf<Backend>::Conversions()).status().message());
  };
  EXPECT_EQ(refusal(R"(["$any",{"name":"n"}])"), "");
  EXPECT_EQ(refusal(R"(["$any"])"), "f:4:4: expected an array of 2 elements");
  EXPECT_EQ(refusal(R"(["$any",{"nam":"n"}])"), "f:4:4: 1: it has no \"nam\"; did you mean name?");
  EXPECT_EQ(refusal(R"(["$any",{"name":5}])"), "f:4:4: 1.name: expected a string, got the number 5");
}

TEST(TraceText, RefusesBadExpectations) {
  ExpectMessages({
      Body("-> null", "f:3:1: an expectation stands under a command"),
      Body("@5\n-> null", "f:4:1: only a contract call has an answer to expect"),
      Tail("-> ", "f:5:3: expected the pattern of the answer, got the end of the line"),
      Tail("-> {",
           "f:5:5: the pattern of the answer is no JSON: syntax error while parsing object key - unexpected end of input; "
           "expected string literal"),
      Tail("ref @5", "f:5:5: expected -> or !! after ref, got \"@5\""),
      Tail("!!", "f:5:3: expected the name of a contract error, got the end of the line"),
      Tail("!! ClaimExpired",
           "f:5:4: the family session_store has no error \"ClaimExpired\"; did you mean QueuedWorkClaimExpired or "
           "TurnInputClaimExpired?"),
      Tail("!! QueuedWorkClaimExpired {\"claim\":\"$any\"}", "f:5:27: it has no \"claim\"; did you mean claim_id?"),
      Tail("!! QueuedWorkClaimExpired 5", "f:5:27: the pattern of an error is an object"),
      Tail("-> {\"batch\":[]}", "f:5:4: it has no \"batch\"; did you mean batches?"),
      Tail("-> {\"batches\":{}}", "f:5:4: batches: expected an array"),
      Tail("-> 5", "f:5:4: expected an object"),
      Tail("-> {\"claim_id\":5}", "f:5:4: claim_id: expected a string, got the number 5"),
      Tail("-> {\"claim_id\":\"$x.y\"}", "f:5:4: claim_id: \"$x.y\": no label \"x\" stands before this line"),
      Tail("-> {\"claim_id\":\"$L.Acquired\"}",
           "f:5:4: claim_id: \"$L.Acquired\" has another type than the value here, and never equals it"),
      Tail("-> {\"claim_id\":\"$!\"}",
           "f:5:4: claim_id: \"$!\" is no pattern: expected $any, $?variable, $label.path or $constant; a literal $ is written "
           "$$"),
      Tail("-> {\"claim_id\":{\"$above\":1}}", "f:5:4: claim_id: $above compares numbers, and this is none"),
      Tail("-> {\"fencing_token\":{\"$above\":\"1\"}}",
           "f:5:4: fencing_token: expected a number, or the name of one, after $above"),
      Tail("-> {\"fencing_token\":{\"$ref\":1,\"x\":2}}",
           "f:5:4: fencing_token: \"x\" is no operator beside $ref: expected $above, $below, $not, $one_of or $ref"),
      Tail("-> {\"fencing_token\":{\"$one_of\":[]}}", "f:5:4: fencing_token: expected an array of patterns after $one_of"),
      Tail("-> {\"batches\":[\"$rest\",{}]}", "f:5:4: batches.0: \"$rest\" stands at the end of an array"),
  });
}

TEST(TraceText, IsReadWithAnyWhiteSpaceAndWrittenCanonically) {
  const auto trace = Parse(
      "leasecheck trace 1 session_store\r\n#why\n\n\n  start   5\r\nlet X = { \"liveness\" : {\"kind\":\"opaque\"}, "
      "\"incarnation_id\":\"x\", \"owner_id\":\"X\" }\n\tL=try_claim_session_execution_lease { \"lease_ttl_ms\":0, "
      "\"owner\":\"$X\", \"session_id\":\"$$s\"}   \n->  {\"Busy\":{}}\n #note\n !! Backend {}\n?\?\n@7\nbarrier\ncrash after "
      "0\n crash  process 1 at  statement 2\nparallel\nclient 0:\nclient 1:\n lost load_session {\"scope\":\"FullGraph\"}\n "
      "dropped   held 3 load_session {}\n stall  until 9\n unknown load_session {}\n #the "
      "end\nend\n\n\n");
  ASSERT_TRUE(trace.ok()) << trace.status();
  EXPECT_EQ(PrintTrace<F>(*trace),
            "leasecheck trace 1 session_store\n# why\n\nstart 5\nlet X = {\"owner_id\":\"X\",\"incarnation_id\":\"x\"}\nL = "
            "try_claim_session_execution_lease {\"session_id\":\"$$s\",\"owner\":\"$X\"}\n  -> {\"Busy\":{}}\n  # note\n  !! "
            "Backend\n  ?\?\n@7\nbarrier\ncrash\ncrash process 1 at "
            "statement 2\nparallel\n  client 0:\n  client 1:\n    lost load_session {}\n    dropped held 3 load_session {}\n    "
            "stall until 9\n    unknown load_session {}\n# the end\nend\n");
  EXPECT_EQ(trace->program.phases.size(), 3u);
  EXPECT_EQ(trace->program.start, 5u);
}

TEST(TraceText, FailureFilesKeepTheirSeedClauseAndSchedule) {
  const std::string text =
      "leasecheck trace 1 session_store\nstart 0\nseed 7 program 12\nclause QW-CLM-14\n\nparallel\n  schedule 0 1 1 0\n  client "
      "0:\n    load_session {}\n  client 1:\n    load_session {}\nend\n";
  const auto trace = Parse(text);
  ASSERT_TRUE(trace.ok()) << trace.status();
  EXPECT_EQ(trace->origin, (TraceOrigin{7, 12}));
  EXPECT_EQ(trace->clause, "QW-CLM-14");
  EXPECT_THAT(trace->schedules, ElementsAre(ElementsAre(0, 1, 1, 0)));
  EXPECT_EQ(PrintTrace<F>(*trace), text);
}

TEST(TraceText, AnOrderOfCallsIsNoSchedule) {
  const std::string text =
      "leasecheck trace 1 session_store\nstart 0\n\nparallel\n  order 0 1 1 0\n  client 0:\n    load_session {}\n  client 1:\n  "
      "  load_session {}\nend\n";
  const auto trace = Parse(text);
  ASSERT_TRUE(trace.ok()) << trace.status();
  EXPECT_TRUE(trace->schedules[0].of_calls);
  EXPECT_FALSE(trace->schedules[0].switches());
  EXPECT_EQ(PrintTrace<F>(*trace), text);
}

TEST(TraceText, SmallFilesWithLargeConstantsAreRefused) {
  std::string text = absl::StrCat(kHead, "let X = [{\"type\":\"process_wake\",\"wake\":\"", std::string(1 << 20, 'x'), "\"}]\n");
  for (int i = 0; i < 100; ++i) absl::StrAppend(&text, "enqueue_queued_work {\"batch\":{\"payloads\":\"$X\"}}\n");
  const auto trace = Parse(text);
  ASSERT_FALSE(trace.ok());
  EXPECT_THAT(std::string(trace.status().message()), HasSubstr("the constants' values add up to more than"));
}

TEST(TraceText, DeepJsonIsRefused) {
  const std::string deep = absl::StrCat(std::string(100000, '['), std::string(100000, ']'));
  for (const char* before : {"load_session {\"a\":", "let X = ", "load_session {}\n-> "}) {
    const auto trace = Parse(absl::StrCat(kHead, before, deep));
    ASSERT_FALSE(trace.ok());
    EXPECT_THAT(std::string(trace.status().message()), HasSubstr("nested deeper than 256 levels"));
  }
}

TEST(TraceText, FamilyIsReadWithoutTheRest) {
  EXPECT_EQ(*TraceFamily("leasecheck trace 1 other_family\n*** anything", "f"), "other_family");
  EXPECT_EQ(TraceFamily("leasecheck trace 9 x", "f").status().message(), "f:1:18: the format's version 9 is unknown: expected 1");
}

// ---- Patterns.

std::vector<std::string> Differences(absl::string_view pattern, absl::string_view value, bool reference = false) {
  trace_internal::PatternMatcher matcher(reference, [](absl::string_view name, absl::string_view path) {
    using Named = trace_internal::PatternMatcher::Named;
    if (name == "gone") return std::optional<Named>();
    if (name == "K") return std::optional<Named>(Named{*codec::ParseJson(R"({"a":1})"), true});
    return std::optional<Named>(Named{path == "n" ? codec::Json(5) : *codec::ParseJson(R"({"a":1,"b":2})"), false});
  });
  std::vector<std::string> differences;
  const bool matches = matcher.Matches(*codec::ParseJson(pattern), *codec::ParseJson(value), &differences);
  EXPECT_EQ(matches, differences.empty());
  return differences;
}

TEST(TracePattern, ObjectsMatchWhatTheyListAndArraysWhole) {
  EXPECT_THAT(Differences(R"({"a":1})", R"({"a":1,"b":2})"), IsEmpty());
  EXPECT_THAT(Differences(R"({})", R"({"a":1})"), IsEmpty());
  EXPECT_THAT(Differences(R"({"a":null})", R"({})"), IsEmpty());
  EXPECT_THAT(Differences(R"({"a":1})", R"({"a":2})"), ElementsAre("a: expected 1, got 2"));
  EXPECT_THAT(Differences(R"({"a":{"b":[1,"x"]}})", R"({"a":{"b":[1,"y"]}})"), ElementsAre("a.b[1]: expected \"x\", got \"y\""));
  EXPECT_THAT(Differences(R"({"a":1})", R"({})"), ElementsAre("a: expected 1, got none"));
  EXPECT_THAT(Differences(R"({"a":1})", "null"), ElementsAre("the answer: expected {\"a\":1}, got none"));
  EXPECT_THAT(Differences("[1,2]", "[1]"), ElementsAre("the answer: expected 2 elements, got [1]"));
  EXPECT_THAT(Differences("[1]", "[1,2]"), ElementsAre("the answer: expected 1 element, got [1,2]"));
  EXPECT_THAT(Differences(R"([1,"$rest"])", "[1,2,3]"), IsEmpty());
  EXPECT_THAT(Differences(R"([1,"$rest"])", "[]"), ElementsAre("the answer: expected 1 or more elements, got []"));
  EXPECT_THAT(Differences("18446744073709551615", "18446744073709551614"), testing::SizeIs(1));
}

TEST(TracePattern, StringsThatBeginWithADollar) {
  EXPECT_THAT(Differences(R"("$any")", R"([1])"), IsEmpty());
  EXPECT_THAT(Differences(R"("$$any")", R"("$any")"), IsEmpty());
  EXPECT_THAT(Differences(R"({"$$a":1})", R"({"$a":1})"), IsEmpty());
  EXPECT_THAT(Differences(R"("$none")", R"("never-issued")"), IsEmpty());
  EXPECT_THAT(Differences(R"("$none")", R"("x")"),
              ElementsAre("the answer: expected the value that no store ever issued, got \"x\""));
  EXPECT_THAT(Differences(R"("$c.n")", "5"), IsEmpty());
  EXPECT_THAT(Differences(R"("$c.n")", "6"), ElementsAre("the answer: expected 5 ($c.n), got 6"));
  // Answers are equal as a whole, constants are patterns.
  EXPECT_THAT(Differences(R"("$c")", R"({"a":1,"b":2,"d":3})"), testing::SizeIs(1));
  EXPECT_THAT(Differences(R"("$K")", R"({"a":1,"b":2,"d":3})"), IsEmpty());
  EXPECT_THAT(Differences(R"("$gone.x")", "6"), ElementsAre("the answer: expected the value of $gone.x, which has none, got 6"));
}

TEST(TracePattern, VariablesKeepTheirFirstValue) {
  EXPECT_THAT(Differences(R"(["$?x","$?y","$?x"])", "[1,2,1]"), IsEmpty());
  EXPECT_THAT(Differences(R"(["$?x","$?x"])", "[1,2]"), ElementsAre("[1]: expected 1 ($?x), got 2"));
  // What did not match binds nothing.
  EXPECT_THAT(Differences(R"([{"$one_of":[["$?x",9],["$any","$?x"]]},"$?x"])", "[[1,2],2]"), IsEmpty());
  EXPECT_THAT(Differences(R"([{"$not":["$?x",9]},"$?x"])", "[[1,2],5]"), IsEmpty());
}

TEST(TracePattern, Operators) {
  EXPECT_THAT(Differences(R"({"$above":4,"$below":6})", "5"), IsEmpty());
  EXPECT_THAT(Differences(R"({"$above":5})", "5"), ElementsAre("the answer: expected a number above 5, got 5"));
  EXPECT_THAT(Differences(R"({"$below":"$c.n"})", "5"), ElementsAre("the answer: expected a number below 5 ($c.n), got 5"));
  EXPECT_THAT(Differences(R"({"$above":"$gone"})", "5"), ElementsAre("the answer: expected a number above null ($gone), got 5"));
  EXPECT_THAT(Differences(R"({"$not":5})", "5"), ElementsAre("the answer: expected anything but 5, got 5"));
  EXPECT_THAT(Differences(R"({"$one_of":[1,2]})", "3"), ElementsAre("the answer: expected one of [1,2], got 3"));
  EXPECT_THAT(Differences(R"({"$ref":1})", "3", false), IsEmpty());
  EXPECT_THAT(Differences(R"({"$ref":1})", "3", true), ElementsAre("the answer: expected 1, got 3"));
}

TEST(TracePattern, ManyDifferencesAreCut) {
  std::string zeros = "[0";
  std::string ones = "[1";
  for (int i = 0; i < 1000; ++i) {
    zeros += ",0";
    ones += ",1";
  }
  EXPECT_LE(Differences(zeros + "]", ones + "]").size(), 21u);
}

}  // namespace
}  // namespace leasecheck::engine
