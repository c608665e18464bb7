// Wrong stores of turn inputs, each one slip put over the reference store, must fail a check by a clause that says what is wrong;
// and the trace that comes out must fail again, and pass on the reference store.
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "memstore/session_store.h"
#include "properties/check.h"
#include "properties/session_store.h"

namespace leasecheck {
namespace {

using namespace session_store;  // NOLINT(google-build-using-namespace): requests of all kinds
using F = SessionStoreFamily;
using Ask = std::function<OutcomeOf<F>(const RequestOf<F>&)>;

StoreFactory<F> Reference() {
  StoreFactory<F> factory;
  factory.info.name = "memory";
  factory.info.concurrency = 8;
  factory.info.pausable = true;
  factory.open = [](const OpenOptions& options) -> absl::StatusOr<std::unique_ptr<F::Store>> {
    return std::make_unique<memstore::SessionStore>(options.environment);
  };
  return factory;
}

// What stands between the harness and the store: it may change the request, the answer, or both.
struct Slip {
  const char* name;
  std::vector<std::string> clauses;  // of these it dies
  std::function<OutcomeOf<F>(RequestOf<F>, const Ask&)> execute;
};
void PrintTo(const Slip& slip, std::ostream* out) { *out << slip.name; }

class SlipTarget final : public Target<F> {
 public:
  SlipTarget(std::unique_ptr<Target<F>> inner, const Slip& slip) : inner_(std::move(inner)), slip_(slip) {}
  const TargetInfo& info() const override { return inner_->info(); }
  OutcomeOf<F> Execute(const RequestOf<F>& request) override {
    return slip_.execute(request, [this](const RequestOf<F>& changed) { return inner_->Execute(changed); });
  }
  absl::Status Reset(EpochMs now) override { return inner_->Reset(now); }
  absl::Status SetClock(EpochMs now) override { return inner_->SetClock(now); }
  absl::Status Reopen() override { return inner_->Reopen(); }
  absl::Status Kill() override { return inner_->Kill(); }
  void SetPauseHook(PauseHook* hook) override { inner_->SetPauseHook(hook); }

 private:
  std::unique_ptr<Target<F>> inner_;
  const Slip& slip_;
};

TargetFactory<F> With(const Slip& slip) {
  return [&slip, inner = InProcess(Reference())]() -> absl::StatusOr<std::unique_ptr<Target<F>>> {
    auto target = inner();
    if (!target.ok()) return target.status();
    return std::make_unique<SlipTarget>(*std::move(target), slip);
  };
}

// A slip that changes requests of one type.
template <class R>
std::function<OutcomeOf<F>(RequestOf<F>, const Ask&)> Changes(std::function<void(R&)> change) {
  return [change](RequestOf<F> request, const Ask& ask) {
    if (auto* mine = std::get_if<R>(&request)) change(*mine);
    return ask(request);
  };
}

// A slip that changes the successful answers to requests of one type.
template <class R>
std::function<OutcomeOf<F>(RequestOf<F>, const Ask&)> Answers(
    std::function<void(typename OperationAt<F, OperationIndexOf<F, R>()>::Response&)> change) {
  return [change](RequestOf<F> request, const Ask& ask) {
    OutcomeOf<F> outcome = ask(request);
    constexpr std::size_t kIndex = OperationIndexOf<F, R>();
    if (request.index() == kIndex && outcome.index() == 0) change(std::get<kIndex>(std::get<0>(outcome)));
    return outcome;
  };
}

const std::vector<Slip>& Slips() {
  static const std::vector<Slip>& slips = *new std::vector<Slip>{
      {"KeyIsForgotten", {"TI-ENQ-5"}, Changes<EnqueuePendingTurnInputRequest>([](auto& r) { r.input.source_key.reset(); })},
      {"KeyIsOfTheWholeStore",
       {"TI-ENQ-5", "TI-ENQ-12"},
       Changes<EnqueuePendingTurnInputRequest>([](auto& r) { r.input.session_id = "s"; })},
      {"ContentIsNotCompared",
       {"TI-ENQ-5", "TI-ENQ-7"},
       Changes<EnqueuePendingTurnInputRequest>([](auto& r) { r.input.input.items.clear(); })},
      {"BoundaryIsIgnored",
       {"TI-ACT-7", "TI-ACT-8"},
       Changes<ClaimActiveTurnInputsRequest>([](auto& r) { r.checkpoint = CheckpointKind::kBeforeCompletion; })},
      {"ALimitOfTwo", {"TI-INV-12", "TI-ACT-4", "TI-NXT-4", "TI-NXT-7", "TI-NXT-10"},
       Changes<ClaimNextTurnInputsRequest>([](auto& r) { r.max_inputs = std::min<uint64_t>(r.max_inputs, 2); })},
      {"TtlZeroIsOne", {"TI-NXT-9", "TI-INV-20"}, Changes<ClaimNextTurnInputsRequest>([](auto& r) {
         if (r.lease_ttl_ms == 0) r.lease_ttl_ms = 1;
       })},
      {"AbandonForgetsTheClaim",
       {"TI-LST-1", "TI-ABN-3", "TI-CAN-5", "TI-ACT-3", "TI-ACT-4", "TI-NXT-2", "TI-NXT-4", "TI-NXT-7", "TI-INV-14", "TI-INV-9",
        "TI-SFX-3", "TI-CMT-4"},
       Changes<AbandonTurnInputClaimRequest>([](auto& r) { r.claim.lease_token = "other"; })},
      {"InterruptIsForgotten",
       {"TI-LST-1", "TI-INV-15", "TI-CAN-5", "TI-ACT-10", "TI-NXT-2", "TI-NXT-10", "TI-NXT-4", "TI-SFX-3", "TI-ENQ-6", "TI-INV-12"},
       Changes<CommitRuntimeStateRequest>([](auto& r) { r.commit.interrupted_turn_input_turn_id.reset(); })},
      {"InterruptIsAlwaysOfTurn1",
       {"TI-LST-1", "TI-INV-15", "TI-CAN-5", "TI-ACT-3", "TI-ACT-4", "TI-NXT-2", "TI-NXT-3", "TI-SFX-3", "TI-INV-3", "TI-ENQ-6",
        "TI-INV-16", "TI-NXT-10", "TI-INV-12", "TI-INV-13"},
       Changes<CommitRuntimeStateRequest>([](auto& r) { r.commit.interrupted_turn_input_turn_id = "t1"; })},
      {"OnlyTheFirstCompletion",
       {"TI-CMT-4", "TI-CMT-8", "TI-CMT-9", "TI-CAN-10", "TI-CAN-8", "TI-CAN-5", "TI-CAN-6", "TI-CAN-7", "TI-SFX-8", "TI-SFX-6",
        "TI-ENQ-8", "TI-VAC-1", "TI-INV-3", "TI-INV-8"},
       Changes<CommitRuntimeStateRequest>([](auto& r) {
         if (r.commit.completed_turn_input_claims.size() > 1) r.commit.completed_turn_input_claims.resize(1);
       })},
      {"VacuumDoesNothing",
       {"TI-VAC-1"},
       [](RequestOf<F> request, const Ask& ask) {
         if (!std::holds_alternative<VacuumRequest>(request)) return ask(request);
         constexpr std::size_t kIndex = OperationIndexOf<F, VacuumRequest>();
         return OutcomeOf<F>(std::in_place_index<0>, ResponseOf<F>(std::in_place_index<kIndex>, VacuumReport{}));
       }},
      {"OneTargetIsEnough",
       {"TI-CAN-1"},
       Changes<CancelPendingTurnInputsRequest>([](auto& r) {
         if (r.targets.size() > 1) r.targets.resize(1);
       })},
      {"OneCancelFindsKeys",
       {"TI-CAN1-2", "TI-CAN-9", "TI-CAN-4"},
       [](RequestOf<F> request, const Ask& ask) {
         const auto* one = std::get_if<CancelPendingTurnInputRequest>(&request);
         if (one == nullptr) return ask(request);
         constexpr std::size_t kOne = OperationIndexOf<F, CancelPendingTurnInputRequest>();
         constexpr std::size_t kList = OperationIndexOf<F, CancelPendingTurnInputsRequest>();
         OutcomeOf<F> outcome = ask(request);
         const auto* found = ResponseIf<F, kOne>(outcome);
         if (found == nullptr || !std::holds_alternative<TurnInputNotFound>(*found)) return outcome;
         outcome = ask(CancelPendingTurnInputsRequest{one->session_id, {SourceKeyTarget{one->input_id}}});
         const auto* results = ResponseIf<F, kList>(outcome);
         return OutcomeOf<F>(std::in_place_index<0>, ResponseOf<F>(std::in_place_index<kOne>, results->front().outcome));
       }},
      {"SuffixLeavesOutWhatEnded", {"TI-SFX-3", "TI-SFX-4", "TI-SFX-5", "TI-SFX-7"},
       Answers<CancelPendingTurnInputSuffixRequest>([](PendingTurnInputSuffixCancelOutcome& answer) {
         auto* suffix = std::get_if<SuffixOutcomes>(&answer);
         if (suffix == nullptr) return;
         std::erase_if(suffix->outcomes, [](const auto& one) { return std::holds_alternative<TurnInputAlreadyCancelled>(one); });
       })},
      {"DiagnosticsWithoutExpiry", {"TI-CAN-12"},
       Answers<CancelPendingTurnInputRequest>([](PendingTurnInputCancelOutcome& outcome) {
         auto* claimed = std::get_if<TurnInputAlreadyClaimed>(&outcome);
         if (claimed != nullptr && claimed->claim.has_value()) claimed->claim->claim_expires_at_ms.reset();
       })},
      {"NextTurnGrantsShowAccepted", {"TI-NXT-5", "TI-INV-3"},
       Answers<ClaimNextTurnInputsRequest>([](std::optional<TurnInputClaim>& claim) {
         for (std::size_t i = 0; claim.has_value() && i < claim->inputs.size(); ++i) {
           claim->inputs[i].state = TurnInputState::kAccepted;
         }
       })},
      {"ListIsBackwards", {"TI-INV-2", "TI-LST-1", "TI-LST-6"},
       Answers<ListPendingTurnInputsRequest>([](std::vector<PendingTurnInput>& list) { std::reverse(list.begin(), list.end()); })},
  };
  return slips;
}

class TurnInputSlipTest : public testing::TestWithParam<Slip> {};

TEST_P(TurnInputSlipTest, IsFoundAndItsTraceFailsAgain) {
  CheckOptions options;
  options.operations = 200'000;
  options.concurrent = false;
  const TargetFactory<F> factory = With(GetParam());
  const Report report = Check<F>(factory, options);
  ASSERT_EQ(report.verdict, Verdict::kDoesNotConform) << report.text();
  const FailureReport& failure = report.failures.front();
  EXPECT_THAT(GetParam().clauses, testing::Contains(failure.clause)) << report.text();
  EXPECT_LE(failure.calls, 60u) << report.text();
  EXPECT_NE(failure.expected, "");
  const Report again = ReplayTraces<F>(factory, {{"found.trace", failure.trace}}, options);
  ASSERT_EQ(again.failures.size(), 1u) << again.reason << failure.trace;
  EXPECT_EQ(again.failures.front().clause, failure.clause);
  EXPECT_TRUE(ReplayTraces<F>(InProcess(Reference()), {{"found.trace", failure.trace}}, options).failures.empty())
      << failure.trace;
}

INSTANTIATE_TEST_SUITE_P(All, TurnInputSlipTest, testing::ValuesIn(Slips()),
                         [](const auto& slip) { return std::string(slip.param.name); });

}  // namespace
}  // namespace leasecheck
