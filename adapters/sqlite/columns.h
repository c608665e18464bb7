// How parts of the contract's values lie in columns.
#ifndef LEASECHECK_ADAPTERS_SQLITE_COLUMNS_H_
#define LEASECHECK_ADAPTERS_SQLITE_COLUMNS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "absl/strings/string_view.h"
#include "adapters/sqlite/connection.h"
#include "model/field.h"
#include "model/session_store/values.h"

namespace leasecheck::sqlite {

// The enumerator of a word; the tables' CHECKs admit no other text.
template <class E>
E FromWord(absl::string_view name) {
  for (const auto& word : kWords<E>) {
    if (word.name == name) return word.value;
  }
  return E{};
}

// Opaque JSON that may be absent.
inline std::optional<std::string> TextOf(const std::optional<OpaqueJson>& json) {
  if (!json.has_value()) return std::nullopt;
  return json->text;
}
inline std::optional<OpaqueJson> ReadJson(const Rows& rows, int column) {
  if (rows.IsNull(column)) return std::nullopt;
  return OpaqueJson{rows.Text(column)};
}

// The four columns of a local process, all NULL for an opaque owner.
struct LocalColumns {
  std::optional<std::string> host_id, boot_id;
  std::optional<int64_t> pid;
  std::optional<std::string> process_start;

  explicit LocalColumns(const session_store::LeaseOwnerIdentity& owner) {
    const auto* local = std::get_if<session_store::LocalProcessOwner>(&owner.liveness);
    if (local == nullptr) return;
    host_id = local->host_id;
    boot_id = local->boot_id;
    pid = int64_t{local->pid};
    process_start = local->process_start;
  }
};

// An owner in six columns from `first`: owner_id, incarnation_id and the local process.
inline session_store::LeaseOwnerIdentity ReadOwner(const Rows& rows, int first) {
  session_store::LeaseOwnerIdentity owner{rows.Text(first), rows.Text(first + 1), {}};
  if (!rows.IsNull(first + 2)) {
    owner.liveness = session_store::LocalProcessOwner{rows.Text(first + 2), rows.Text(first + 3),
                                                      static_cast<uint32_t>(rows.Int(first + 4)), rows.Text(first + 5)};
  }
  return owner;
}

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_COLUMNS_H_
