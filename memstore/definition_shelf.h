// The workflow definitions of a state_backend store.
#ifndef LEASECHECK_MEMSTORE_DEFINITION_SHELF_H_
#define LEASECHECK_MEMSTORE_DEFINITION_SHELF_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "memstore/tenant_scope.h"
#include "model/state_backend/workflow_values.h"

namespace leasecheck::memstore {

// At most one definition a tenant, id and version. Putting and finding cost no walk; finding in the unscoped store, one over the
// tenants that have the definition. Not thread-safe.
class DefinitionShelf {
 public:
  using Definition = std::shared_ptr<const state_backend::WorkflowDefinition>;

  // Over what its tenant has under this id and version.
  void Put(Definition definition);

  // The definition that the view sees, of several the one that was put last; or null.
  Definition Find(const TenantScope& view, const std::string& workflow_id, const std::string& version) const;

  // In the order in which they were put.
  std::vector<Definition> All() const;
  void Clear();

 private:
  struct Kept {
    Definition definition;
    uint64_t place = 0;  // in the order of the puts
  };
  using Key = std::pair<std::string, std::string>;  // id and version

  absl::flat_hash_map<Key, absl::btree_map<state_backend::TenantId, Kept>> kept_;
  uint64_t puts_ = 0;
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_DEFINITION_SHELF_H_
