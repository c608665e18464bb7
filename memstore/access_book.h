// The tokens and the tenants of a state_backend store.
#ifndef LEASECHECK_MEMSTORE_ACCESS_BOOK_H_
#define LEASECHECK_MEMSTORE_ACCESS_BOOK_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "model/instant.h"
#include "model/state_backend/access_values.h"

namespace leasecheck::memstore {

// What is kept of a token: not its text.
struct TokenRow {
  std::string hash;  // the SHA-256 of the text, in lowercase hexadecimal
  state_backend::ApiToken info;
  bool revoked = false;
  friend bool operator==(const TokenRow&, const TokenRow&) = default;
};

// Not thread-safe. Borrowed rows stay where they are until the next Add.
class TokenBook {
 public:
  void Add(TokenRow row) {
    by_hash_.emplace(row.hash, rows_.size());
    by_id_.emplace(row.info.id, rows_.size());
    rows_.push_back(std::move(row));
  }
  // Null where there is none.
  const TokenRow* FindByHash(absl::string_view hash) const { return At(by_hash_, hash); }
  TokenRow* FindById(absl::string_view id) { return const_cast<TokenRow*>(At(by_id_, id)); }

  // In the order of their creation.
  const std::vector<TokenRow>& all() const { return rows_; }
  void Restore(const std::vector<TokenRow>& rows) {
    rows_.clear();
    by_hash_.clear();
    by_id_.clear();
    for (const TokenRow& row : rows) Add(row);
  }

 private:
  using Places = absl::flat_hash_map<std::string, std::size_t>;
  const TokenRow* At(const Places& places, absl::string_view key) const {
    const auto found = places.find(key);
    return found == places.end() ? nullptr : &rows_[found->second];
  }

  std::vector<TokenRow> rows_;
  Places by_hash_;
  Places by_id_;
};

// Not thread-safe.
class TenantBook {
 public:
  // False, without effect, where a tenant of this id is there.
  bool Add(state_backend::Tenant tenant) {
    const Key key(tenant.created_at, ++adds_);
    if (!keys_.emplace(tenant.id, key).second) return false;
    tenants_.emplace(key, std::move(tenant));
    return true;
  }
  // Null where there is none. Whoever changes a tenant leaves its id and created_at.
  state_backend::Tenant* Find(const state_backend::TenantId& id) {
    const auto key = keys_.find(id);
    return key == keys_.end() ? nullptr : &tenants_.find(key->second)->second;
  }
  // By created_at, of equals the one first that was added first.
  std::vector<state_backend::Tenant> All() const {
    std::vector<state_backend::Tenant> all;
    all.reserve(tenants_.size());
    for (const auto& [key, tenant] : tenants_) all.push_back(tenant);
    return all;
  }
  void Restore(const std::vector<state_backend::Tenant>& tenants) {
    keys_.clear();
    tenants_.clear();
    for (const state_backend::Tenant& tenant : tenants) Add(tenant);
  }

 private:
  using Key = std::pair<Instant, uint64_t>;  // created_at, and the place in the order of the adds
  absl::btree_map<Key, state_backend::Tenant> tenants_;
  absl::flat_hash_map<state_backend::TenantId, Key> keys_;
  uint64_t adds_ = 0;
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_ACCESS_BOOK_H_
