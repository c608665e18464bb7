// The event log and its numbers.
#include <algorithm>
#include <vector>

#include "model/state_backend/spec_internal.h"

namespace leasecheck::state_backend::spec_internal {
namespace {

const Event* FindEvent(const SpecState& state, const Uuid& id) {
  for (const Log& log : *state.logs) {
    for (const Entry& entry : *log.entries) {
      if (entry.event->id == id) return entry.event.get();
    }
  }
  return nullptr;
}

bool IsUsed(const SpecState& state, EventSequence sequence) {
  return std::any_of(state.logs->begin(), state.logs->end(), [&](const Log& log) {
    return std::any_of(log.entries->begin(), log.entries->end(), [&](const Entry& entry) { return entry.sequence == sequence; });
  });
}

// The greatest number of the log that is known; 0: none.
EventSequence LastKnown(const Log* log) {
  EventSequence last = 0;
  if (log == nullptr) return last;
  for (const Entry& entry : *log->entries) last = std::max(last, entry.sequence);
  return last;
}
std::size_t SizeOf(const Log* log) { return log == nullptr ? 0 : log->entries->size(); }

// Appends.

// An append that has to fail, because of the execution or the view.
Verdict JudgeNoStanding(const Judge& judge, Standing standing, const Answer<EventSequence>& answer) {
  if (answer.unseen) return kAllowed;
  switch (standing) {
    case Standing::kUnknown:
      return answer.IsDatabase() ? kAllowed : Refuse<"SB-EVT-7">();
    case Standing::kForeign:
      if (!answer.IsEither()) return Refuse<"SB-TEN-13">();
      judge.Refused<"SB-TEN-13">();
      return kAllowed;
    default:
      if (!answer.IsEither()) return Refuse<"SB-TEN-12">();
      judge.Refused<"SB-TEN-12">();
      return kAllowed;
  }
}

Verdict CheckNumber(const Judge& judge, const AppendEventRequest& request, EventSequence got) {
  const Log* log = judge.state.FindLog(request.event.execution_id);
  if (judge.NumbersGlobally()) {
    return got <= LastKnown(log) || got < 1 || IsUsed(judge.state, got) ? Refuse<"SB-SEQ-4">() : kAllowed;
  }
  const auto due = static_cast<EventSequence>(SizeOf(log)) + 1;
  if (got == due) return kAllowed;
  if (got == request.event.sequence) return Refuse<"SB-SEQ-1">();
  if (got < due) return Refuse<"SB-SEQ-4">();
  return judge.state.memory->append_failed ? Refuse<"SB-SEQ-3">() : Refuse<"SB-SEQ-2">();
}

void CountAppend(Judge& judge, const AppendEventRequest& request, EventSequence got) {
  const bool several = judge.state.logs->size() > 1;
  judge.Held<"SB-EVT-1">();
  judge.Held<"SB-SEQ-1">(request.event.sequence != got);
  judge.Held<"SB-SEQ-2">(several && !judge.NumbersGlobally());
  judge.Held<"SB-SEQ-3">(judge.state.memory->append_failed);
  judge.Held<"SB-SEQ-4">(got > 1);
  judge.state.memory.Edit().append_failed = false;
}

void Append(SpecState& state, const AppendEventRequest& request, EventSequence sequence) {
  EditLog(state, request.event.execution_id).entries.Edit().push_back({Share(request.event), sequence});
}

// An append with an id that is in some log: refused or stored, the same at every time; ids may be unique in a log, or in the
// store (SB-LAT-11).
const Event* FindDuplicate(const SpecState& state, const AppendEventRequest& request) {
  if (const Log* own = state.FindLog(request.event.execution_id); own != nullptr) {
    for (const Entry& entry : *own->entries) {
      if (entry.event->id == request.event.id) return entry.event.get();
    }
  }
  return FindEvent(state, request.event.id);
}

Choice SpecState::*ChoiceOfDuplicates(const AppendEventRequest& request, const Event& there) {
  return there.execution_id == request.event.execution_id ? &SpecState::duplicates : &SpecState::elsewhere;
}

Verdict JudgeDuplicate(Judge& judge, Choice SpecState::*point, const Answer<EventSequence>& answer) {
  const Choice shown = answer.error != nullptr ? Choice::kFirst : Choice::kSecond;
  if (!MayChoose(judge.state, point, shown)) return Refuse<"SB-EVT-8">();
  if (answer.error != nullptr && !answer.IsDatabase()) return Refuse<"SB-EVT-8">();
  Choose(judge.state, point, shown);
  judge.Refused<"SB-EVT-8">(answer.error != nullptr);
  return kAllowed;
}

// Reads.

// The log with the numbers that an answer shows, from the `first`th entry on; nullopt where it does not show that.
struct Shown {
  std::vector<Entry> entries;
  bool bound = false;  // a number that was not known
};

bool ShowsEvent(const Entry& entry, const Event& shown) {
  Event expected = *entry.event;
  expected.sequence = shown.sequence;
  return expected == shown && (entry.sequence == 0 || entry.sequence == shown.sequence);
}

// Where the events above `since` begin. Of an entry without a known number the next known one tells, or else the answer.
std::size_t FirstAbove(const std::vector<Entry>& entries, EventSequence since, const std::vector<Event>& shown) {
  const auto above = [&](const Entry& entry) { return entry.sequence > since; };
  auto first = static_cast<std::size_t>(std::find_if(entries.begin(), entries.end(), above) - entries.begin());
  while (first > 0 && entries[first - 1].sequence == 0 && entries.size() - first < shown.size()) --first;
  return first;
}

bool BindNumbers(const std::vector<Event>& events, EventSequence since, Shown* shown, std::size_t first) {
  if (events.size() != shown->entries.size() - first) return false;
  EventSequence before = since;
  for (std::size_t i = 0; i < events.size(); ++i) {
    Entry& entry = shown->entries[first + i];
    if (!ShowsEvent(entry, events[i]) || events[i].sequence <= before) return false;
    before = events[i].sequence;
    shown->bound |= entry.sequence == 0;
    entry.sequence = before;
  }
  return true;
}

Verdict BlameEvents(const Judge& judge, const std::vector<Entry>& due, const std::vector<Event>& events, const ExecutionId& id,
                    EventSequence since, bool all) {
  EventSequence before = since;
  for (const Event& event : events) {
    if (event.sequence <= before) return all ? Refuse<"SB-EVT-3">() : Refuse<"SB-EVT-4">();
    before = event.sequence;
    const auto same = [&](const Entry& entry) { return entry.event->id == event.id; };
    const auto entry = std::find_if(due.begin(), due.end(), same);
    if (entry == due.end()) {
      const Event* elsewhere = FindEvent(judge.state, event.id);
      const bool own = elsewhere != nullptr && elsewhere->execution_id == id;
      return own && !all ? Refuse<"SB-EVT-4">() : Refuse<"SB-EVT-3">();
    }
    if (!ShowsEvent(*entry, event)) return event.sequence != entry->sequence ? Refuse<"SB-EVT-9">() : Refuse<"SB-EVT-2">();
  }
  return all ? Refuse<"SB-EVT-3">() : Refuse<"SB-EVT-4">();
}

void CountRead(const Judge& judge, const ExecutionId& id, const View& view, const Log* log, bool all,
               const std::vector<Event>& events) {
  judge.Held<"SB-EVT-2">(!events.empty());
  judge.Held<"SB-EVT-3">(all && events.size() > 1);
  judge.Held<"SB-EVT-4">(!all && !events.empty());
  judge.Refused<"SB-EVT-4">(!all && events.size() < SizeOf(log));
  judge.Held<"SB-EVT-9">(events.size() > 1);
  judge.Held<"SB-SNP-7">(!events.empty() && log != nullptr && log->newest != nullptr);
  judge.Refused<"SB-EVT-6">(judge.state.FindExecution(id) == nullptr && events.empty());
  judge.Refused<"SB-TEN-10">(log == nullptr && judge.state.FindLog(id) != nullptr);
  judge.Refused<"SB-TEN-12">(view.has_value() && IsRegistered(judge, *view) == Registered::kNo);
}

Verdict JudgeRead(Judge& judge, const ExecutionId& id, const View& view, EventSequence since, bool all,
                  const Answer<std::vector<Event>>& answer) {
  if (answer.unseen) return kAllowed;
  if (answer.error != nullptr) return judge.state.FindExecution(id) == nullptr ? Refuse<"SB-EVT-6">() : Refuse<"SB-GEN-4">();
  const std::vector<Event>& events = *answer.response;
  const Log* log = VisibleLog(judge.state, id, view);
  Shown shown;
  if (log != nullptr) shown.entries = *log->entries;
  const std::size_t first = FirstAbove(shown.entries, since, events);
  if (!BindNumbers(events, since, &shown, first)) {
    if (log == nullptr && judge.state.FindLog(id) != nullptr) return Refuse<"SB-TEN-10">();
    const std::vector<Entry> due(shown.entries.begin() + static_cast<std::ptrdiff_t>(first), shown.entries.end());
    return BlameEvents(judge, due, events, id, since, all);
  }
  if (judge.counting()) CountRead(judge, id, view, log, all, events);
  if (shown.bound) EditLog(judge.state, id).entries = Cow<std::vector<Entry>>(std::move(shown.entries));
  return kAllowed;
}

}  // namespace

Verdict JudgeCall(Judge& judge, const AppendEventRequest& request, const Answer<EventSequence>& answer) {
  const Standing standing = StandingOf(judge, request.event.execution_id, request.view);
  const auto note_failure = [&] {
    if (judge.counting() && answer.error != nullptr) judge.state.memory.Edit().append_failed = true;
  };
  if (standing != Standing::kFine) {
    const Verdict refused = JudgeNoStanding(judge, standing, answer);
    if (refused.has_value()) return refused;
    judge.Refused<"SB-EVT-7">(standing == Standing::kUnknown && answer.error != nullptr);
    note_failure();
    return kAllowed;
  }
  const Event* there = FindDuplicate(judge.state, request);
  const bool duplicate = there != nullptr;
  Choice SpecState::*const point = duplicate ? ChoiceOfDuplicates(request, *there) : nullptr;
  if (answer.error != nullptr) {
    if (!duplicate) return RefuseError<"SB-EVT-1">(judge, answer);
    const Verdict refused = JudgeDuplicate(judge, point, answer);
    if (!refused.has_value()) note_failure();
    return refused;
  }
  if (duplicate && judge.state.*point == Choice::kFirst) return answer.unseen ? kAllowed : Refuse<"SB-EVT-8">();
  if (answer.response != nullptr) {
    if (Verdict refused = CheckNumber(judge, request, *answer.response)) return refused;
    if (judge.counting()) CountAppend(judge, request, *answer.response);
  }
  if (duplicate) {
    if (Verdict refused = JudgeDuplicate(judge, point, answer)) return refused;
  }
  const auto next = static_cast<EventSequence>(SizeOf(judge.state.FindLog(request.event.execution_id))) + 1;
  Append(judge.state, request, answer.response != nullptr ? *answer.response : judge.NumbersGlobally() ? 0 : next);
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const GetEventsRequest& request, const Answer<std::vector<Event>>& answer) {
  return JudgeRead(judge, request.execution_id, request.view, 0, true, answer);
}

Verdict JudgeCall(Judge& judge, const GetEventsSinceRequest& request, const Answer<std::vector<Event>>& answer) {
  const EventSequence since = std::max<EventSequence>(request.since_sequence, 0);
  const Verdict refused = JudgeRead(judge, request.execution_id, request.view, since, false, answer);
  if (refused.has_value() || answer.response == nullptr) return refused;
  const Log* log = VisibleLog(judge.state, request.execution_id, request.view);
  judge.Held<"SB-EVT-5">(since == 0 && SizeOf(log) > 0);
  judge.Refused<"SB-EVT-5">(SizeOf(log) > 0 && since >= LastKnown(log));
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const LatestSequenceRequest& request, const Answer<EventSequence>& answer) {
  if (answer.unseen) return kAllowed;
  if (answer.error != nullptr) return Refuse<"SB-GEN-4">();
  const Log* log = VisibleLog(judge.state, request.execution_id, request.view);
  const bool open = SizeOf(log) > 0 && log->entries->back().sequence == 0;
  const EventSequence last = LastKnown(log);
  if (open ? *answer.response <= last || IsUsed(judge.state, *answer.response) : *answer.response != last) {
    const bool foreign = log == nullptr && judge.state.FindLog(request.execution_id) != nullptr;
    return foreign ? Refuse<"SB-TEN-10">() : last > 0 ? Refuse<"SB-SEQ-6">() : Refuse<"SB-SEQ-5">();
  }
  if (open) EditLog(judge.state, request.execution_id).entries.Edit().back().sequence = *answer.response;
  judge.Held<"SB-SEQ-5">(*answer.response > 0);
  judge.Refused<"SB-SEQ-5">(*answer.response == 0);
  judge.Held<"SB-SEQ-6">(*answer.response > 0);
  judge.Refused<"SB-TEN-10">(log == nullptr && judge.state.FindLog(request.execution_id) != nullptr);
  return kAllowed;
}

}  // namespace leasecheck::state_backend::spec_internal
