// The token ledger. Stores differ in whether an entry that is cached tokens only counts (RP-LAT-7): both sums are kept.
#include <algorithm>
#include <vector>

#include "model/runtime_persistence/spec_internal.h"

namespace leasecheck::runtime_persistence::spec_internal {
namespace {

// Without overflow's undefined behaviour: sums of a history stay far below it (RP-LAT-7).
int64_t Sum(int64_t a, int64_t b) { return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b)); }

bool IsZero(const TokenUsage& usage) { return usage == TokenUsage(); }
bool IsSpent(const TokenUsage& usage) { return Sum(Sum(usage.input_tokens, usage.output_tokens), usage.reasoning_tokens) != 0; }

void Add(TokenUsage& sum, const TokenUsage& more) {
  sum.input_tokens = Sum(sum.input_tokens, more.input_tokens);
  sum.output_tokens = Sum(sum.output_tokens, more.output_tokens);
  sum.cached_input_tokens = Sum(sum.cached_input_tokens, more.cached_input_tokens);
  sum.reasoning_tokens = Sum(sum.reasoning_tokens, more.reasoning_tokens);
}

bool Shows(const TokenLedgerEntry& entry, const LedgerPair& pair, int64_t cached) {
  TokenUsage usage = pair.all;
  usage.cached_input_tokens = cached;
  return entry.source == pair.source && entry.model == pair.model && entry.usage == usage;
}

// Every entry that is not all zeros counts.
bool MatchesAll(const std::vector<LedgerPair>& pairs, const std::vector<TokenLedgerEntry>& ledger) {
  return std::equal(ledger.begin(), ledger.end(), pairs.begin(), pairs.end(),
                    [](const auto& entry, const auto& pair) { return Shows(entry, pair, pair.all.cached_input_tokens); });
}

// Entries without a total do not count.
bool MatchesSpent(const std::vector<LedgerPair>& pairs, const std::vector<TokenLedgerEntry>& ledger) {
  std::vector<const LedgerPair*> spent;
  for (const LedgerPair& pair : pairs) {
    if (pair.spent_rank > 0) spent.push_back(&pair);
  }
  std::sort(spent.begin(), spent.end(), [](const auto* a, const auto* b) { return a->spent_rank < b->spent_rank; });
  return std::equal(ledger.begin(), ledger.end(), spent.begin(), spent.end(),
                    [](const auto& entry, const auto* pair) { return Shows(entry, *pair, pair->cached_spent); });
}

}  // namespace

void ApplyUsage(SpecState& state, const std::vector<TokenLedgerEntry>& deltas) {
  for (const TokenLedgerEntry& delta : deltas) {
    if (IsZero(delta.usage)) continue;
    std::vector<LedgerPair>& pairs = state.ledger.Edit();
    auto pair = std::find_if(pairs.begin(), pairs.end(),
                             [&](const auto& p) { return p.source == delta.source && p.model == delta.model; });
    if (pair == pairs.end()) pair = pairs.insert(pairs.end(), {delta.source, delta.model, {}, 0, 0});
    Add(pair->all, delta.usage);
    if (!IsSpent(delta.usage)) continue;
    pair->cached_spent = Sum(pair->cached_spent, delta.usage.cached_input_tokens);
    if (pair->spent_rank > 0) continue;
    uint64_t rank = 0;
    for (const LedgerPair& other : pairs) rank = std::max(rank, other.spent_rank);
    pair->spent_rank = rank + 1;
  }
}

bool MatchesLedger(const SpecState& state, const std::vector<TokenLedgerEntry>& ledger, Choice* choice) {
  const bool all = state.counting != Choice::kSecond && MatchesAll(*state.ledger, ledger);
  const bool spent = state.counting != Choice::kFirst && MatchesSpent(*state.ledger, ledger);
  if (all != spent && state.counting == Choice::kOpen) *choice = all ? Choice::kFirst : Choice::kSecond;
  return all || spent;
}

void CountLedger(const Judge& judge) { judge.Held<"RP-CMT-18">(!judge.state.ledger->empty()); }

}  // namespace leasecheck::runtime_persistence::spec_internal
