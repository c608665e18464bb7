#include "memstore/definition_shelf.h"

#include <algorithm>

namespace leasecheck::memstore {

void DefinitionShelf::Put(Definition definition) {
  Kept& kept = kept_[Key(definition->workflow_id, definition->version)][definition->tenant_id];
  kept = {std::move(definition), ++puts_};
}

DefinitionShelf::Definition DefinitionShelf::Find(const TenantScope& view, const std::string& workflow_id,
                                                  const std::string& version) const {
  const auto tenants = kept_.find(Key(workflow_id, version));
  if (tenants == kept_.end()) return nullptr;
  if (view.has_value()) {
    const auto own = tenants->second.find(*view);
    return own == tenants->second.end() ? nullptr : own->second.definition;
  }
  const auto last = std::max_element(tenants->second.begin(), tenants->second.end(),
                                     [](const auto& a, const auto& b) { return a.second.place < b.second.place; });
  return last->second.definition;
}

std::vector<DefinitionShelf::Definition> DefinitionShelf::All() const {
  absl::btree_map<uint64_t, Definition> ordered;
  for (const auto& [key, tenants] : kept_) {
    for (const auto& [tenant, kept] : tenants) ordered.emplace(kept.place, kept.definition);
  }
  std::vector<Definition> all;
  all.reserve(ordered.size());
  for (auto& [place, definition] : ordered) all.push_back(std::move(definition));
  return all;
}

void DefinitionShelf::Clear() { kept_.clear(); }

}  // namespace leasecheck::memstore
