// The two runtime_repository stores of this project, put to the same random calls: every answer is the same, but for the lease
// ids that each chooses. The reference's rules and the SQL are two readings of one contract.
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "memstore/runtime_repository.h"
#include "model/runtime_repository/family.h"
#include "tests/adapters/sqlite_runtime_repository_fixture.h"

namespace leasecheck::sqlite {
namespace {

using F = RuntimeRepositoryFamily;

// Makes calls over few names and few instants, so that they meet.
class RandomCalls {
 public:
  explicit RandomCalls(uint64_t seed) : random_(seed) {}

  // Lease ids are "#n" for the n-th lease; about one in eight is none.
  RequestOf<F> Next(std::size_t leases) {
    const std::string id = Of({"a", "b", "c", "d", "e", "f", "nosuch"});
    const std::string worker = Of({"v", "w"});
    const std::string lease =
        leases == 0 || Below(8) == 0 ? "none" : absl::StrCat("#", leases - 1 - Below(std::min<std::size_t>(leases, 4)));
    switch (Below(26)) {
      case 0:
      case 1:
        return rr::EnqueueAttemptRequest{Of({"a", "b", "c", "d", "e", "f"}), Of({"r", "q"})};
      case 2:
      case 3:
      case 4:
      case 5:
        return rr::UpsertLeaseRequest{id, worker, Time()};
      case 6:
      case 7:
        return rr::HeartbeatLeaseRequest{lease, Time(), Time()};
      case 8:
      case 9:
        return rr::ExpireLeasesAndRequeueRequest{Time()};
      case 10:
        return rr::TransitionTimedOutAttemptsRequest{Time()};
      case 11:
      case 12:
        return rr::AckAttemptRequest{id, Below(3) == 0 ? AnyStatus() : Status::kFailed, Policy(), Time(), std::nullopt};
      case 13:
        return rr::AckAttemptRequest{id, Status::kFailed, Policy(), Time(), lease};
      case 14:
        return rr::MarkAttemptStatusRequest{id, AnyStatus()};
      case 15:
        return rr::SetAttemptPriorityRequest{id, static_cast<int32_t>(Below(3)) - 1};
      case 16:
        return rr::SetAttemptTenantIdRequest{id,
                                             Below(4) == 0 ? std::nullopt : std::optional<std::string>(Of({"t", " t ", " "}))};
      case 17:
        return rr::SetAttemptTimeoutPolicyRequest{id, static_cast<int64_t>(Below(4)) * 1000, Below(8) == 0 ? AnyStatus() : Of2()};
      case 18:
        return rr::SetAttemptStartedAtRequest{id, Below(3) == 0 ? std::nullopt : std::optional<Instant>(Time())};
      case 19:
        return rr::GetLeaseByIdRequest{lease};
      case 20:
        return rr::HeartbeatLeaseWithVersionRequest{lease, worker, 1 + Below(2), Time(), Time()};
      case 21:
        return rr::ActiveLeasesForWorkerRequest{worker, Time()};
      case 22:
        return rr::ActiveLeasesForTenantRequest{"t", Time()};
      case 23:
        return rr::ReplayDeadLetterRequest{id, Time()};
      case 24:
        return rr::AppendRunEventsRequest{Of({"r", "q"}), Below(3)};
      default:
        return rr::ListDispatchableAttemptsRequest{Time(), Below(5)};
    }
  }
  // 0 to 7 seconds, and a millisecond beside.
  Instant Time() { return Instant(static_cast<int64_t>(Below(8) * 1000 + Below(3)) - 1); }
  uint64_t Below(uint64_t bound) { return std::uniform_int_distribution<uint64_t>(0, bound - 1)(random_); }

 private:
  std::string Of(std::initializer_list<const char*> names) { return *(names.begin() + Below(names.size())); }
  Status AnyStatus() { return kWords<Status>[Below(kWords<Status>.size())].value; }
  Status Of2() { return Below(2) == 0 ? Status::kFailed : Status::kCancelled; }
  std::optional<rr::RetryPolicy> Policy() {
    if (Below(2) == 0) return std::nullopt;
    return Below(2) == 0 ? rr::Fixed(static_cast<int64_t>(Below(3)) * 1000, static_cast<uint32_t>(Below(4)))
                         : rr::Exponential(500, 1.5, Below(2) == 0 ? std::nullopt : std::optional<int64_t>(900), 3);
  }

  std::mt19937_64 random_;
};

// One of the stores, with the lease ids that it chose.
class Side {
 public:
  explicit Side(rr::RuntimeRepositoryStore* store) : store_(store) {}

  // The outcome with "#n" for the id of the n-th lease.
  OutcomeOf<F> Execute(RequestOf<F> request) {
    std::visit([this](auto& arguments) { Rename(arguments, given_); }, request);
    OutcomeOf<F> outcome = leasecheck::Execute<F>(*store_, request);
    if (auto* response = std::get_if<0>(&outcome)) {
      constexpr std::size_t kUpsert = OperationIndexOf<F, rr::UpsertLeaseRequest>();
      if (auto* lease = std::get_if<kUpsert>(response); lease != nullptr && response->index() == kUpsert) Note(lease->lease_id);
      VisitOperation<F>(response->index(), [&]<std::size_t I>() { Rename(std::get<I>(*response), numbers_); });
    }
    return outcome;
  }
  std::size_t leases() const { return given_.size(); }

  // All that the store shows, with numbers for ids.
  std::vector<OutcomeOf<F>> Everything() {
    std::vector<OutcomeOf<F>> all;
    for (const Instant now : {kFirstInstant, At(3), kLastInstant}) {
      all.push_back(Execute(rr::ListDispatchableAttemptsRequest{now, rr::kAll}));
    }
    for (const char* id : {"a", "b", "c", "d", "e", "f"}) {
      all.push_back(Execute(rr::GetAttemptStatusRequest{id}));
      all.push_back(Execute(rr::GetLeaseForAttemptRequest{id}));
      all.push_back(Execute(rr::GetAttemptRetryHistoryRequest{id}));
    }
    all.push_back(Execute(rr::ListDeadLettersRequest{}));
    for (const char* run : {"r", "q"}) all.push_back(Execute(rr::LatestSeqForRunRequest{run}));
    return all;
  }

 private:
  using Names = std::map<std::string, std::string>;

  void Note(const std::string& lease_id) {
    const std::string number = absl::StrCat("#", given_.size());
    EXPECT_TRUE(numbers_.emplace(lease_id, number).second) << lease_id << " was given before";
    given_[number] = lease_id;
  }
  // Replaces every lease_id inside of the value.
  template <class T>
  static void Rename(T& value, const Names& names) {
    if constexpr (kIsOptional<T>) {
      if (value.has_value()) Rename(*value, names);
    } else if constexpr (kIsList<T>) {
      for (auto& element : value) Rename(element, names);
    } else if constexpr (kIsStruct<T>) {
      ForEachField<T>([&](const auto& field) {
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(value.*field.member)>, std::string>) {
          if (field.name == "lease_id") RenameId(value.*field.member, names);
        } else if constexpr (std::is_same_v<std::remove_cvref_t<decltype(value.*field.member)>, std::optional<std::string>>) {
          if (field.name == "lease_id" && (value.*field.member).has_value()) RenameId(*(value.*field.member), names);
        }
      });
    }
  }
  static void RenameId(std::string& id, const Names& names) {
    if (auto it = names.find(id); it != names.end()) id = it->second;
  }

  rr::RuntimeRepositoryStore* const store_;
  Names given_;    // "#n" -> id
  Names numbers_;  // id -> "#n"
};

class Agreement : public ::testing::TestWithParam<uint64_t> {};

TEST_P(Agreement, OfTheReferenceAndTheTables) {
  ManualClock clock(0);
  memstore::RuntimeRepository reference({.clock = &clock});
  auto tables = OpenRepository({.path = ":memory:", .connections = 1, .environment = {.clock = &clock}});
  Side one(&reference), other(tables.get());
  RandomCalls random(GetParam());
  std::map<std::size_t, int> succeeded, refused;
  for (int i = 0; i < 10000; ++i) {
    if (random.Below(4) == 0) clock.Set(static_cast<EpochMs>(std::max<int64_t>(random.Time().ms, 0)));
    const RequestOf<F> request = random.Next(one.leases());
    const OutcomeOf<F> expected = one.Execute(request);
    ++(expected.index() == 0 ? succeeded : refused)[request.index()];
    ASSERT_TRUE(other.Execute(request) == expected) << "call " << i << ", " << std::string(OperationName<F>(request.index()));
    ASSERT_TRUE(i % 25 != 0 || other.Everything() == one.Everything()) << "after call " << i;
  }
  // Every kind of call had an effect, and every kind that can be refused was.
  for (std::size_t operation = 0; operation < kOperationCount<F>; ++operation) {
    const absl::string_view name = OperationName<F>(operation);
    if (name == "latest_seq_for_run" || name == "get_attempt_status" || name == "get_lease_for_attempt" ||
        name == "get_attempt_retry_history" || name == "list_dead_letters") {
      continue;  // asked by Everything
    }
    EXPECT_GT(succeeded[operation], 3) << std::string(name);
  }
  EXPECT_GT(refused.size(), 8u);
}
INSTANTIATE_TEST_SUITE_P(Seeds, Agreement, ::testing::Range<uint64_t>(1, 9));

}  // namespace
}  // namespace leasecheck::sqlite
