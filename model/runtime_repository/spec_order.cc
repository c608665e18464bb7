// What answers tell of the order of concurrent calls, and which calls need no order: hints for the search (model/spec.h).
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "model/runtime_repository/spec_internal.h"

namespace leasecheck::runtime_repository {
namespace {

using Request = RuntimeRepositorySpec::Request;
using Outcome = RuntimeRepositorySpec::Outcome;
using Family = RuntimeRepositoryFamily;

template <class R>
const auto* AnswerTo(const Outcome& outcome) {
  return ResponseIf<Family, OperationIndexOf<Family, R>()>(outcome);
}

bool OnlyReads(const Request& request) { return OperationEffect<Family>(request.index()) == Effect::kRead; }

// Marks.

// A lease: 0 before its claim, 1 while it is held, 2 once it is gone. Its version has a counter of its own.
struct MarksOf {
  const Outcome& outcome;
  std::vector<Mark>* marks;

  void operator()(const UpsertLeaseRequest&) const {
    const auto* lease = AnswerTo<UpsertLeaseRequest>(outcome);
    if (lease == nullptr) return;
    MarkLease(lease->lease_id, 0);
    MarkVersion(lease->lease_id, 0, 1);
    if (lease->heartbeat_at.ms < 0) return;
    const auto clock = static_cast<uint64_t>(lease->heartbeat_at.ms);
    marks->push_back({kClockCounter, clock, clock});
  }
  void operator()(const HeartbeatLeaseRequest& request) const {
    if (AnswerTo<HeartbeatLeaseRequest>(outcome) != nullptr) MarkLease(request.lease_id, 1);
  }
  void operator()(const HeartbeatLeaseWithVersionRequest& request) const {
    if (AnswerTo<HeartbeatLeaseWithVersionRequest>(outcome) == nullptr) return;
    MarkLease(request.lease_id, 1);
    MarkVersion(request.lease_id, request.expected_version, request.expected_version + 1);
  }
  void operator()(const GetLeaseForAttemptRequest&) const { Shown(AnswerTo<GetLeaseForAttemptRequest>(outcome)); }
  void operator()(const GetLeaseByIdRequest&) const { Shown(AnswerTo<GetLeaseByIdRequest>(outcome)); }
  void operator()(const AppendRunEventsRequest& request) const {
    const auto* last = AnswerTo<AppendRunEventsRequest>(outcome);
    if (last == nullptr || *last < request.count) return;
    marks->push_back({absl::StrCat("events of ", request.run_id), *last - request.count, *last});
  }
  // Zero says nothing: a store may have no event log (RR-LAT-12).
  void operator()(const LatestSeqForRunRequest& request) const {
    const auto* last = AnswerTo<LatestSeqForRunRequest>(outcome);
    if (last != nullptr && *last > 0) marks->push_back({absl::StrCat("events of ", request.run_id), *last, *last});
  }
  void operator()(const GetAttemptStatusRequest& request) const {
    const auto* shown = AnswerTo<GetAttemptStatusRequest>(outcome);
    if (shown != nullptr && shown->has_value()) MarkNumber(request.attempt_id, (*shown)->attempt_no, (*shown)->attempt_no);
  }
  void operator()(const AckAttemptRequest& request) const {
    const auto* result = AnswerTo<AckAttemptRequest>(outcome);
    if (result == nullptr || result->next_attempt_no == 0) return;
    const bool retries = result->status == AttemptExecutionStatus::kRetryBackoff;
    MarkNumber(request.attempt_id, result->next_attempt_no - (retries ? 1 : 0), result->next_attempt_no);
  }
  void operator()(const ListDispatchableAttemptsRequest&) const {
    const auto* records = AnswerTo<ListDispatchableAttemptsRequest>(outcome);
    if (records == nullptr) return;
    for (const AttemptDispatchRecord& record : *records) MarkNumber(record.attempt_id, record.attempt_no, record.attempt_no);
  }
  template <class R>
  void operator()(const R&) const {}

 private:
  void MarkLease(const std::string& id, uint64_t before) const { marks->push_back({absl::StrCat("lease ", id), before, 1}); }
  void MarkVersion(const std::string& id, uint64_t before, uint64_t after) const {
    marks->push_back({absl::StrCat("version of ", id), before, after});
  }
  void MarkNumber(const std::string& attempt_id, uint64_t before, uint64_t after) const {
    marks->push_back({absl::StrCat("number of ", attempt_id), before, after});
  }
  void Shown(const std::optional<LeaseRecord>* lease) const {
    if (lease == nullptr || !lease->has_value()) return;
    MarkLease((*lease)->lease_id, 1);
    MarkVersion((*lease)->lease_id, (*lease)->version, (*lease)->version);
  }
};

// Commuting.

// What a call reaches: the events of one run, one attempt, one lease of an attempt that is not named, or all attempts.
enum class Area { kRun, kAttempt, kLease, kAll };
struct Reach {
  Area area = Area::kAll;
  const std::string* of = nullptr;
};

struct ReachOf {
  Reach operator()(const LatestSeqForRunRequest& request) const { return {Area::kRun, &request.run_id}; }
  Reach operator()(const AppendRunEventsRequest& request) const { return {Area::kRun, &request.run_id}; }
  Reach operator()(const HeartbeatLeaseRequest& request) const { return {Area::kLease, &request.lease_id}; }
  Reach operator()(const HeartbeatLeaseWithVersionRequest& request) const { return {Area::kLease, &request.lease_id}; }
  Reach operator()(const GetLeaseByIdRequest& request) const { return {Area::kLease, &request.lease_id}; }
  template <class R>
  Reach operator()(const R& request) const {
    if constexpr (requires { request.attempt_id; }) return {Area::kAttempt, &request.attempt_id};
    return {};
  }
};

}  // namespace

bool RuntimeRepositorySpec::ChangesNothing(const Request& request, const Outcome& outcome, const Context&) {
  if (OnlyReads(request) || outcome.index() == 1) return true;
  if (const auto* append = std::get_if<AppendRunEventsRequest>(&request)) return append->count == 0;
  const auto* timed_out = AnswerTo<TransitionTimedOutAttemptsRequest>(outcome);
  return timed_out != nullptr && std::holds_alternative<TransitionTimedOutAttemptsRequest>(request) && *timed_out == 0;
}

void RuntimeRepositorySpec::AppendMarks(const Request& request, const Outcome& outcome, std::vector<Mark>* marks) {
  std::visit(MarksOf{outcome, marks}, request);
}

bool RuntimeRepositorySpec::Commute(const Request& a, const Outcome&, const Request& b, const Outcome&) {
  if (OnlyReads(a) && OnlyReads(b)) return true;
  const Reach reach_a = std::visit(ReachOf(), a);
  const Reach reach_b = std::visit(ReachOf(), b);
  if (reach_a.area == Area::kRun || reach_b.area == Area::kRun) {
    return reach_a.area != reach_b.area || *reach_a.of != *reach_b.of;
  }
  // A lease's attempt is not known here.
  const bool same_kind = reach_a.area == reach_b.area && reach_a.area != Area::kAll;
  return same_kind && *reach_a.of != *reach_b.of;
}

bool RuntimeRepositorySpec::ReadsClock(const Request& request) { return std::holds_alternative<UpsertLeaseRequest>(request); }

}  // namespace leasecheck::runtime_repository
