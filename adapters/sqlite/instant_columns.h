// Instants and UUIDs that may be absent, as columns.
#ifndef LEASECHECK_ADAPTERS_SQLITE_INSTANT_COLUMNS_H_
#define LEASECHECK_ADAPTERS_SQLITE_INSTANT_COLUMNS_H_

#include <cstdint>
#include <optional>

#include "adapters/sqlite/connection.h"
#include "codec/uuid.h"
#include "model/instant.h"
#include "model/uuid.h"

namespace leasecheck::sqlite {

inline std::optional<int64_t> MsOf(const std::optional<Instant>& instant) {
  if (!instant.has_value()) return std::nullopt;
  return instant->ms;
}
inline Instant ReadInstant(const Rows& rows, int column) { return Instant(rows.Int(column)); }
inline std::optional<Instant> ReadOptionalInstant(const Rows& rows, int column) {
  if (rows.IsNull(column)) return std::nullopt;
  return Instant(rows.Int(column));
}
// Only a damaged file has another text there; it is read as the nil UUID.
inline Uuid ReadUuid(const Rows& rows, int column) { return codec::ParseUuid(rows.Text(column)).value_or(Uuid()); }

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_INSTANT_COLUMNS_H_
