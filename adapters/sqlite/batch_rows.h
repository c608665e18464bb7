// Batches of queued work as rows: of every family with a queue, in the tables `batches` and `items` and the view `batch_items` of
// its schema. `Batch` is the family's QueuedWorkBatch.
#ifndef LEASECHECK_ADAPTERS_SQLITE_BATCH_ROWS_H_
#define LEASECHECK_ADAPTERS_SQLITE_BATCH_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "adapters/sqlite/columns.h"
#include "adapters/sqlite/connection.h"
#include "adapters/sqlite/transaction.h"
#include "model/field.h"
#include "model/session_store/values.h"

namespace leasecheck::sqlite {

// Merge keys, in two columns: the alternative's name, and the group's or NULL.

inline absl::string_view MergeKeyName(const session_store::MergeKey& key) {
  return kAlternatives<session_store::MergeKey>.alternatives[key.index()].name;
}

inline std::optional<std::string> MergeGroupOf(const session_store::MergeKey& key) {
  const auto* group = std::get_if<session_store::MergeGroup>(&key);
  if (group == nullptr) return std::nullopt;
  return group->group;
}

inline session_store::MergeKey ReadMergeKey(const Rows& rows, int name, int group) {
  const std::string text = rows.Text(name);
  if (text == MergeKeyName(session_store::MergeGroup{})) return session_store::MergeGroup{rows.Text(group)};
  if (text == MergeKeyName(session_store::MergePayloadDefault{})) return session_store::MergePayloadDefault{};
  return session_store::MergeNever{};
}

// Payloads, in two columns: the alternative's name and its body, canonical JSON. Every alternative has exactly one field.

template <class Payload>
absl::string_view PayloadName(const Payload& payload) {
  return kAlternatives<Payload>.alternatives[payload.index()].name;
}

template <class Payload>
const std::string& PayloadBody(const Payload& payload) {
  return std::visit(
      []<class T>(const T& alternative) -> const std::string& { return (alternative.*(std::get<0>(kFields<T>).member)).text; },
      payload);
}

// None for a name that the family does not have.
template <class Payload, std::size_t I = 0>
std::optional<Payload> ReadPayload(absl::string_view name, std::string body) {
  if constexpr (I == std::variant_size_v<Payload>) {
    return std::nullopt;
  } else {
    if (name != kAlternatives<Payload>.alternatives[I].name) return ReadPayload<Payload, I + 1>(name, std::move(body));
    return Payload(std::variant_alternative_t<I, Payload>{OpaqueJson{std::move(body)}});
  }
}

// Batches.

// The items alone; the row in `batches` is the family's, which may have more columns.
template <class Batch>
void InsertItems(Transaction& transaction, const Batch& batch) {
  for (std::size_t i = 0; i < batch.items.size(); ++i) {
    const auto& item = batch.items[i];
    transaction.Execute("INSERT INTO items VALUES (?1, ?2, ?3, ?4, ?5)", batch.enqueue_seq, static_cast<int64_t>(i), item.item_id,
                        PayloadName(item.payload), PayloadBody(item.payload));
  }
}

// Reads rows of the view batch_items, which are in the order of enqueue_seq and position. A payload that cannot be read fails the
// transaction.
template <class Batch>
std::vector<Batch> ReadBatches(Transaction& transaction, Rows rows) {
  using Payload = decltype(Batch{}.items.front().payload);
  std::vector<Batch> batches;
  while (rows.Next()) {
    const uint64_t enqueue_seq = rows.U64(0);
    if (batches.empty() || batches.back().enqueue_seq != enqueue_seq) {
      batches.push_back({.batch_id = rows.Text(1),
                         .session_id = rows.Text(2),
                         .source_key = rows.OptionalText(3),
                         .delivery_policy = FromWord<session_store::DeliveryPolicy>(rows.Text(4)),
                         .slot_policy = FromWord<session_store::SlotPolicy>(rows.Text(5)),
                         .merge_key = ReadMergeKey(rows, 6, 7),
                         .available_at_ms = rows.U64(8),
                         .enqueue_seq = enqueue_seq,
                         .enqueued_at_ms = rows.U64(9),
                         .items = {}});
    }
    if (rows.IsNull(10)) continue;  // a batch without items
    std::optional<Payload> payload = ReadPayload<Payload>(rows.Text(12), rows.Text(13));
    if (!payload.has_value()) {
      transaction.Fail(absl::DataLossError(absl::StrCat("a queued payload has the unknown type '", rows.Text(12), "'")));
      return {};
    }
    batches.back().items.push_back({rows.Text(11), *std::move(payload)});
  }
  return batches;
}

template <class Batch>
std::optional<Batch> ReadBatch(Transaction& transaction, Rows rows) {
  std::vector<Batch> batches = ReadBatches<Batch>(transaction, std::move(rows));
  if (batches.empty()) return std::nullopt;
  return std::move(batches.front());
}

template <class Batch>
std::vector<Batch> BatchesOf(Transaction& transaction, absl::string_view session_id) {
  return ReadBatches<Batch>(
      transaction,
      transaction.Query("SELECT * FROM batch_items WHERE session_id = ?1 ORDER BY enqueue_seq, position", session_id));
}

template <class Batch>
std::optional<Batch> BatchOfKey(Transaction& transaction, absl::string_view session_id, absl::string_view source_key) {
  return ReadBatch<Batch>(
      transaction, transaction.Query("SELECT * FROM batch_items WHERE session_id = ?1 AND source_key = ?2 ORDER BY position",
                                     session_id, source_key));
}

template <class Batch>
std::optional<Batch> BatchOfId(Transaction& transaction, absl::string_view session_id, absl::string_view batch_id) {
  return ReadBatch<Batch>(transaction,
                          transaction.Query("SELECT * FROM batch_items WHERE batch_id = ?2 AND session_id = ?1 ORDER BY position",
                                            session_id, batch_id));
}

template <class Batch>
std::optional<Batch> BatchOfSeq(Transaction& transaction, uint64_t enqueue_seq) {
  return ReadBatch<Batch>(transaction,
                          transaction.Query("SELECT * FROM batch_items WHERE enqueue_seq = ?1 ORDER BY position", enqueue_seq));
}

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_BATCH_ROWS_H_
