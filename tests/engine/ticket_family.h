// A toy family for tests of the engine: a store hands out tickets, each of which is redeemed once. With it comes a store that can
// be told to forget the lock between checking a ticket and striking it off.
#ifndef LEASECHECK_TESTS_ENGINE_TICKET_FAMILY_H_
#define LEASECHECK_TESTS_ENGINE_TICKET_FAMILY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "model/operation.h"
#include "model/spec.h"
#include "properties/engine/generator.h"
#include "properties/engine/in_process_target.h"

namespace leasecheck {
namespace ticket {

struct Ticket {
  std::string id;
  uint64_t value = 0;
  friend bool operator==(const Ticket&, const Ticket&) = default;
};
struct Voucher {  // what a ticket is presented as
  std::string ticket_id;
  friend bool operator==(const Voucher&, const Voucher&) = default;
};
inline Voucher VoucherOf(const Ticket& ticket) { return {ticket.id}; }

struct TakeRequest {
  uint64_t value = 0;
  friend bool operator==(const TakeRequest&, const TakeRequest&) = default;
};
struct RedeemRequest {
  Voucher voucher;
  friend bool operator==(const RedeemRequest&, const RedeemRequest&) = default;
};
struct CountRequest {
  friend bool operator==(const CountRequest&, const CountRequest&) = default;
};
struct NoSuchTicket {
  friend bool operator==(const NoSuchTicket&, const NoSuchTicket&) = default;
};
using Error = std::variant<NoSuchTicket>;

class Store {
 public:
  virtual ~Store() = default;
  virtual tl::expected<Ticket, Error> Take(const TakeRequest& request) = 0;
  virtual tl::expected<uint64_t, Error> Redeem(const RedeemRequest& request) = 0;  // the ticket's value
  virtual tl::expected<uint64_t, Error> Count(const CountRequest& request) = 0;    // tickets not redeemed
};

}  // namespace ticket

template <>
inline constexpr auto kFields<ticket::Ticket> = std::make_tuple(Field{"id", &ticket::Ticket::id},
                                                                Field{"value", &ticket::Ticket::value});
template <>
inline constexpr auto kFields<ticket::Voucher> = std::make_tuple(Field{"ticket_id", &ticket::Voucher::ticket_id});
template <>
inline constexpr auto kFields<ticket::TakeRequest> = std::make_tuple(Field{"value", &ticket::TakeRequest::value});
template <>
inline constexpr auto kFields<ticket::RedeemRequest> = std::make_tuple(Field{"voucher", &ticket::RedeemRequest::voucher});
template <>
inline constexpr auto kFields<ticket::CountRequest> = std::tuple<>{};

struct TicketFamily {
  static constexpr absl::string_view kName = "ticket";
  using Store = ticket::Store;
  using Error = ticket::Error;
  static constexpr auto kOperations =
      std::make_tuple(Operation{"take", &Store::Take, Effect::kWrite}, Operation{"redeem", &Store::Redeem, Effect::kWrite},
                      Operation{"count", &Store::Count, Effect::kRead});
};

namespace ticket {

inline constexpr ClauseInfo kClauses[] = {{"TK-TAKE", "A ticket is new."},
                                          {"TK-ONCE", "A ticket is redeemed once, for its value."},
                                          {"TK-COUNT", "The count is that of the tickets not redeemed."}};

class TicketSpec {
 public:
  using State = std::set<std::pair<std::string, uint64_t>>;
  static State Initial(const SpecSetup&) { return {}; }
  static std::optional<ClauseIndex> Step(State& state, const RequestOf<TicketFamily>& request,
                                         const OutcomeOf<TicketFamily>& outcome, EpochMs,
                                         const StepContext<TicketFamily>& context, std::vector<State>*) {
    if (const auto* take = std::get_if<TakeRequest>(&request)) {
      const auto* ticket = ResponseIf<TicketFamily, 0>(outcome);
      const std::string id = ticket == nullptr ? absl::StrCat("unseen", state.size()) : ticket->id;
      if (ticket != nullptr && (state.contains({id, take->value}) || ticket->value != take->value)) return 0;
      state.insert({id, take->value});
      if (context.hits != nullptr) context.hits->Add(0, Sense::kHeld);
      return std::nullopt;
    }
    if (const auto* redeem = std::get_if<RedeemRequest>(&request)) return Redeem(state, *redeem, outcome, context);
    const auto* count = ResponseIf<TicketFamily, 2>(outcome);
    if (count != nullptr && *count != state.size()) return 2;
    return std::nullopt;
  }
  static std::string Explain(const State& state, const RequestOf<TicketFamily>&, const OutcomeOf<TicketFamily>&, EpochMs,
                             const StepContext<TicketFamily>&) {
    return absl::StrCat("there are ", state.size(), " tickets");
  }
  static std::string Describe(const State& state, EpochMs now) { return absl::StrCat(state.size(), " tickets at ", now); }
  static int Parts(const RequestOf<TicketFamily>&, const OutcomeOf<TicketFamily>&, const StepContext<TicketFamily>&) { return 1; }
  static std::optional<std::string> PartitionKey(const RequestOf<TicketFamily>&) { return std::nullopt; }
  static std::optional<EpochMs> ReportedInstant(const RequestOf<TicketFamily>&, const OutcomeOf<TicketFamily>&) {
    return std::nullopt;
  }
  static void AppendDeadlines(const State&, std::vector<EpochMs>*) {}
  static absl::Span<const ClauseInfo> Clauses() { return kClauses; }

 private:
  static std::optional<ClauseIndex> Redeem(State& state, const RedeemRequest& request, const OutcomeOf<TicketFamily>& outcome,
                                           const StepContext<TicketFamily>& context) {
    auto ticket = state.begin();
    while (ticket != state.end() && ticket->first != request.voucher.ticket_id) ++ticket;
    const auto* value = ResponseIf<TicketFamily, 1>(outcome);
    if (value != nullptr && (ticket == state.end() || ticket->second != *value)) return 1;
    if (outcome.index() == 1 && ticket != state.end()) return 1;
    if (ticket != state.end()) state.erase(ticket);
    if (context.hits != nullptr) context.hits->Add(1, value == nullptr ? Sense::kRefused : Sense::kHeld);
    return std::nullopt;
  }
};

// Correct, or (`racy`) with the lock dropped between check and act.
class LockedStore final : public Store {
 public:
  LockedStore(PauseHook* pause, bool racy) : pause_(pause), racy_(racy) {}
  tl::expected<Ticket, Error> Take(const TakeRequest& request) override {
    absl::MutexLock lock(&mutex_);
    Ticket ticket{absl::StrCat("t", ++made_), request.value};
    tickets_.push_back(ticket);
    return ticket;
  }
  tl::expected<uint64_t, Error> Redeem(const RedeemRequest& request) override {
    std::optional<Ticket> found;
    {
      absl::MutexLock lock(&mutex_);
      found = FindLocked(request.voucher.ticket_id);
      if (!racy_) Strike(request.voucher.ticket_id);
    }
    if (pause_ != nullptr) pause_->Pause("between_check_and_act");
    absl::MutexLock lock(&mutex_);
    Strike(request.voucher.ticket_id);
    if (!found.has_value()) return tl::make_unexpected(Error(NoSuchTicket{}));
    return found->value;
  }
  tl::expected<uint64_t, Error> Count(const CountRequest&) override {
    absl::MutexLock lock(&mutex_);
    return tickets_.size();
  }

 private:
  std::optional<Ticket> FindLocked(const std::string& id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    for (const Ticket& ticket : tickets_) {
      if (ticket.id == id) return ticket;
    }
    return std::nullopt;
  }
  void Strike(const std::string& id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    std::erase_if(tickets_, [&](const Ticket& ticket) { return ticket.id == id; });
  }

  PauseHook* const pause_;
  const bool racy_;
  absl::Mutex mutex_;
  uint64_t made_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<Ticket> tickets_ ABSL_GUARDED_BY(mutex_);
};

inline StoreFactory<TicketFamily> Factory(bool racy) {
  StoreFactory<TicketFamily> factory;
  factory.info.name = racy ? "racy tickets" : "tickets";
  factory.info.concurrency = 8;
  factory.info.pausable = true;
  factory.open = [racy](const OpenOptions& options) -> absl::StatusOr<std::unique_ptr<Store>> {
    return std::make_unique<LockedStore>(options.environment.pause, racy);
  };
  return factory;
}

}  // namespace ticket

template <>
struct SpecOf<TicketFamily> {
  using type = ticket::TicketSpec;
};

namespace engine {

// Takes and redeems; in branches redeems what the prefix took.
class TicketGenerator final : public Generator<TicketFamily> {
 public:
  explicit TicketGenerator(Random random) : random_(std::move(random)) {}
  EpochMs Start() override { return 1000; }
  Command<TicketFamily> Next(const State&, EpochMs now) override {
    if (random_.OneIn(6)) {
      Command<TicketFamily> clock;
      clock.action = SetClock{now + 1};
      return clock;
    }
    return random_.OneIn(2) ? Take() : Redeem();
  }
  Command<TicketFamily> NextInBranch(int, const State&, EpochMs) override { return random_.OneIn(4) ? Take() : Redeem(); }
  std::optional<Command<TicketFamily>> NextInEpilogue(const State&, EpochMs) override {
    if (std::exchange(counted_, true)) return std::nullopt;
    Command<TicketFamily> count;
    count.action = RequestOf<TicketFamily>(ticket::CountRequest{});
    return count;
  }
  void Observe(const CallRecord<TicketFamily>& record) override {
    if (ResponseIf<TicketFamily, 0>(record.outcome) != nullptr) taken_.push_back(record.label);
  }

 private:
  Command<TicketFamily> Take() {
    Command<TicketFamily> take;
    take.label = absl::StrCat("t", ++labels_);
    take.action = RequestOf<TicketFamily>(ticket::TakeRequest{random_.Below(100)});
    return take;
  }
  Command<TicketFamily> Redeem() {
    Command<TicketFamily> redeem;
    redeem.action = RequestOf<TicketFamily>(ticket::RedeemRequest{});
    redeem.references = {{"voucher", taken_.empty() ? "" : random_.Pick(taken_), ""}};
    return redeem;
  }
  Random random_;
  uint64_t labels_ = 0;
  std::vector<std::string> taken_;
  bool counted_ = false;
};

template <>
struct PropertiesOf<TicketFamily> {
  static absl::Span<const Conversion> Conversions() {
    static const Conversion kConversions[] = {ConversionBy<&ticket::VoucherOf>(&ticket::VoucherOf)};
    return kConversions;
  }
  static std::unique_ptr<Generator<TicketFamily>> NewGenerator(Random random, const GeneratorOptions&) {
    return std::make_unique<TicketGenerator>(std::move(random));
  }
  static RequestOf<TicketFamily> ClockProbe() { return ticket::CountRequest{}; }
  static std::vector<Finding> Scan(const History<TicketFamily>&, const SpecSetup&, ClauseHits*) { return {}; }
};

}  // namespace engine
}  // namespace leasecheck

#endif  // LEASECHECK_TESTS_ENGINE_TICKET_FAMILY_H_
