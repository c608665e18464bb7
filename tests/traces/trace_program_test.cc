// Traces of programs that a run made: nothing is lost on the way into the file and out of it.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "properties/engine/resolve.h"
#include "properties/engine/trace.h"
#include "properties/engine/trace_values.h"
#include "properties/session_store.h"
#include "tests/mutants/slip_target.h"

namespace leasecheck::engine {
namespace {

using F = SessionStoreFamily;
using session_store::ClaimReadyQueuedWorkRequest;
using session_store::CommitRuntimeStateRequest;
using session_store::EnqueueQueuedWorkRequest;
using session_store::ListQueuedWorkRequest;
using session_store::RenewQueuedWorkClaimRequest;
using session_store::TryClaimSessionExecutionLeaseRequest;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

absl::Span<const Conversion> Conversions() { return PropertiesOf<F>::Conversions(); }

// ---- Random values of any described type: few different ones, with everything that a text could get wrong.

constexpr absl::string_view kStrings[] = {"",  "s",     "$",   "$none", "$$", "$A.x", "a\"b\\c\n\t", "\xc3\xa9\xe2\x82\xac",
                                          "#", "$base", "null"};
constexpr absl::string_view kOpaque[] = {"null",
                                         "1",
                                         "\"$x\"",
                                         "{}",
                                         "[]",
                                         "{\"$base\":\"$A\"}",
                                         "[1,[2,{\"a\":\"$\"}]]",
                                         "-0.5",
                                         "18446744073709551615",
                                         "{\"session_id\":\"x\"}"};
constexpr absl::string_view kOpaqueObjects[] = {"{}", "{\"note\":\"$n\"}", "{\"$k\":[1,\"$\"],\"z\":null}",
                                                "{\"body\":{\"body\":1}}"};

template <class T>
T RandomValue(Random& random);

template <class T>
T RandomStruct(Random& random) {
  T value{};
  ForEachField<T>([&](const auto& field) {
    auto& member = value.*field.member;
    using Member = std::remove_cvref_t<decltype(member)>;
    if (random.OneIn(3)) return;
    if constexpr (std::is_same_v<Member, OpaqueJson>) {
      if (field.role == FieldRole::kFlattened) {
        member.text = std::string(kOpaqueObjects[random.Below(std::size(kOpaqueObjects))]);
        return;
      }
    }
    member = RandomValue<Member>(random);
  });
  return value;
}

template <class V, std::size_t... I>
V RandomVariant(Random& random, std::index_sequence<I...>) {
  V value;
  const uint64_t index = random.Below(sizeof...(I));
  ((index == I ? void(value.template emplace<I>(RandomValue<std::variant_alternative_t<I, V>>(random))) : void()), ...);
  return value;
}

template <class T>
T RandomValue(Random& random) {
  if constexpr (kIsOptional<T>) {
    return random.OneIn(2) ? T() : T(RandomValue<typename T::value_type>(random));
  } else if constexpr (kIsList<T>) {
    T list(random.Below(3));
    for (auto& element : list) element = RandomValue<typename T::value_type>(random);
    return list;
  } else if constexpr (kIsStruct<T>) {
    return RandomStruct<T>(random);
  } else if constexpr (kIsWords<T>) {
    return kWords<T>[random.Below(kWords<T>.size())].value;
  } else if constexpr (kIsAlternatives<T>) {
    return RandomVariant<T>(random, std::make_index_sequence<std::variant_size_v<T>>{});
  } else if constexpr (std::is_same_v<T, std::string>) {
    return std::string(kStrings[random.Below(std::size(kStrings))]);
  } else if constexpr (std::is_same_v<T, OpaqueJson>) {
    return OpaqueJson{std::string(kOpaque[random.Below(std::size(kOpaque))])};
  } else {
    return random.OneIn(4) ? static_cast<T>(-1) : static_cast<T>(random.Below(3));
  }
}

// Places of requests, and of answers; many do not fit each other, and some do not exist.
constexpr absl::string_view kTo[] = {"session_id",
                                     "claim",
                                     "claim.lease_token",
                                     "claim.batches.0.batch_id",
                                     "claim.batches.1",
                                     "owner",
                                     "owner.owner_id",
                                     "session_execution_lease",
                                     "session_execution_lease.fencing_token",
                                     "batch_ids.0",
                                     "batch_ids.1",
                                     "batch_id",
                                     "commit.session_execution_lease",
                                     "commit.session_execution_lease.owner.owner_id",
                                     "commit.expected_head_revision",
                                     "commit.completed_queue_claims.0",
                                     "commit.completed_queue_claims.0.batch_ids.0",
                                     "commit.completed_queue_claims.1",
                                     "fence",
                                     "completion",
                                     "observed_holder",
                                     "nothing",
                                     "batch.session_id"};
constexpr absl::string_view kFrom[] = {
    "",         "session_id",     "claim_id",    "batches.0",     "batches.0.batch_id", "batch_id", "0.batch_id",
    "Acquired", "Acquired.owner", "Busy.holder", "fencing_token", "head_revision",      "nothing",  "Acquired.lease_token",
    "owner"};

struct Label {
  std::string name;
  std::size_t operation = 0;
};

// One that a request of this operation can have, as often as not; else any, which often means nothing.
Reference RandomReference(Random& random, const RequestOf<F>& request, const std::vector<Label>& labels) {
  Reference reference;
  for (int tries = random.OneIn(4) ? 1 : 300; tries > 0; --tries) {
    const Label label = labels.empty() || random.OneIn(5) ? Label() : random.Pick(labels);
    reference = {std::string(kTo[random.Below(std::size(kTo))]), label.name, std::string(kFrom[random.Below(std::size(kFrom))])};
    RequestOf<F> copy = request;
    const Node to = VisitOperation<F>(copy.index(), [&]<std::size_t I>() { return MakeNode(std::get<I>(copy), reference.to); });
    if (to.value == nullptr) continue;
    if (label.name.empty()) break;
    const auto from = VisitOperation<F>(label.operation, [&]<std::size_t I>() {
      return trace_internal::TypeAt<typename OperationAt<F, I>::Response>(reference.from);
    });
    if (!from.ok()) continue;
    bool fits = *from == to.type;
    for (const Conversion& conversion : Conversions()) fits = fits || (conversion.from == *from && conversion.to == to.type);
    if (fits) break;
  }
  return reference;
}

Command<F> RandomCommand(Random& random, std::vector<Label>* labels) {
  Command<F> command;
  const uint64_t kind = random.Below(13);
  if (kind == 0) {
    command.action = SetClock{random.Below(100)};
  } else if (kind == 1) {
    command.action = Reopen{};
  } else if (kind == 2) {
    std::optional<uint64_t> process;
    if (random.OneIn(2)) process = random.Below(3);
    command.action = Crash{random.Below(3), random.Below(3), process};
  } else if (kind == 3) {
    command.action = Stall{random.Below(100)};
  } else {
    const std::size_t operation = random.Below(kOperationCount<F>);
    VisitOperation<F>(operation, [&]<std::size_t I>() {
      command.action.emplace<0>(std::in_place_index<I>, RandomValue<typename OperationAt<F, I>::Request>(random));
    });
    for (uint64_t i = random.Below(4); i > 0; --i) {
      command.references.push_back(RandomReference(random, std::get<0>(command.action), *labels));
    }
    // ProgramToTrace asks for ascending positions of one list.
    auto& references = command.references;
    std::stable_partition(references.begin(), references.end(), [](const Reference& r) { return !absl::EndsWith(r.to, ".1"); });
    constexpr std::array<Loss, 4> kLosses = {Loss::kNone, Loss::kAnswer, Loss::kOutcome, Loss::kRequest};
    if (random.OneIn(4)) command.loss = random.Pick(kLosses);
    if (random.OneIn(5)) command.hold = random.Below(4);
    if (random.OneIn(2)) {
      // Some are no names.
      command.label = random.OneIn(5) ? absl::StrCat("p.", labels->size()) : absl::StrCat("l", labels->size());
      labels->push_back({command.label, operation});
    }
  }
  return command;
}

Program<F> RandomProgram(Random& random, std::vector<Label>* labels) {
  Program<F> program;
  program.start = random.Below(1000);
  for (uint64_t phases = random.Below(4); phases > 0; --phases) {
    auto& phase = program.phases.emplace_back();
    phase.clients.resize(random.OneIn(2) ? 1 : random.Below(4));
    for (auto& client : phase.clients) {
      for (uint64_t n = random.Below(8); n > 0; --n) client.push_back(RandomCommand(random, labels));
    }
  }
  return program;
}

// Whether both make the same calls, whatever was answered under the labels. `other` is the trace's, whose labels may have other
// names: the `i`th labelled command of both are given the same answer.
void ExpectSameCalls(const Program<F>& program, const Program<F>& other, Random& random) {
  auto commands = [](const Program<F>& of) {
    std::vector<std::vector<std::vector<const Command<F>*>>> all;
    for (const Phase<F>& phase : of.phases) {
      bool empty = true;
      std::vector<std::vector<const Command<F>*>> clients;
      for (const auto& client : phase.clients) {
        auto& list = clients.emplace_back();
        for (const Command<F>& command : client) list.push_back(&command);
        empty = empty && client.empty();
      }
      if (!empty) all.push_back(std::move(clients));
    }
    return all;
  };
  const auto a = commands(program);
  const auto b = commands(other);
  ASSERT_EQ(a.size(), b.size());
  Labels<F> labels_a;
  Labels<F> labels_b;
  for (std::size_t p = 0; p < a.size(); ++p) {
    ASSERT_EQ(a[p].size(), b[p].size());
    std::vector<Labels<F>> own_a(a[p].size(), Labels<F>(&labels_a));
    std::vector<Labels<F>> own_b(a[p].size(), Labels<F>(&labels_b));
    for (std::size_t c = 0; c < a[p].size(); ++c) {
      ASSERT_EQ(a[p][c].size(), b[p][c].size());
      for (std::size_t i = 0; i < a[p][c].size(); ++i) {
        const Command<F>& x = *a[p][c][i];
        const Command<F>& y = *b[p][c][i];
        ASSERT_EQ(x.action.index(), y.action.index());
        const auto* request_x = std::get_if<0>(&x.action);
        if (request_x == nullptr) {
          EXPECT_TRUE(x.action == y.action);
          continue;
        }
        RequestOf<F> sent_x = *request_x;
        RequestOf<F> sent_y = std::get<0>(y.action);
        Resolve<F>(x.references, own_a[c], Conversions(), &sent_x);
        Resolve<F>(y.references, own_b[c], Conversions(), &sent_y);
        EXPECT_TRUE(sent_x == sent_y);
        EXPECT_EQ(x.loss, y.loss);
        EXPECT_EQ(x.label.empty(), y.label.empty());
        VisitOperation<F>(request_x->index(), [&]<std::size_t I>() {
          OutcomeOf<F> outcome(std::in_place_index<0>, std::in_place_index<I>,
                               RandomValue<typename OperationAt<F, I>::Response>(random));
          own_a[c].Set(x.label, outcome);
          own_b[c].Set(y.label, outcome);
        });
      }
    }
    for (std::size_t c = 0; c < a[p].size(); ++c) {
      labels_a.Absorb(std::move(own_a[c]));
      labels_b.Absorb(std::move(own_b[c]));
    }
  }
}

TEST(ProgramToTrace, MakesTheSameCallsAndIsReadAsItWasWritten) {
  int references = 0;
  for (uint64_t k = 0; k < 3000; ++k) {
    SCOPED_TRACE(k);
    Random random = Random::ForProgram(1, k);
    std::vector<Label> labels;
    const Program<F> program = RandomProgram(random, &labels);
    TraceDetails<F> details;
    details.comments = {"found by a test", "two\nlines "};
    if (random.OneIn(2)) details.origin = TraceOrigin{random.Next(), k};
    if (random.OneIn(2)) details.clause = "QW-CLM-14";
    details.schedules.resize(program.phases.size());
    for (std::size_t p = 0; p < program.phases.size(); ++p) {
      const std::size_t clients = program.phases[p].clients.size();
      for (uint64_t n = clients < 2 ? 0 : random.Below(5); n > 0; --n) {
        details.schedules[p].push_back(static_cast<int>(random.Below(clients)));
      }
      details.schedules[p].of_calls = !details.schedules[p].empty() && random.OneIn(2);
    }
    const Trace<F> trace = ProgramToTrace<F>(program, Conversions(), details);
    const std::string text = PrintTrace<F>(trace);
    const auto read = ParseTrace<F>(text, "f", Conversions());
    ASSERT_TRUE(read.ok()) << read.status() << "\n" << text;
    ASSERT_TRUE(*read == trace) << text << "\n" << PrintTrace<F>(*read);
    ASSERT_EQ(PrintTrace<F>(*read), text);
    ASSERT_NO_FATAL_FAILURE(ExpectSameCalls(program, trace.program, random)) << text;
    if (HasFailure()) FAIL() << text;
    for (std::size_t at = text.find("\"$l"); at != std::string::npos; at = text.find("\"$l", at + 1)) ++references;
  }
  // Enough of the references survive, or the test would show little.
  EXPECT_GT(references, 500);
}

// ---- What a failure's trace shows.

Command<F> Call(std::string label, RequestOf<F> request, std::vector<Reference> references = {}) {
  Command<F> command;
  command.label = std::move(label);
  command.action.emplace<0>(std::move(request));
  command.references = std::move(references);
  return command;
}

template <class R>
RequestOf<F> Request(R request) {
  return RequestOf<F>(std::move(request));
}

TEST(ProgramToTrace, MakesPlainWhatAPartOfAProgramLost) {
  Program<F> program;
  program.phases.resize(3);
  RenewQueuedWorkClaimRequest renew;
  program.phases[0].clients = {{Call("c.1", Request(ListQueuedWorkRequest{"s"})),
                                Call("", Request(renew), {{"claim", "gone", ""}, {"claim.session_id", "c.1", "0.session_id"}}),
                                Call("", Request(renew), {{"claim", "c.1", "0"}, {"no.such.place", "c.1", "0"}})}};
  program.phases[1].clients = {{}, {}};
  program.phases[2].clients = {{}, {Call("", Request(ListQueuedWorkRequest{}), {{"session_id", "c.1", "0.session_id"}})}};
  TraceDetails<F> details;
  details.schedules = {{}, {0, 1}, {1, 1}};
  EXPECT_EQ(PrintTrace<F>(ProgramToTrace<F>(program, Conversions(), details)), R"(leasecheck trace 1 session_store
start 0

r0 = list_queued_work {"session_id":"s"}
renew_queued_work_claim {"claim":{"$base":"$none","session_id":"$r0.0.session_id"}}
renew_queued_work_claim {"claim":"$none"}
parallel
  schedule 1 1
  client 0:
  client 1:
    list_queued_work {"session_id":"$r0.0.session_id"}
end
)");
}

TEST(ProgramToTrace, ShowsTheRecordedAnswers) {
  Program<F> program;
  program.start = 7;
  program.phases.resize(2);
  EnqueueQueuedWorkRequest enqueue;
  enqueue.batch.session_id = "s";
  Command<F> lost = Call("", Request(ListQueuedWorkRequest{"s"}));
  lost.loss = Loss::kAnswer;
  program.phases[0].clients = {{Call("A", Request(enqueue)), lost}};
  program.phases[1].clients = {{Call("", Request(ListQueuedWorkRequest{"t"}))},
                               {Call("", Request(RenewQueuedWorkClaimRequest{}))}};
  auto target = mutants::SlipTargets({})();
  ASSERT_TRUE(target.ok());
  const Trace<F> plain = ProgramToTrace<F>(program, Conversions(), {});
  const auto history = PlayTrace<F>(**target, plain, Conversions());
  ASSERT_TRUE(history.ok()) << history.status();
  TraceDetails<F> details;
  details.history = &*history;
  const Trace<F> trace = ProgramToTrace<F>(program, Conversions(), details);
  const std::string text = PrintTrace<F>(trace);
  EXPECT_THAT(text, HasSubstr("A = enqueue_queued_work {\"batch\":{\"session_id\":\"s\"}}\n#   -> {"));
  EXPECT_THAT(text, HasSubstr("\"enqueued_at_ms\":7"));
  EXPECT_THAT(text, HasSubstr(" at 0-1\n"));
  EXPECT_THAT(text, HasSubstr(" at 2-3, hidden from the client\n"));
  EXPECT_THAT(text, HasSubstr("    list_queued_work {\"session_id\":\"t\"}\n  #   -> [] at "));
  EXPECT_THAT(text, HasSubstr("!! QueuedWorkClaimExpired "));
  const auto read = ParseTrace<F>(text, "f", Conversions());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(read->program == plain.program);

  const std::string printed = PrintHistory<F>(*history);
  EXPECT_THAT(printed,
              testing::StartsWith("# start 7\n# 0-1       client 0  A = enqueue_queued_work {\"batch\":{\"session_id\":\"s\"}}\n"
                                  "#           -> {"));
  for (const char* part : {"client 1  renew_queued_work_claim {}", "lost list_queued_work"})
    EXPECT_THAT(printed, HasSubstr(part));
}

// ---- Matching.

TEST(MatchExpectations, SaysWhatWasExpectedWhatWasGotAndWhereTheyDiffer) {
  const auto trace = ParseTrace<F>(
      "leasecheck trace 1 session_store\nstart 5\nA = enqueue_queued_work {\"batch\":{\"session_id\":\"s\"}}\n"
      "  -> {\"enqueued_at_ms\":6,\"session_id\":\"s\"}\n"
      "B = list_queued_work {\"session_id\":\"s\"}\n  !! Backend\n  -> [\"$A\",\"$A\"]\n"
      "load_session {}\n  -> {\"head_revision\":1}\ncrash\n",
      "f", Conversions());
  ASSERT_TRUE(trace.ok()) << trace.status();
  mutants::SlipTargetOptions options;
  options.durable = true;
  auto target = mutants::SlipTargets(options)();
  ASSERT_TRUE(target.ok());
  auto history = PlayTrace<F>(**target, *trace, Conversions());
  ASSERT_TRUE(history.ok()) << history.status();
  auto mismatches = MatchExpectations<F>(*trace, *history, true);
  ASSERT_EQ(mismatches.size(), 3u);
  EXPECT_EQ(mismatches[0].line, 3);
  EXPECT_EQ(mismatches[0].command, "A = enqueue_queued_work {\"batch\":{\"session_id\":\"s\"}}");
  EXPECT_EQ(mismatches[0].expected, "-> {\"enqueued_at_ms\":6,\"session_id\":\"s\"}");
  EXPECT_THAT(mismatches[0].got, testing::StartsWith("-> {\"available_at_ms\":0,"));
  EXPECT_THAT(mismatches[0].differences, ElementsAre("enqueued_at_ms: expected 6, got 5"));
  EXPECT_EQ(mismatches[1].expected, "!! Backend, or -> [\"$A\",\"$A\"]");
  EXPECT_THAT(mismatches[1].differences, ElementsAre(HasSubstr("the answer: expected 2 elements, got [{")));
  EXPECT_THAT(mismatches[2].differences, ElementsAre("the answer: expected {\"head_revision\":1}, got none"));
  EXPECT_THAT(mismatches[0].Describe("f"),
              HasSubstr("f:3: A = enqueue_queued_work {\"batch\":{\"session_id\":\"s\"}}\n  expected -> {\"enqueued_at_ms\":6"));

  // A call that was not made, and an outcome of each other kind.
  history->calls.resize(1);
  mismatches = MatchExpectations<F>(*trace, *history, true);
  ASSERT_EQ(mismatches.size(), 3u);
  EXPECT_EQ(mismatches[1].got, "nothing: the call was not made");
  history->calls[0].outcome = Indefinite{"lost"};
  EXPECT_EQ(MatchExpectations<F>(*trace, *history, true)[0].got, "?? lost");
  history->calls[0].outcome = Unsupported{};
  EXPECT_EQ(MatchExpectations<F>(*trace, *history, true)[0].got, "not supported by this backend");
  history->calls[0].outcome = ForeignError{"x"};
  EXPECT_EQ(MatchExpectations<F>(*trace, *history, true)[0].got, "an answer that the contract does not have: x");
  EXPECT_THAT(MatchExpectations<F>(*trace, *history, true)[0].differences, IsEmpty());
}

TEST(MatchExpectations, LinesOfReferenceStoresAreTheOnlyOnesForThem) {
  const auto trace = ParseTrace<F>("leasecheck trace 1 session_store\nstart 5\nlist_queued_work {}\n  ref !! Backend\n  -> []\n",
                                   "f", Conversions());
  ASSERT_TRUE(trace.ok()) << trace.status();
  auto target = mutants::SlipTargets({})();
  ASSERT_TRUE(target.ok());
  auto history = PlayTrace<F>(**target, *trace, Conversions());
  ASSERT_TRUE(history.ok()) << history.status();
  EXPECT_THAT(MatchExpectations<F>(*trace, *history, false), IsEmpty());
  const auto mismatches = MatchExpectations<F>(*trace, *history, true);
  ASSERT_EQ(mismatches.size(), 1u);
  EXPECT_EQ(mismatches[0].expected, "ref !! Backend");
  history->calls[0].outcome.emplace<1>(session_store::Backend{"broken"});
  EXPECT_THAT(MatchExpectations<F>(*trace, *history, true), IsEmpty());
  EXPECT_THAT(MatchExpectations<F>(*trace, *history, false), IsEmpty());
}

// ---- Playing.

// A schedule that a run recorded makes the calls in the same order again, whichever it is.
TEST(PlayTrace, ReplaysTheRecordedSchedule) {
  Program<F> program;
  program.phases.resize(1);
  program.phases[0].clients.resize(2);
  for (int client = 0; client < 2; ++client) {
    for (int i = 0; i < 3; ++i) {
      EnqueueQueuedWorkRequest enqueue;
      enqueue.batch.session_id = absl::StrCat(client);
      program.phases[0].clients[client].push_back(Call("", Request(enqueue)));
    }
  }
  auto targets = mutants::SlipTargets({});
  auto target = targets();
  ASSERT_TRUE(target.ok());
  ASSERT_TRUE((*target)->info().pausable);
  for (uint64_t k = 0; k < 30; ++k) {
    Random random = Random::ForProgram(3, k);
    TraceDetails<F> details;
    details.schedules.resize(1);
    for (int i = 0; i < 40; ++i) details.schedules[0].push_back(static_cast<int>(random.Below(2)));
    const Trace<F> trace = ProgramToTrace<F>(program, Conversions(), details);
    auto order = [&] {
      const auto history = PlayTrace<F>(**target, trace, Conversions());
      EXPECT_TRUE(history.ok()) << history.status();
      std::string text;
      for (const auto& call : history->calls) absl::StrAppend(&text, call.client, ":", call.called, "-", call.returned, " ");
      return text;
    };
    const std::string first = order();
    EXPECT_EQ(first, order());
  }
}

}  // namespace
}  // namespace leasecheck::engine
