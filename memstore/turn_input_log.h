// The turn inputs of one session: their rows, their claims, and what can be listed and claimed now (turn-input.md, 3).
#ifndef LEASECHECK_MEMSTORE_TURN_INPUT_LOG_H_
#define LEASECHECK_MEMSTORE_TURN_INPUT_LOG_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "memstore/claim_book.h"
#include "memstore/local_holders.h"
#include "memstore/position_index.h"
#include "model/environment.h"
#include "model/session_store/store.h"
#include "model/time.h"

namespace leasecheck::memstore {

// What happens to an Accepted row whose claim lapsed (TI-LAT-1).
enum class LapsedAccepted {
  kStrand,     // nobody can claim it
  kReacquire,  // its turn can, at a checkpoint that admits it
};

// A stored input with its claim record. Addresses are stable as long as it is stored.
struct TurnInputRow : ClaimBook<TurnInputRow, session_store::LeaseOwnerIdentity>::Claimable {
  std::shared_ptr<const session_store::PendingTurnInput> submitted;  // as it was enqueued
  session_store::TurnInputState state = session_store::TurnInputState::kDeferredNextTurn;
  bool rewritten = false;  // its ingress became NextTurn
  bool settling = false;   // marked by a commit that is being checked
  uint64_t position = 0;   // its place in the log

  // The input as it is now.
  session_store::PendingTurnInput Record() const {
    session_store::PendingTurnInput record = *submitted;
    record.state = state;
    if (rewritten) record.ingress = session_store::NextTurnIngress{};
    return record;
  }
  // Where it asked for a turn and still does, else null.
  const session_store::ActiveTurnIngress* active_ingress() const {
    return rewritten ? nullptr : std::get_if<session_store::ActiveTurnIngress>(&submitted->ingress);
  }
  bool IsTombstone() const {
    return state == session_store::TurnInputState::kCancelled || state == session_store::TurnInputState::kCompleted;
  }
  // A live claim is what keeps a pending row from being listed, and from being cancelled.
  bool IsListed(EpochMs now) const {
    return (state == session_store::TurnInputState::kPendingActive ||
            state == session_store::TurnInputState::kDeferredNextTurn) &&
           !IsLiveClaimed(now);
  }
};

using TurnInputClaims = ClaimBook<TurnInputRow, session_store::LeaseOwnerIdentity>;
using TurnInputRows = absl::InlinedVector<TurnInputRow*, 4>;

// Holds the rows, tombstones included, and every index over them. The lane, the ids and the clock are the caller's. Not
// thread-safe.
//
// A row that waits is in one index that says when it can be claimed: that of its turn and min_boundary, or that of the next turn,
// by position and due when its claim lapses (at once where it has none). So a claim finds each row it takes in logarithmic time,
// whatever lies in front, and whichever way the clock moved.
class TurnInputLog {
 public:
  explicit TurnInputLog(LapsedAccepted lapsed_accepted) : lapsed_accepted_(lapsed_accepted) {}
  TurnInputLog(const TurnInputLog&) = delete;
  TurnInputLog& operator=(const TurnInputLog&) = delete;
  ~TurnInputLog();

  std::size_t size() const { return size_; }

  // Puts an input, with an enqueue_seq above all others, at the end. `counter` is its claim counter before the first grant.
  TurnInputRow& Append(std::shared_ptr<const session_store::PendingTurnInput> submitted, session_store::TurnInputState state,
                       bool rewritten, uint64_t counter);

  TurnInputRow* FindBySourceKey(absl::string_view source_key) const;
  // Calls visit(TurnInputRow&) for every row in order. The visit must not add or remove rows.
  template <class Visit>
  void ForEach(Visit&& visit) const {
    rows_.ForEach(visit);
  }
  // The same for the rows at or behind `first`.
  template <class Visit>
  void ForEachFrom(const TurnInputRow& first, Visit&& visit) const {
    for (TurnInputRow* row = rows_.FirstDue(first.position, 0); row != nullptr; row = rows_.FirstDue(row->position + 1, 0)) {
      visit(*row);
    }
  }
  // The same for the rows that are PendingActive or DeferredNextTurn.
  template <class Visit>
  void ForEachWaiting(Visit&& visit) const {
    waiting_.ForEach(visit);
  }

  // What a claim at a checkpoint of a turn takes, at most max_inputs. [TI-ACT-3,4,8,9,10]
  TurnInputRows SelectActive(absl::string_view turn_id, session_store::CheckpointKind checkpoint, uint64_t max_inputs,
                             EpochMs now) const;
  // What a claim for the next turn takes, at most max_inputs. [TI-NXT-2,3,4]
  TurnInputRows SelectNext(const session_store::LeaseOwnerIdentity& claimant, const LivenessProbe& probe, uint64_t max_inputs,
                           EpochMs now) const;

  TurnInputClaims::Claim* FindClaim(absl::string_view claim_id, absl::string_view lease_token) const {
    return claims_.Find(claim_id, lease_token);
  }
  // Gives the rows to a new claim and the state that they have under it: Accepted, or still DeferredNextTurn.
  const TurnInputClaims::Claim& Grant(TurnInputClaims::Terms terms, session_store::TurnInputState state,
                                      absl::Span<TurnInputRow* const> rows);
  // Gives back all its rows; the claim is gone. [TI-ABN-1,2]
  void Abandon(const TurnInputClaims::Claim& claim);
  // Makes a tombstone of the row, which leaves its claim.
  void Bury(TurnInputRow& row, session_store::TurnInputState terminal);
  // Defers every PendingActive row of the turn. [TI-CMT-10,11]
  void Interrupt(absl::string_view turn_id);
  // Removes every tombstone; calls gone(row) for each before. Returns their number.
  template <class Gone>
  uint64_t Vacuum(Gone&& gone) {
    TurnInputRows rows;
    tombstones_.ForEach([&](TurnInputRow& row) { rows.push_back(&row); });
    for (TurnInputRow* row : rows) {
      gone(*row);
      Remove(*row);
    }
    return rows.size();
  }

 private:
  using Index = PositionIndex<TurnInputRow>;
  // The rows of one turn that its claims can take now or later, by min_boundary.
  struct Turn {
    std::array<Index, 2> pending;
    std::array<Index, 2> accepted;  // filled under kReacquire only
    bool empty() const { return pending[0].empty() && pending[1].empty() && accepted[0].empty() && accepted[1].empty(); }
  };
  // Where the row is filed by its state, other than in waiting_; null: nowhere. Makes the turn where it is new.
  Index* FileOf(const TurnInputRow& row);
  // Every change of a row's state, ingress or claim goes between Unlink and Link.
  void Link(TurnInputRow& row);
  void Unlink(TurnInputRow& row);
  void Remove(TurnInputRow& row);

  const LapsedAccepted lapsed_accepted_;
  Index rows_;     // all, owned; always due
  Index waiting_;  // PendingActive and DeferredNextTurn; always due
  Index next_;     // DeferredNextTurn; due when it can be claimed
  Index tombstones_;
  absl::flat_hash_map<std::string, std::unique_ptr<Turn>> turns_;        // those with rows
  absl::flat_hash_map<absl::string_view, TurnInputRow*> by_source_key_;  // keys live in the rows
  LocalHolders<TurnInputRow> holders_;                                   // of claimed DeferredNextTurn rows
  TurnInputClaims claims_;
  std::size_t size_ = 0;
  uint64_t last_position_ = 0;
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_TURN_INPUT_LOG_H_
