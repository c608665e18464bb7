// The driver: runs a program's commands on a target and writes down the history.
//
// Sequential commands are run one by one; a parallel phase by real threads that start together, or under the deterministic
// scheduler. Nothing here judges.
#ifndef LEASECHECK_PROPERTIES_ENGINE_DRIVER_H_
#define LEASECHECK_PROPERTIES_ENGINE_DRIVER_H_

#include <algorithm>
#include <atomic>
#include <latch>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "model/operation.h"
#include "model/target.h"
#include "properties/engine/history.h"
#include "properties/engine/program.h"
#include "properties/engine/resolve.h"
#include "properties/engine/scheduler.h"
#include "properties/engine/system_time.h"

namespace leasecheck::engine {

// Runs on one target, one program after the other. The target and the conversions are borrowed. Not thread-safe itself.
//
//   Driver<F> driver(target, conversions);
//   RETURN_IF_ERROR(driver.Begin(1000));
//   for (const Command<F>& command : commands) RETURN_IF_ERROR(driver.Run(command));
//   Judge(driver.history());
//
// A status that is not OK ends the run: the target failed in a way that is no answer (see Target).
template <class F>
class Driver {
 public:
  // `time` is the harness' clock where the target reads the system's own, borrowed; null where the clock is virtual. Moving the
  // clock then means waiting until that instant, counted from the program's start; but not for long.
  Driver(Target<F>& target, absl::Span<const Conversion> conversions, SystemTime* time = nullptr, ClockError error = {})
      : target_(target), conversions_(conversions), time_(time), error_(error) {
    if (time_ != nullptr) first_ = time_->Now();
  }

  // A fresh store, an empty history.
  absl::Status Begin(EpochMs start) {
    labels_.Clear();
    history_.start = start;
    history_.calls.clear();
    history_.calls.reserve(longest_);  // records are big: growing would move each several times
    if (time_ != nullptr) began_ = time_->Now();
    clock_.store(0, std::memory_order_relaxed);
    reads_.store(start);
    phase_ = 0;
    return target_.Reset(start);
  }

  // Runs one command of a sequential phase. The record is history().calls.back(), or the one before where a crash followed.
  absl::Status Run(const Command<F>& command) {
    absl::Status status = RunCommand(0, command, nullptr, labels_, history_.calls);
    if (status.ok()) status = ReopenIfCrashed();
    return status;
  }

  // Makes a call that is no part of the history.
  absl::Status RunAside(RequestOf<F> request, CallRecord<F>* record) {
    Command<F> command;
    command.action = std::move(request);
    std::vector<CallRecord<F>> records;
    Labels<F> labels(&labels_);
    absl::Status status = RunCommand(0, command, nullptr, labels, records);
    *record = std::move(records.back());
    return status;
  }

  // Ends a phase that was run command by command.
  void EndPhase() { ++phase_; }

  // Runs a whole phase: its one client sequentially, or its several clients by real threads, which now and then give way inside
  // the store where it pauses. `order` (may be null) is one of calls, and says who begins or ends a command next: a client waits
  // for its turn with both. What is not in it, because the program is not the recorded one, comes as it may.
  absl::Status RunPhase(const Phase<F>& phase, const Schedule* order = nullptr) {
    const bool jitters = phase.clients.size() > 1 && target_.info().pausable;
    if (jitters) target_.SetPauseHook(&jitter_);
    absl::Status status = RunClients(phase, nullptr, order);
    if (jitters) target_.SetPauseHook(nullptr);
    return status;
  }

  // Runs the several clients of a phase one step at a time, as `chooser` says; `recorded` gets the choices.
  absl::Status RunPhase(const Phase<F>& phase, Chooser chooser, Schedule* recorded) {
    Scheduler scheduler(static_cast<int>(phase.clients.size()), std::move(chooser));
    target_.SetPauseHook(&scheduler);
    scheduler_ = &scheduler;
    absl::Status status = RunClients(phase, &scheduler, nullptr);
    scheduler_ = nullptr;
    target_.SetPauseHook(nullptr);
    *recorded = scheduler.recorded();
    return status;
  }

  const History<F>& history() const { return history_; }
  History<F> TakeHistory() {
    longest_ = std::max(longest_, history_.calls.size());
    return std::move(history_);
  }

 private:
  // What the threads of a phase share.
  struct Together {
    Together(int count, std::size_t longest, Scheduler* switches, const Schedule* recorded)
        : clients(count),
          scheduler(switches),
          order(recorded != nullptr && recorded->of_calls && !recorded->empty() ? recorded : nullptr),
          start(count),
          arrived(longest),
          gone(count) {
      if (order == nullptr) return;
      // It may be of a program with more clients.
      const int most = *std::max_element(order->begin(), order->end()) + 1;
      row_ends = RowEnds(*order, most);
      if (most > count) order = nullptr;
    }
    // Holds a client until `reached`, or until it cannot be: every other client has finished or is held too.
    template <class Condition>
    void Await(const Condition& reached) {
      const auto over = [&] { return reached() || waiting.load() + finished.load() >= clients; };
      if (scheduler != nullptr) {
        waiting.fetch_add(1);
        while (!over()) scheduler->GiveWay();
        waiting.fetch_sub(1);
        return;
      }
      absl::MutexLock lock(&holding);
      waiting.fetch_add(1);
      holding.Await(absl::Condition(&over));
      waiting.fetch_sub(1);
    }
    // To be called when something has changed that a client may be held for.
    void Changed() {
      if (waiting.load() == 0) return;
      absl::MutexLock lock(&holding);  // its end lets the held ones look
    }
    void Finish(int client) {
      gone[client].store(true);
      finished.fetch_add(1);
      Changed();
    }
    // Waits until `client` is the next to begin or end a command by the recorded order, and ticks. Those that begin in a row wait
    // for each other, so that they are in the store together as they were.
    Instant TakeTurn(int client, Driver& driver) {
      if (order == nullptr) return driver.Tick();
      const auto turn = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(holding) {
        PassOverTheGone();
        return next_turn == order->size() || (*order)[next_turn] == client ||
               std::find(order->begin() + next_turn, order->end(), client) == order->end();
      };
      absl::MutexLock lock(&holding);
      waiting.fetch_add(1);
      holding.Await(absl::Condition(&turn));
      const bool in_order = next_turn < order->size() && (*order)[next_turn] == client;
      const std::size_t row_end = in_order ? row_ends[next_turn] : 0;
      const Instant instant = driver.Tick();
      if (in_order) ++next_turn;
      const auto all_there = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(holding) {
        PassOverTheGone();
        return next_turn >= row_end;
      };
      holding.Await(absl::Condition(&all_there));
      waiting.fetch_sub(1);
      return instant;
    }
    void PassOverTheGone() ABSL_EXCLUSIVE_LOCKS_REQUIRED(holding) {
      while (next_turn < order->size() && gone[(*order)[next_turn]].load()) ++next_turn;
    }
    // By turn: where the row of beginnings that it belongs to ends; 0 for an end. Each client begins and ends by turns.
    static std::vector<std::size_t> RowEnds(const Schedule& turns, int count) {
      std::vector<bool> open(count), begins;
      for (int client : turns) {
        open[client] = !open[client];
        begins.push_back(open[client]);
      }
      std::vector<std::size_t> ends(turns.size(), 0);
      for (std::size_t i = turns.size(); i-- > 0;) {
        const bool goes_on = i + 1 < turns.size() && begins[i + 1];
        if (begins[i]) ends[i] = goes_on ? ends[i + 1] : i + 1;
      }
      return ends;
    }
    // Holds a client before its call number `call` until the others that still run are there too, so that free threads do
    // overlap: a call of a store in memory is shorter than what threads drift apart by. Gives up soon; nobody waits for the
    // slowest.
    void Gate(std::size_t call) {
      if (order != nullptr) return;
      arrived[call].fetch_add(1);
      for (int spins = 0; spins < 400 && arrived[call].load() + finished.load() + waiting.load() < clients; ++spins) {
        if (spins % 20 == 19) std::this_thread::yield();
      }
    }
    const int clients;
    Scheduler* const scheduler;         // null: free threads
    const Schedule* order;              // of calls, of free threads; may be null
    std::vector<std::size_t> row_ends;  // by turn
    std::latch start;
    std::vector<std::atomic<int>> arrived;
    std::atomic<uint64_t> calls_begun{0};
    std::atomic<bool> crashed{false};  // nobody is left to call
    std::atomic<bool> killed{false};   // somebody is to be reopened
    std::atomic<uint64_t> commands_ended{0};
    std::atomic<int> waiting{0};
    std::atomic<int> finished{0};
    std::vector<std::atomic<bool>> gone;  // by client: finished
    absl::Mutex sleepers;                 // one that moves the clock at a time
    absl::Mutex holding;
    std::size_t next_turn ABSL_GUARDED_BY(holding) = 0;
  };

  void SwitchPoint(absl::string_view point) {
    if (scheduler_ != nullptr) scheduler_->Pause(point);
  }

  Instant Tick() { return clock_.fetch_add(1, std::memory_order_acq_rel); }

  absl::Status RunClients(const Phase<F>& phase, Scheduler* scheduler, const Schedule* order) {
    if (phase.clients.size() == 1) {
      for (const Command<F>& command : phase.clients[0]) {
        if (absl::Status status = Run(command); !status.ok()) return status;
      }
      EndPhase();
      return absl::OkStatus();
    }
    const int clients = static_cast<int>(phase.clients.size());
    std::size_t longest = 0;
    for (const auto& commands : phase.clients) longest = std::max(longest, commands.size());
    Together together(clients, longest, scheduler, order);
    std::vector<absl::Status> statuses(clients);
    std::vector<Labels<F>> labels(clients, Labels<F>(&labels_));
    std::vector<std::vector<CallRecord<F>>> records(clients);
    {
      std::vector<std::jthread> threads;
      threads.reserve(clients);
      for (int client = 0; client < clients; ++client) {
        threads.emplace_back([&, client] {
          statuses[client] = RunClient(client, phase.clients[client], together, labels[client], records[client]);
        });
      }
    }
    for (int client = 0; client < clients; ++client) {
      labels_.Absorb(std::move(labels[client]));
      std::move(records[client].begin(), records[client].end(), std::back_inserter(history_.calls));
    }
    std::sort(history_.calls.begin(), history_.calls.end(), [](const auto& a, const auto& b) { return a.called < b.called; });
    for (absl::Status& status : statuses) {
      if (!status.ok()) return std::move(status);
    }
    absl::Status status = together.killed ? DoReopen() : ReopenIfCrashed();
    EndPhase();
    return status;
  }

  absl::Status RunClient(int client, const std::vector<Command<F>>& commands, Together& together, Labels<F>& labels,
                         std::vector<CallRecord<F>>& records) {
    Scheduler* const scheduler = together.scheduler;
    if (scheduler != nullptr) {
      scheduler->Start(client);
    } else {
      together.start.arrive_and_wait();
    }
    absl::Status status;
    std::size_t made = 0;
    for (const Command<F>& command : commands) {
      if (together.crashed.load() || (target_.info().processes == 1 && target_.Crashed())) break;
      if (scheduler == nullptr) together.Gate(made++);
      if (const auto* crash = std::get_if<Crash>(&command.action)) {
        together.Await([&] { return together.calls_begun.load() >= crash->after_calls; });
        if (crash->at_statement == 0) together.killed.store(true);
        if (crash->at_statement == 0 && !OthersLiveOn(*crash)) together.crashed.store(true);
      } else {
        together.calls_begun.fetch_add(1);
      }
      together.Changed();
      status = RunCommand(client, command, &together, labels, records);
      together.commands_ended.fetch_add(1);
      together.Changed();
      if (!status.ok()) break;
      if (scheduler != nullptr) scheduler->Pause("between_calls");
    }
    together.Finish(client);
    if (scheduler != nullptr) scheduler->Finish();
    return status;
  }

  // `together` is null where the command runs alone.
  absl::Status RunCommand(int client, const Command<F>& command, Together* together, Labels<F>& labels,
                          std::vector<CallRecord<F>>& records) {
    CallRecord<F>& record = records.emplace_back();
    record.client = client;
    record.phase = phase_;
    record.label = command.label;
    record.action = command.action;
    record.loss = command.loss;
    if (auto* request = std::get_if<0>(&record.action)) Resolve<F>(command.references, labels, conversions_, request);
    const auto tick = [&] { return together == nullptr ? Tick() : together->TakeTurn(client, *this); };
    record.called = tick();
    if (const auto* stall = std::get_if<Stall>(&command.action)) {
      absl::Status slept = Sleep(*stall, together, record);
      record.returned = tick();
      return slept;
    }
    SwitchPoint("call_begun");
    const EpochMs called = time_ == nullptr ? 0 : time_->Now();
    absl::Status status = Perform(record);
    // A process that has killed itself as planned does nothing that it is asked for; it is reopened next.
    if (!status.ok() && client >= 0 && target_.Crashed()) status = absl::OkStatus();
    if (time_ != nullptr) record.window = error_.Around(called, time_->Now(), first_);
    SwitchPoint("call_done");
    if (together != nullptr && command.hold > 0) HoldBack(command.hold, *together, record);
    const bool is_call = std::holds_alternative<RequestOf<F>>(record.action);
    const bool open_for_ever = is_call && record.loss != Loss::kRequest && std::holds_alternative<Indefinite>(record.outcome);
    if (is_call && record.loss == Loss::kOutcome && !open_for_ever) record.outcome = Indefinite{"the harness lost the answer"};
    const Instant end = tick();
    if (!open_for_ever) record.returned = end;
    if (status.ok() && command.loss == Loss::kNone) labels.Set(command.label, record.outcome);
    return status;
  }

  void HoldBack(uint64_t commands, Together& together, CallRecord<F>& record) {
    const uint64_t before = together.commands_ended.load();
    together.Await([&] { return together.commands_ended.load() >= before + commands; });
    record.fault_took = together.commands_ended.load() > before;
  }

  // The record is one of the clock where the sleeper moves it, from when it does.
  absl::Status Sleep(const Stall& stall, Together* together, CallRecord<F>& record) {
    if (time_ != nullptr) {
      record.fault_took = WaitFor(SetClock{stall.until});
      return absl::OkStatus();
    }
    absl::Status status;
    if (together != nullptr) together->Await([&] { return reads_.load() >= stall.until || together->crashed.load(); });
    absl::Mutex alone;
    absl::MutexLock lock(together == nullptr ? &alone : &together->sleepers);
    const bool nobody_to_ask = together != nullptr && together->crashed.load();
    if (reads_.load() < stall.until && !nobody_to_ask) {
      record.action = SetClock{stall.until};
      record.called = Tick();
      status = Perform(record);
      if (!status.ok() && target_.Crashed()) status = absl::OkStatus();
    }
    record.fault_took = reads_.load() >= stall.until;
    return status;
  }

  absl::Status Perform(CallRecord<F>& record) {
    if (const auto* request = std::get_if<0>(&record.action)) {
      if (record.loss == Loss::kRequest) {
        record.outcome = Indefinite{"the harness lost the request"};
        return absl::OkStatus();
      }
      record.outcome = target_.Execute(*request);
      return std::holds_alternative<Indefinite>(record.outcome) ? target_.Health() : absl::OkStatus();
    }
    if (const auto* set_clock = std::get_if<SetClock>(&record.action)) {
      if (time_ != nullptr) {
        WaitFor(*set_clock);
        return absl::OkStatus();
      }
      absl::Status status = target_.SetClock(set_clock->now);
      reads_.store(set_clock->now);
      return absl::IsAborted(status) ? absl::OkStatus() : status;  // a crash came first: it holds from the reopening on
    }
    if (std::holds_alternative<Reopen>(record.action)) return target_.Reopen();
    const Crash& crash = std::get<Crash>(record.action);
    const int process = static_cast<int>(crash.process.value_or(0) % static_cast<uint64_t>(target_.info().processes));
    if (crash.at_statement != 0) return target_.KillAtStatement(process, crash.at_statement);
    return OthersLiveOn(crash) ? target_.KillProcess(process) : target_.Kill();
  }

  bool OthersLiveOn(const Crash& crash) const { return crash.process.has_value() && target_.info().processes > 1; }

  // Whether it is then as late as asked.
  bool WaitFor(const SetClock& clock) {
    constexpr DurationMs kLongest = 250;
    if (clock.now <= history_.start) return true;
    const EpochMs until = SaturatingAdd(began_, clock.now - history_.start);
    const EpochMs now = time_->Now();
    if (until > now && until - now <= kLongest) time_->WaitUntil(until);
    return until <= now || until - now <= kLongest;
  }

  absl::Status ReopenIfCrashed() {
    const auto* crash = history_.calls.empty() ? nullptr : std::get_if<Crash>(&history_.calls.back().action);
    const bool killed = crash != nullptr && crash->at_statement == 0;
    if (!killed && !target_.Crashed()) return absl::OkStatus();
    return DoReopen();
  }

  absl::Status DoReopen() {
    Command<F> reopen;
    reopen.action = Reopen{};
    return RunCommand(-1, reopen, nullptr, labels_, history_.calls);
  }

  // Lets others run in one pause out of three.
  class Jitter final : public PauseHook {
   public:
    void Pause(absl::string_view /*point*/) override {
      if (pauses_.fetch_add(1, std::memory_order_relaxed) % 3 == 0) std::this_thread::yield();
    }

   private:
    std::atomic<uint64_t> pauses_{0};
  };

  Target<F>& target_;
  absl::Span<const Conversion> conversions_;
  SystemTime* const time_;
  const ClockError error_;
  EpochMs first_ = 0;  // what the harness' clock read when this driver was made
  EpochMs began_ = 0;  // ... and when the program began
  Jitter jitter_;
  Scheduler* scheduler_ = nullptr;  // of the phase that runs, where it is deterministic
  Labels<F> labels_;
  History<F> history_;
  std::size_t longest_ = 0;  // of the histories so far
  std::atomic<Instant> clock_{0};
  std::atomic<EpochMs> reads_{0};  // what the virtual clock was last set to
  int phase_ = 0;
};

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_ENGINE_DRIVER_H_
