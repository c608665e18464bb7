#include "memstore/execution_book.h"

#include <algorithm>

namespace leasecheck::memstore {

using state_backend::ExecutionId;
using state_backend::WorkflowExecution;
using state_backend::WorkflowStatus;

Instant ExecutionBook::TimeOf(const Entry& entry) const {
  return order_ == ListOrder::kUpdatedAt ? entry.row.record->updated_at : entry.row.record->started_at;
}

template <class Visit>
void ExecutionBook::ForEachListOf(const Entry& entry, Visit&& visit) {
  const TenantScope tenant = entry.row.tenant;
  const std::optional<WorkflowStatus> status = entry.row.record->status;
  visit(lists_[ListKey(std::nullopt, std::nullopt)]);
  visit(lists_[ListKey(std::nullopt, status)]);
  visit(lists_[ListKey(tenant, std::nullopt)]);
  visit(lists_[ListKey(tenant, status)]);
}

void ExecutionBook::Enlist(const Entry& entry) {
  ForEachListOf(entry, [&](absl::btree_set<Listed>& list) { list.insert({TimeOf(entry), entry.place, &entry}); });
}

void ExecutionBook::Delist(const Entry& entry) {
  ForEachListOf(entry, [&](absl::btree_set<Listed>& list) { list.erase({TimeOf(entry), entry.place, &entry}); });
}

bool ExecutionBook::Add(ExecutionRow row) {
  std::unique_ptr<Entry>& entry = entries_[row.record->execution_id];
  if (entry != nullptr) return false;
  entry = std::make_unique<Entry>(Entry{std::move(row), ++adds_});
  Enlist(*entry);
  return true;
}

const ExecutionRow* ExecutionBook::Find(const TenantScope& view, const ExecutionId& id) const {
  const auto found = entries_.find(id);
  return found == entries_.end() || !Sees(view, found->second->row.tenant) ? nullptr : &found->second->row;
}

void ExecutionBook::Replace(WorkflowExecution record) {
  Entry& entry = *entries_.find(record.execution_id)->second;
  Delist(entry);
  entry.row.record = std::make_shared<const WorkflowExecution>(std::move(record));
  Enlist(entry);
}

std::vector<WorkflowExecution> ExecutionBook::List(const TenantScope& view, const std::optional<WorkflowStatus>& status,
                                                   uint32_t limit, uint32_t offset) const {
  std::vector<WorkflowExecution> page;
  const auto list = lists_.find(ListKey(view, status));
  if (list == lists_.end() || offset >= list->second.size()) return page;
  const std::size_t size = std::min<std::size_t>(limit, list->second.size() - offset);
  page.reserve(size);
  for (auto at = std::next(list->second.begin(), offset); page.size() < size; ++at) page.push_back(*at->entry->row.record);
  return page;
}

std::vector<ExecutionRow> ExecutionBook::All() const {
  std::vector<const Entry*> ordered;
  ordered.reserve(entries_.size());
  for (const auto& [id, entry] : entries_) ordered.push_back(entry.get());
  std::sort(ordered.begin(), ordered.end(), [](const Entry* a, const Entry* b) { return a->place < b->place; });
  std::vector<ExecutionRow> all;
  all.reserve(ordered.size());
  for (const Entry* entry : ordered) all.push_back(entry->row);
  return all;
}

void ExecutionBook::Clear() {
  lists_.clear();
  entries_.clear();
}

}  // namespace leasecheck::memstore
