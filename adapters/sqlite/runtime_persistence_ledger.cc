#include "adapters/sqlite/runtime_persistence_ledger.h"

#include <cstdint>
#include <optional>

namespace leasecheck::sqlite {
namespace {

using runtime_persistence::TokenLedgerEntry;
using runtime_persistence::TokenUsage;

TokenUsage ReadUsage(const Rows& rows, int first) {
  return {rows.Int(first), rows.Int(first + 1), rows.Int(first + 2), rows.Int(first + 3)};
}

// None where a sum overflows.
std::optional<TokenUsage> Sum(TokenUsage a, const TokenUsage& b) {
  const bool overflows = __builtin_add_overflow(a.input_tokens, b.input_tokens, &a.input_tokens) ||
                         __builtin_add_overflow(a.output_tokens, b.output_tokens, &a.output_tokens) ||
                         __builtin_add_overflow(a.cached_input_tokens, b.cached_input_tokens, &a.cached_input_tokens) ||
                         __builtin_add_overflow(a.reasoning_tokens, b.reasoning_tokens, &a.reasoning_tokens);
  if (overflows) return std::nullopt;
  return a;
}

struct LedgerRow {
  int64_t position;
  TokenUsage usage;
};

std::optional<LedgerRow> RowOf(Transaction& transaction, const TokenLedgerEntry& pair) {
  Rows rows = transaction.Query(
      "SELECT position, input_tokens, output_tokens, cached_input_tokens, reasoning_tokens FROM ledger "
      "WHERE source = ?1 AND model = ?2",
      pair.source, pair.model);
  if (!rows.Next()) return std::nullopt;
  return LedgerRow{rows.Int(0), ReadUsage(rows, 1)};
}

bool Add(Transaction& transaction, const TokenLedgerEntry& delta) {
  std::optional<LedgerRow> row = RowOf(transaction, delta);
  if (!row.has_value()) {
    transaction.Execute(
        "INSERT INTO ledger (source, model, input_tokens, output_tokens, cached_input_tokens, reasoning_tokens) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        delta.source, delta.model, delta.usage.input_tokens, delta.usage.output_tokens, delta.usage.cached_input_tokens,
        delta.usage.reasoning_tokens);
    return true;
  }
  std::optional<TokenUsage> sum = Sum(row->usage, delta.usage);
  if (!sum.has_value()) return false;
  transaction.Execute(
      "UPDATE ledger SET input_tokens = ?2, output_tokens = ?3, cached_input_tokens = ?4, reasoning_tokens = ?5 "
      "WHERE position = ?1",
      row->position, sum->input_tokens, sum->output_tokens, sum->cached_input_tokens, sum->reasoning_tokens);
  return true;
}

}  // namespace

bool AddUsage(Transaction& transaction, const std::vector<TokenLedgerEntry>& deltas) {
  for (const TokenLedgerEntry& delta : deltas) {
    if (delta.usage != TokenUsage{} && !Add(transaction, delta)) return false;
  }
  return true;
}

std::vector<TokenLedgerEntry> ReadLedger(Transaction& transaction) {
  std::vector<TokenLedgerEntry> ledger;
  Rows rows = transaction.Query(
      "SELECT source, model, input_tokens, output_tokens, cached_input_tokens, reasoning_tokens FROM ledger ORDER BY position");
  while (rows.Next()) ledger.push_back({rows.Text(0), rows.Text(1), ReadUsage(rows, 2)});
  return ledger;
}

}  // namespace leasecheck::sqlite
