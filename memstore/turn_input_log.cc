#include "memstore/turn_input_log.h"

#include <utility>
#include <variant>

namespace leasecheck::memstore {
namespace {

using session_store::ActiveTurnIngress;
using session_store::CheckpointKind;
using session_store::TurnInputState;

constexpr std::size_t SlotOf(CheckpointKind min_boundary) { return min_boundary == CheckpointKind::kAfterWork ? 0 : 1; }

// The first rows of several indexes taken together, by position, that are due: at most `most`. A row may be in two of them.
TurnInputRows FirstOf(absl::Span<const PositionIndex<TurnInputRow>* const> indexes, uint64_t most, EpochMs now) {
  absl::InlinedVector<TurnInputRow*, 4> heads;
  for (const auto* index : indexes) heads.push_back(index->FirstDue(0, now));
  TurnInputRows rows;
  while (rows.size() < most) {
    TurnInputRow* first = nullptr;
    for (TurnInputRow* head : heads) {
      if (head != nullptr && (first == nullptr || head->position < first->position)) first = head;
    }
    if (first == nullptr) break;
    rows.push_back(first);
    for (std::size_t i = 0; i < heads.size(); ++i) {
      if (heads[i] == first) heads[i] = indexes[i]->FirstDue(first->position + 1, now);
    }
  }
  return rows;
}

}  // namespace

TurnInputLog::~TurnInputLog() {
  rows_.ForEach([](TurnInputRow& row) { delete &row; });
}

TurnInputRow& TurnInputLog::Append(std::shared_ptr<const session_store::PendingTurnInput> submitted, TurnInputState state,
                                   bool rewritten, uint64_t counter) {
  auto* row = new TurnInputRow;
  row->submitted = std::move(submitted);
  row->state = state;
  row->rewritten = rewritten;
  row->position = ++last_position_;
  row->set_counter(counter);
  rows_.Set(row->position, row, 0);
  const auto& source_key = row->submitted->source_key;
  if (source_key.has_value()) by_source_key_.emplace(absl::string_view(*source_key), row);
  Link(*row);
  ++size_;
  return *row;
}

TurnInputRow* TurnInputLog::FindBySourceKey(absl::string_view source_key) const {
  auto it = by_source_key_.find(source_key);
  return it == by_source_key_.end() ? nullptr : it->second;
}

TurnInputRows TurnInputLog::SelectActive(absl::string_view turn_id, CheckpointKind checkpoint, uint64_t max_inputs,
                                         EpochMs now) const {
  auto it = turns_.find(turn_id);
  if (it == turns_.end()) return {};
  const Turn& turn = *it->second;
  absl::InlinedVector<const Index*, 4> indexes;
  for (CheckpointKind min_boundary : {CheckpointKind::kAfterWork, CheckpointKind::kBeforeCompletion}) {
    if (min_boundary == CheckpointKind::kBeforeCompletion && checkpoint == CheckpointKind::kAfterWork) continue;
    indexes.push_back(&turn.pending[SlotOf(min_boundary)]);
    indexes.push_back(&turn.accepted[SlotOf(min_boundary)]);
  }
  return FirstOf(indexes, max_inputs, now);
}

TurnInputRows TurnInputLog::SelectNext(const session_store::LeaseOwnerIdentity& claimant, const LivenessProbe& probe,
                                       uint64_t max_inputs, EpochMs now) const {
  absl::InlinedVector<const Index*, 4> indexes{&next_};
  for (const Index* left_behind : holders_.DeadFor(claimant, probe, now)) indexes.push_back(left_behind);
  return FirstOf(indexes, max_inputs, now);
}

const TurnInputClaims::Claim& TurnInputLog::Grant(TurnInputClaims::Terms terms, TurnInputState state,
                                                  absl::Span<TurnInputRow* const> rows) {
  for (TurnInputRow* row : rows) Unlink(*row);
  const TurnInputClaims::Claim& claim = claims_.Grant(std::move(terms), rows);
  for (TurnInputRow* row : rows) {
    row->state = state;
    Link(*row);
  }
  return claim;
}

void TurnInputLog::Abandon(const TurnInputClaims::Claim& claim) {
  // The claim dies with the release of its last row, so its rows are named apart.
  const TurnInputRows rows(claim.rows().begin(), claim.rows().end());
  for (TurnInputRow* row : rows) {
    Unlink(*row);
    claims_.Release(*row);
    if (row->state == TurnInputState::kAccepted) row->state = TurnInputState::kPendingActive;
    Link(*row);
  }
}

void TurnInputLog::Bury(TurnInputRow& row, TurnInputState terminal) {
  Unlink(row);
  claims_.Release(row);
  row.state = terminal;
  Link(row);
}

void TurnInputLog::Interrupt(absl::string_view turn_id) {
  auto it = turns_.find(turn_id);
  if (it == turns_.end()) return;
  TurnInputRows rows;
  for (const Index& index : it->second->pending) {
    index.ForEach([&](TurnInputRow& row) { rows.push_back(&row); });
  }
  // The turn is gone with its last row.
  for (TurnInputRow* row : rows) {
    Unlink(*row);
    row->state = TurnInputState::kDeferredNextTurn;
    row->rewritten = true;
    Link(*row);
  }
}

TurnInputLog::Index* TurnInputLog::FileOf(const TurnInputRow& row) {
  if (row.IsTombstone()) return &tombstones_;
  if (row.state == TurnInputState::kDeferredNextTurn) return &next_;
  const bool pending = row.state == TurnInputState::kPendingActive;
  if (!pending && lapsed_accepted_ == LapsedAccepted::kStrand) return nullptr;
  const ActiveTurnIngress& ingress = *row.active_ingress();
  std::unique_ptr<Turn>& turn = turns_[ingress.turn_id];
  if (turn == nullptr) turn = std::make_unique<Turn>();
  return &(pending ? turn->pending : turn->accepted)[SlotOf(ingress.min_boundary)];
}

void TurnInputLog::Link(TurnInputRow& row) {
  const TurnInputClaims::Claim* claim = row.claim();
  if (row.state == TurnInputState::kPendingActive || row.state == TurnInputState::kDeferredNextTurn) {
    waiting_.Set(row.position, &row, 0);
  }
  if (Index* file = FileOf(row)) file->Set(row.position, &row, claim == nullptr ? 0 : claim->expires);
  if (claim == nullptr || row.state != TurnInputState::kDeferredNextTurn) return;
  const session_store::LocalProcessOwner* process = LocalProcessOf(claim->owner);
  if (process != nullptr) holders_.Add(*process, row, row.position, 0, claim->expires);
}

void TurnInputLog::Unlink(TurnInputRow& row) {
  if (row.state == TurnInputState::kPendingActive || row.state == TurnInputState::kDeferredNextTurn) waiting_.Erase(row.position);
  if (Index* file = FileOf(row)) file->Erase(row.position);
  if (row.state == TurnInputState::kPendingActive || row.state == TurnInputState::kAccepted) {
    auto turn = turns_.find(row.active_ingress()->turn_id);
    if (turn != turns_.end() && turn->second->empty()) turns_.erase(turn);
  }
  if (row.claim() == nullptr || row.state != TurnInputState::kDeferredNextTurn) return;
  const session_store::LocalProcessOwner* process = LocalProcessOf(row.claim()->owner);
  if (process != nullptr) holders_.Remove(*process, row.position, row.claim()->expires);
}

void TurnInputLog::Remove(TurnInputRow& row) {
  Unlink(row);
  rows_.Erase(row.position);
  if (row.submitted->source_key.has_value()) by_source_key_.erase(*row.submitted->source_key);
  --size_;
  delete &row;
}

}  // namespace leasecheck::memstore
