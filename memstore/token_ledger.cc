#include "memstore/token_ledger.h"

#include <cstdint>
#include <limits>

namespace leasecheck::memstore {
namespace {

using runtime_persistence::TokenUsage;

void AddTo(int64_t& sum, int64_t delta) {
  using Limits = std::numeric_limits<int64_t>;
  if (__builtin_add_overflow(sum, delta, &sum)) sum = delta < 0 ? Limits::min() : Limits::max();
}

}  // namespace

void TokenLedger::Add(const Entry& delta) {
  if (delta.usage == TokenUsage{}) return;
  const auto [place, is_first] = places_.try_emplace({delta.source, delta.model}, entries_.size());
  if (is_first) {
    entries_.push_back(delta);
    return;
  }
  TokenUsage& sum = entries_[place->second].usage;
  AddTo(sum.input_tokens, delta.usage.input_tokens);
  AddTo(sum.output_tokens, delta.usage.output_tokens);
  AddTo(sum.cached_input_tokens, delta.usage.cached_input_tokens);
  AddTo(sum.reasoning_tokens, delta.usage.reasoning_tokens);
}

void TokenLedger::Restore(std::vector<Entry> entries) {
  entries_ = std::move(entries);
  places_.clear();
  for (std::size_t i = 0; i < entries_.size(); ++i) places_.emplace(std::pair(entries_[i].source, entries_[i].model), i);
}

}  // namespace leasecheck::memstore
