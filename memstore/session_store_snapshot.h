// What a reference store holds at one instant, as a value.
#ifndef LEASECHECK_MEMSTORE_SESSION_STORE_SNAPSHOT_H_
#define LEASECHECK_MEMSTORE_SESSION_STORE_SNAPSHOT_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "memstore/ids.h"
#include "memstore/lease_lane.h"
#include "memstore/session_queue.h"
#include "memstore/shared_value.h"
#include "memstore/turn_input_log.h"
#include "model/session_store/store.h"

namespace leasecheck::memstore {

// The result of a stamped commit. Stamps are kept by turn id: a store commits for one session only.
struct RecordedTurn {
  std::string turn_commit_hash;
  session_store::RuntimeCommitResult result;
  friend bool operator==(const RecordedTurn&, const RecordedTurn&) = default;
};

// What the store's one committing session was bound to and left.
struct CommittedState {
  std::optional<std::string> bound_session_id;  // set by the first successful commit
  uint64_t head_revision = 0;
  OpaqueJson body{"{}"};
  std::map<std::string, RecordedTurn> turns;
  friend bool operator==(const CommittedState&, const CommittedState&) = default;
};

// The contents in canonical order, so that equal stores give equal contents, however they came to be: sessions by id, rows by
// place in the queue, a claim told by its terms. Batches, and inputs as they were enqueued, are shared with the store and never
// change.
struct SessionStoreContents {
  struct Row {
    std::shared_ptr<const session_store::QueuedWorkBatch> batch;
    uint64_t counter = 0;                             // the claim counter
    std::shared_ptr<const QueueClaims::Terms> claim;  // live or lapsed, shared by the rows of one claim; or null
    friend bool operator==(const Row& a, const Row& b) {
      return a.counter == b.counter && SameValue(a.claim, b.claim) && SameValue(a.batch, b.batch);
    }
  };
  struct Input {
    std::shared_ptr<const session_store::PendingTurnInput> submitted;
    session_store::TurnInputState state = session_store::TurnInputState::kDeferredNextTurn;
    bool rewritten = false;
    uint64_t counter = 0;
    std::shared_ptr<const TurnInputClaims::Terms> claim;  // as a Row's
    friend bool operator==(const Input& a, const Input& b) {
      return a.state == b.state && a.rewritten == b.rewritten && a.counter == b.counter && SameValue(a.claim, b.claim) &&
             SameValue(a.submitted, b.submitted);
    }
  };
  struct Session {
    LeaseLane lane;
    std::vector<Row> rows;
    std::vector<Input> inputs;
    friend bool operator==(const Session&, const Session&) = default;
  };

  IdSource ids;
  uint64_t last_enqueue_seq = 0;
  uint64_t last_input_seq = 0;
  std::set<std::string> given_input_ids;  // see SessionStoreState
  CommittedState committed;
  std::vector<Session> sessions;  // those that ever had a lane, a batch or an input
  friend bool operator==(const SessionStoreContents&, const SessionStoreContents&) = default;
};

// A snapshot of a SessionStore: copied in constant time, compared and hashed by value. Only a store makes one; any store takes it
// back, as often as wanted. Thread-safe as a value: it never changes.
class SessionStoreSnapshot {
 public:
  explicit SessionStoreSnapshot(SessionStoreContents contents)
      : contents_(std::make_shared<const SessionStoreContents>(std::move(contents))) {}

  const SessionStoreContents& contents() const { return *contents_; }

  friend bool operator==(const SessionStoreSnapshot& a, const SessionStoreSnapshot& b) {
    return a.contents_ == b.contents_ || *a.contents_ == *b.contents_;
  }
  // Over the parts that tell states apart in practice; the rest is left to ==.
  template <typename H>
  friend H AbslHashValue(H h, const SessionStoreSnapshot& snapshot) {
    const SessionStoreContents& contents = *snapshot.contents_;
    h = H::combine(std::move(h), contents.ids, contents.last_enqueue_seq, contents.last_input_seq,
                   contents.committed.head_revision);
    for (const SessionStoreContents::Session& session : contents.sessions) {
      h = H::combine(std::move(h), session.lane.session_id(), session.lane.fencing_token(), session.rows.size(),
                     session.inputs.size());
      for (const SessionStoreContents::Row& row : session.rows) {
        h = H::combine(std::move(h), row.batch->enqueue_seq, row.counter, row.claim == nullptr ? 0 : row.claim->expires);
      }
      for (const SessionStoreContents::Input& input : session.inputs) {
        h = H::combine(std::move(h), input.submitted->enqueue_seq, static_cast<int>(input.state), input.rewritten, input.counter,
                       input.claim == nullptr ? 0 : input.claim->expires);
      }
    }
    return h;
  }

 private:
  std::shared_ptr<const SessionStoreContents> contents_;
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_SESSION_STORE_SNAPSHOT_H_
