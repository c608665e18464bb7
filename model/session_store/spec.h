// The executable contract of session_store: judges outcomes against queued-work.md and turn-input.md, clause by clause.
//
// The interface is described in model/spec.h. What is particular here:
//
// - Rows stand in queue order. An id, a token or a number that the store chose is taken over from the first answer that shows
//   it and compared from then on; before that the row, claim or lane is *unseen* (it came from a call whose answer nobody saw).
//   An unseen claim's id and token match nothing, for nobody can present them.
// - Fencing tokens are compared with the largest one granted with the same head row only (QW-LAT-24), and have to be larger,
//   not larger by one (QW-LAT-37). What nobody saw counts as the least that it can have been.
// - That batch ids, tokens and numbers are never used twice in a history is the scans' to judge. Only what is in the state
//   together is compared here. The enqueue_seqs of turn inputs are an exception: their last one is part of the state, for vacuum
//   must not let them be used again (TI-LAT-14).
//
//   SessionStoreSpec::State state = SessionStoreSpec::Initial(setup);
//   std::vector<SessionStoreSpec::State> alternatives;
//   std::optional<ClauseIndex> refused = SessionStoreSpec::Step(state, request, outcome, now, context, &alternatives);
//   if (refused) std::cerr << kClauses[*refused].sentence << SessionStoreSpec::Explain(state, request, outcome, now, context);
#ifndef LEASECHECK_MODEL_SESSION_STORE_SPEC_H_
#define LEASECHECK_MODEL_SESSION_STORE_SPEC_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "model/clause.h"
#include "model/cow.h"
#include "model/cow_list.h"
#include "model/dialect.h"
#include "model/session_store/family.h"
#include "model/spec.h"
#include "model/time.h"

namespace leasecheck {
namespace session_store {

// The instant at which something lapses. A type of its own, so that it can become an interval where a grant's answer was never
// seen and the clock is the system's.
struct Deadline {
  EpochMs at = 0;
  bool LiveAt(EpochMs now) const { return at > now; }
  friend bool operator==(const Deadline&, const Deadline&) = default;
};

enum class BatchClass : uint8_t { kTurnWork, kSessionCommand, kNone };

// A stored batch. Immutable and shared between states.
struct StoredBatch {
  StoredBatch(QueuedWorkBatch stored, bool is_seen, CallIndex call);

  QueuedWorkBatch batch;   // unseen: batch_id, item ids and enqueue_seq are still open
  bool seen;               // some answer has shown it
  CallIndex enqueue_call;  // the call that inserted it, for QW-LAT-33
  BatchClass batch_class;
  std::size_t hash;
  std::size_t id_hash;  // HashOfId(batch_id) where it was seen, else 0
  friend bool operator==(const StoredBatch& a, const StoredBatch& b) {
    return a.hash == b.hash && a.seen == b.seen && a.enqueue_call == b.enqueue_call && a.batch == b.batch;
  }
};

// Never 0.
std::size_t HashOfId(absl::string_view id);

// The claim that a row is under. Immutable and shared by the claim's rows and between states.
struct ClaimRecord {
  bool seen = true;  // false: claim_id and lease_token are unknown and match nothing
  std::string claim_id;
  std::string lease_token;
  LeaseOwnerIdentity owner;
  Deadline expires;
  uint64_t lane_fencing = 0;    // of the lane it was taken under; for counting only
  bool partly_settled = false;  // a completion took some of its rows (QW-LAT-36)
  CallIndex giver = kNoCall;    // the call by ids that will give it back (QW-LAT-22)
  friend bool operator==(const ClaimRecord&, const ClaimRecord&) = default;
};

struct Row {
  explicit Row(std::shared_ptr<const StoredBatch> batch) : stored(std::move(batch)), id_hash(stored->id_hash) {}

  std::shared_ptr<const StoredBatch> stored;
  std::size_t id_hash;                       // of `stored`, at hand for those who look for an id
  std::shared_ptr<const ClaimRecord> claim;  // null: unclaimed, or given back
  uint64_t head_fencing = 0;                 // at least the largest fencing token granted with this row as head
  friend bool operator==(const Row& a, const Row& b);
};

// A stored turn input, as it was enqueued. Immutable and shared between states.
struct StoredInput {
  StoredInput(PendingTurnInput stored, bool is_seen, bool is_named);

  PendingTurnInput input;  // ingress and state as they were at first; unseen: enqueue_seq is still open
  bool seen;               // some answer has shown it
  bool named;              // its input_id is known: shown, or asked for by its draft
  std::size_t hash;
  friend bool operator==(const StoredInput& a, const StoredInput& b) {
    return a.hash == b.hash && a.seen == b.seen && a.named == b.named && a.input == b.input;
  }
};

// The claim that turn inputs are under. Immutable and shared by the claim's rows and between states.
struct InputClaimRecord {
  bool seen = true;   // false: lease_token is unknown and matches nothing
  bool named = true;  // false: claim_id is unknown; what is said of a claimed input may show it
  std::string claim_id;
  std::string lease_token;
  LeaseOwnerIdentity owner;
  Deadline expires;
  uint64_t lane_fencing = 0;  // of the lane it was taken under; for counting only
  friend bool operator==(const InputClaimRecord&, const InputClaimRecord&) = default;
};

struct InputRow {
  std::shared_ptr<const StoredInput> stored;
  TurnInputState state = TurnInputState::kDeferredNextTurn;
  bool deferred = false;       // an interrupt made its ingress NextTurn
  bool counter_shown = false;  // `counter` is the row's fence counter under its present claim, not only its least value
  uint64_t counter = 0;        // at least the largest token granted with this row as the first, and the largest counter shown
  std::shared_ptr<const InputClaimRecord> claim;  // null: unclaimed
  friend bool operator==(const InputRow& a, const InputRow& b);
};
using InputRows = std::vector<InputRow>;

struct LaneHolder {
  bool seen = true;  // false: lease_token and fencing_token are still open
  LeaseOwnerIdentity owner;
  std::string lease_token;
  EpochMs claimed_at = 0;
  Deadline expires;
  friend bool operator==(const LaneHolder&, const LaneHolder&) = default;
};

struct RecordedTurn {
  std::string hash;
  bool seen = true;  // false: checkpoint_ref and manifest are still open
  RuntimeCommitResult result;
  friend bool operator==(const RecordedTurn&, const RecordedTurn&) = default;
};

// Everything of one session.
struct SessionState {
  std::string id;
  CowList<Row> rows;                         // ascending enqueue_seq
  uint32_t classless = 0;                    // rows without a class; follows from the rows
  std::shared_ptr<const LaneHolder> holder;  // null: free
  uint64_t lane_fencing = 0;                 // of the holder, else at least the largest one used
  uint64_t head_revision = 0;
  std::shared_ptr<const OpaqueJson> body;  // of the last commit; null before the first
  Cow<std::vector<std::pair<std::string, std::shared_ptr<const RecordedTurn>>>> turns;  // by turn id, ascending
  Cow<std::vector<std::string>> freed_keys;  // of removed batches, ascending; follows from the calls, so never compared

  Cow<InputRows> inputs;        // ascending enqueue_seq, tombstones included
  uint64_t last_input_seq = 0;  // the largest one seen, of rows that vacuum removed too
  // Ids and keys of the inputs that vacuum removed, ascending; for counting and blaming only, so never compared.
  Cow<std::vector<std::string>> vacuumed_ids;
  Cow<std::vector<std::string>> vacuumed_keys;

  const Row* FindRow(absl::string_view batch_id) const;   // null: none, or not seen yet
  std::size_t IndexOf(absl::string_view batch_id) const;  // rows.size(): none, or not seen yet
  friend bool operator==(const SessionState& a, const SessionState& b);
};

// A whole store. A copy shares the sessions; a step copies the one it changes, if it is shared.
class SpecState {
 public:
  const SessionState* Find(absl::string_view session_id) const;
  SessionState& Edit(absl::string_view session_id);                           // makes it where there is none
  absl::Span<const Cow<SessionState>> sessions() const { return sessions_; }  // by id, ascending

  // The session that the first successful commit bound the store to, and the one that first tried; empty optionals before.
  std::optional<std::string> bound_session;
  std::optional<std::string> first_committer;

  friend bool operator==(const SpecState& a, const SpecState& b);
  friend std::size_t HashOf(const SpecState& state);
  template <typename H>
  friend H AbslHashValue(H h, const SpecState& state) {
    return H::combine(std::move(h), HashOf(state));
  }

 private:
  absl::InlinedVector<Cow<SessionState>, 2> sessions_;
};
std::size_t HashOf(const SpecState& state);

class SessionStoreSpec {
 public:
  using Family = SessionStoreFamily;
  using State = SpecState;
  using Request = RequestOf<Family>;
  using Outcome = OutcomeOf<Family>;
  using Context = StepContext<Family>;

  static State Initial(const SpecSetup& setup);
  static std::optional<ClauseIndex> Step(State& state, const Request& request, const Outcome& outcome, EpochMs now,
                                         const Context& context, std::vector<State>* alternatives);
  static std::string Explain(const State& state, const Request& request, const Outcome& outcome, EpochMs now,
                             const Context& context);
  static std::string Describe(const State& state, EpochMs now);

  // 2 for a claim by ids that granted nothing, or whose answer nobody saw, while calls of its session overlap it (QW-LAT-22:
  // it may take the head and give it back); 1 otherwise.
  static int Parts(const Request& request, const Outcome& outcome, const Context& context);

  // The session a call names. nullopt for load_session, which answers for whatever session the store is bound to, for vacuum, and
  // for a commit that releases another session's lane. What a commit shares with other sessions' commits is the store's binding
  // alone: set StepContext::partitioned where a history holds one session's calls only.
  static std::optional<std::string> PartitionKey(const Request& request);

  // Of an enqueue the row's enqueued_at (of a key replay an instant in the past, maybe before the call), of a grant its
  // claimed_at, of a renewal and an acquired lane the expiry less the ttl. An instant outside the call's interval tells nothing.
  static std::optional<EpochMs> ReportedInstant(const Request& request, const Outcome& outcome);

  // Expiries of claims and lanes, and instants at which batches become available. May repeat.
  static void AppendDeadlines(const State& state, std::vector<EpochMs>* deadlines);

  // See model/spec.h. Marks and Commute take ids and tokens for what the contract says they are, never issued twice; where a
  // store issues one twice the scans say so.
  static bool ChangesNothing(const Request& request, const Outcome& outcome, const Context& context);
  static void AppendMarks(const Request& request, const Outcome& outcome, std::vector<Mark>* marks);
  static bool Commute(const Request& a, const Outcome& outcome_a, const Request& b, const Outcome& outcome_b);
  static bool ReadsClock(const Request& request);

  static absl::Span<const ClauseInfo> Clauses();
  static absl::Span<const DialectPoint> DialectPoints();
};

}  // namespace session_store

template <>
struct SpecOf<SessionStoreFamily> {
  using type = session_store::SessionStoreSpec;
};

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_SESSION_STORE_SPEC_H_
