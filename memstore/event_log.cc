#include "memstore/event_log.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace leasecheck::memstore {

using state_backend::Event;
using state_backend::EventSequence;
using state_backend::ExecutionId;

std::optional<EventSequence> EventLog::Append(Event event) {
  if (!ids_.insert(event.id).second) return std::nullopt;
  std::vector<Entry>& log = logs_[event.execution_id];
  // No event ever goes, so their number is that of the last append.
  event.sequence = static_cast<EventSequence>(numbering_ == Numbering::kGlobal ? ids_.size() : log.size() + 1);
  log.push_back(std::make_shared<const Event>(std::move(event)));
  return log.back()->sequence;
}

absl::Span<const EventLog::Entry> EventLog::Since(const ExecutionId& id, EventSequence since) const {
  const auto log = logs_.find(id);
  if (log == logs_.end()) return {};
  const absl::Span<const Entry> all = log->second;
  const auto first =
      std::upper_bound(all.begin(), all.end(), since, [](EventSequence s, const Entry& entry) { return s < entry->sequence; });
  return all.subspan(static_cast<std::size_t>(first - all.begin()));
}

EventSequence EventLog::Latest(const ExecutionId& id) const {
  const auto log = logs_.find(id);
  return log == logs_.end() ? 0 : log->second.back()->sequence;
}

std::vector<std::vector<EventLog::Entry>> EventLog::All() const {
  std::vector<std::vector<Entry>> all;
  all.reserve(logs_.size());
  for (const auto& [id, log] : logs_) all.push_back(log);
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return a.front()->execution_id < b.front()->execution_id; });
  return all;
}

void EventLog::Restore(const std::vector<std::vector<Entry>>& logs) {
  logs_.clear();
  ids_.clear();
  for (const std::vector<Entry>& log : logs) {
    logs_.emplace(log.front()->execution_id, log);
    for (const Entry& entry : log) ids_.insert(entry->id);
  }
}

}  // namespace leasecheck::memstore
