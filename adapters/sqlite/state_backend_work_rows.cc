#include "adapters/sqlite/state_backend_work_rows.h"

#include <array>
#include <cstddef>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/sqlite/instant_columns.h"

namespace leasecheck::sqlite {
namespace {

using codec::UuidText;
using state_backend::DeadLetter;
using state_backend::WorkItemId;

// In the order of ItemStatus.
constexpr std::array<absl::string_view, 5> kStatusWords = {"pending", "claimed", "completed", "failed", "dead_lettered"};

absl::string_view WordOfStatus(ItemStatus status) { return kStatusWords[static_cast<std::size_t>(status)]; }
ItemStatus StatusOfWord(absl::string_view word) {
  std::size_t position = 0;
  while (position + 1 < kStatusWords.size() && kStatusWords[position] != word) ++position;
  return static_cast<ItemStatus>(position);
}

absl::string_view LineOf(const ItemRow& row) {
  if (row.status != ItemStatus::kPending) return "none";
  return row.retry_after.has_value() ? "waits" : "ready";
}

// The columns that ItemOf reads, in its order, as every statement begins that reads items.
std::string SelectItems(absl::string_view rest) {
  return absl::StrCat(
      "SELECT items.place, item_id, execution_id, node_id, queue_type, payload, attempt, max_attempts, created_at, "
      "lease_expires_at, worker_id, items.tenant_id, items.status, retry_after, last_error, dead_lettered_at "
      "FROM items JOIN executions ON executions.place = items.execution WHERE ",
      rest);
}

ItemRow ItemOf(const Rows& rows) {
  ItemRow row;
  row.place = rows.Int(0);
  row.item.id = ReadUuid(rows, 1);
  row.item.execution_id = ReadUuid(rows, 2);
  row.item.node_id = rows.Text(3);
  row.item.queue_type = rows.Text(4);
  row.item.payload.text = rows.Text(5);
  row.item.attempt = static_cast<uint32_t>(rows.Int(6));
  row.item.max_attempts = static_cast<uint32_t>(rows.Int(7));
  row.item.created_at = ReadInstant(rows, 8);
  row.item.lease_expires_at = ReadOptionalInstant(rows, 9);
  row.item.worker_id = rows.OptionalText(10);
  row.item.tenant_id = rows.Text(11);
  row.status = StatusOfWord(rows.Text(12));
  row.retry_after = ReadOptionalInstant(rows, 13);
  row.last_error = rows.Text(14);
  row.dead_lettered_at = ReadOptionalInstant(rows, 15);
  return row;
}

// The place and created_at of the first eligible item of one queue type.
struct First {
  int64_t created_at = 0;
  int64_t place = 0;
  friend bool operator<(const First& a, const First& b) {
    return a.created_at != b.created_at ? a.created_at < b.created_at : a.place < b.place;
  }
};

std::optional<First> FirstOf(Transaction& transaction, const TenantScope& view, const std::string& queue_type, Instant now) {
  Rows rows = transaction.Query(
      view.has_value() ? "SELECT created_at, place FROM items WHERE line = 'ready' AND tenant_id = ?1 AND queue_type = ?2 AND "
                         "(retry_after IS NULL OR retry_after <= ?3) ORDER BY created_at, place LIMIT 1"
                       : "SELECT created_at, place FROM items WHERE line = 'ready' AND ?1 IS NULL AND queue_type = ?2 AND "
                         "(retry_after IS NULL OR retry_after <= ?3) ORDER BY created_at, place LIMIT 1",
      view, queue_type, now.ms);
  if (!rows.Next()) return std::nullopt;
  return First{rows.Int(0), rows.Int(1)};
}

}  // namespace

bool AddItem(Transaction& transaction, int64_t execution, const ItemRow& row) {
  const int64_t added = transaction.Execute(
      "INSERT INTO items (item_id, tenant_id, execution, node_id, queue_type, payload, attempt, max_attempts, created_at, "
      "status, "
      "line, last_error) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT (item_id) DO NOTHING",
      UuidText(row.item.id), row.item.tenant_id, execution, row.item.node_id, row.item.queue_type, row.item.payload.text,
      int64_t{row.item.attempt}, int64_t{row.item.max_attempts}, row.item.created_at.ms, WordOfStatus(row.status), LineOf(row),
      row.last_error);
  return added == 1;
}

std::optional<ItemRow> ReadItem(Transaction& transaction, const TenantScope& view, const WorkItemId& id) {
  static const std::string kSql = SelectItems("item_id = ?1 AND (?2 IS NULL OR items.tenant_id = ?2)");
  Rows rows = transaction.Query(kSql, UuidText(id), view);
  if (!rows.Next()) return std::nullopt;
  return ItemOf(rows);
}

void WriteItem(Transaction& transaction, const ItemRow& row) {
  transaction.Execute(
      "UPDATE items SET attempt = ?2, status = ?3, retry_after = ?4, line = ?5, worker_id = ?6, lease_expires_at = ?7, "
      "last_error = ?8, dead_lettered_at = ?9 WHERE place = ?1",
      row.place, int64_t{row.item.attempt}, WordOfStatus(row.status), MsOf(row.retry_after), LineOf(row), row.item.worker_id,
      MsOf(row.item.lease_expires_at), row.last_error, MsOf(row.dead_lettered_at));
}

void AdmitRetries(Transaction& transaction, Instant now) {
  transaction.Execute("UPDATE items SET line = 'ready' WHERE line = 'waits' AND retry_after <= ?1", now.ms);
}

std::optional<ItemRow> NextEligible(Transaction& transaction, const TenantScope& view,
                                    const std::vector<std::string>& queue_types, Instant now) {
  std::optional<First> next;
  for (const std::string& queue_type : std::set<std::string>(queue_types.begin(), queue_types.end())) {
    const std::optional<First> first = FirstOf(transaction, view, queue_type, now);
    if (first.has_value() && (!next.has_value() || *first < *next)) next = first;
  }
  if (!next.has_value()) return std::nullopt;
  static const std::string kSql = SelectItems("items.place = ?1");
  Rows rows = transaction.Query(kSql, next->place);
  if (!rows.Next()) return std::nullopt;
  return ItemOf(rows);
}

std::vector<ItemRow> ExpiredItems(Transaction& transaction, const TenantScope& view, Instant now) {
  static const std::string kOrder = " ORDER BY created_at, items.place";
  static const std::string kOfTenant =
      SelectItems("items.status = 'claimed' AND items.tenant_id = ?1 AND lease_expires_at < ?2" + kOrder);
  static const std::string kAll = SelectItems("items.status = 'claimed' AND ?1 IS NULL AND lease_expires_at < ?2" + kOrder);
  Rows rows = transaction.Query(view.has_value() ? kOfTenant : kAll, view, now.ms);
  std::vector<ItemRow> expired;
  while (rows.Next()) expired.push_back(ItemOf(rows));
  return expired;
}

std::vector<DeadLetter> ReadBuriedItems(Transaction& transaction) {
  Rows rows = transaction.Query(
      "SELECT item_id, attempt, last_error, dead_lettered_at FROM items WHERE status = 'dead_lettered' ORDER BY item_id");
  std::vector<DeadLetter> letters;
  while (rows.Next()) {
    letters.push_back({ReadUuid(rows, 0), static_cast<uint32_t>(rows.Int(1)), rows.Text(2), ReadInstant(rows, 3)});
  }
  return letters;
}

}  // namespace leasecheck::sqlite
