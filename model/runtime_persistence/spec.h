// The executable contract of runtime_persistence: judges outcomes against runtime-persistence.md, clause by clause.
//
// The interface is described in model/spec.h. What is particular here:
//
// - One state holds everything: graph, head, checkpoint, ledger, turns, blobs, queue, attachments and meta, because one commit
//   moves most of them in one step. Each part is shared between states until one of them writes to it.
// - An id, a token, a number or a ref that the store chose is taken over from the first answer that shows it and compared from
//   then on; before that it is *unseen*. An unseen claim's id and token match nothing, for nobody can present them.
// - Fencing tokens are compared with the largest one granted with the same head batch only (RP-LAT-18).
// - Where the contract lets stores choose and a store shows its choice (which usage entries count, whether it reads paths at all,
//   its durability tier), the choice is part of the state: another one later is refused.
//
//   RuntimePersistenceSpec::State state = RuntimePersistenceSpec::Initial(setup);
//   std::vector<RuntimePersistenceSpec::State> alternatives;
//   auto refused = RuntimePersistenceSpec::Step(state, request, outcome, now, context, &alternatives);
#ifndef LEASECHECK_MODEL_RUNTIME_PERSISTENCE_SPEC_H_
#define LEASECHECK_MODEL_RUNTIME_PERSISTENCE_SPEC_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "model/clause.h"
#include "model/cow.h"
#include "model/dialect.h"
#include "model/runtime_persistence/family.h"
#include "model/spec.h"
#include "model/time.h"

namespace leasecheck {
namespace runtime_persistence {

// A stored batch. Immutable and shared between states.
struct StoredBatch {
  StoredBatch(QueuedWorkBatch stored, bool is_seen);

  QueuedWorkBatch batch;  // unseen: batch_id, item ids and enqueue_seq are still open
  bool seen;              // some answer has shown it
  std::size_t hash;
  friend bool operator==(const StoredBatch& a, const StoredBatch& b) {
    return a.hash == b.hash && a.seen == b.seen && a.batch == b.batch;
  }
};

// The claim that a row is under. Immutable and shared by the claim's rows and between states.
struct ClaimRecord {
  bool seen = true;  // false: claim_id and lease_token are unknown and match nothing
  std::string claim_id;
  std::string lease_token;
  std::string owner_id;  // for people only
  EpochMs expires = 0;
  bool partly_settled = false;  // a completion took some of its rows (RP-LAT-27)
  CallIndex giver = kNoCall;    // the call by ids that will give it back (RP-LAT-26)
  bool LiveAt(EpochMs now) const { return expires > now; }
  friend bool operator==(const ClaimRecord&, const ClaimRecord&) = default;
};

// A place in the queue. Those of all sessions stand together, ascending by enqueue_seq.
struct Row {
  std::shared_ptr<const StoredBatch> stored;
  std::shared_ptr<const ClaimRecord> claim;  // null: unclaimed, or given back
  uint64_t head_fencing = 0;                 // at least the largest fencing token granted with this row as head
  const std::string& session() const { return stored->batch.session_id; }
  friend bool operator==(const Row& a, const Row& b);
};
using Rows = std::vector<Row>;

// A stored node. `loose`: where it stands among the others no answer has shown (RP-LAT-6).
struct NodeRow {
  std::shared_ptr<const SessionNodeRecord> record;
  bool tombstoned = false;
  bool loose = false;
  const std::string& id() const { return record->node_id; }
  friend bool operator==(const NodeRow& a, const NodeRow& b);
};
using NodeRows = std::vector<NodeRow>;

// What the last accepted commit replaced whole, apart from the checkpoint.
struct Head {
  PersistedSessionConfig config;
  std::vector<AgentFrameRecord> agent_frames;
  std::string current_agent_frame_id;
  std::optional<std::string> leaf;
  friend bool operator==(const Head&, const Head&) = default;
};

// A checkpoint as it was committed, and the refs that the store gave it.
struct SavedCheckpoint {
  uint64_t revision = 0;
  HydratedSessionCheckpoint given;
  bool seen = false;  // false: ref and manifest are still open
  BlobRef ref;
  SessionCheckpoint manifest;
  friend bool operator==(const SavedCheckpoint&, const SavedCheckpoint&) = default;
};

enum class SnapshotKind : uint8_t { kTool, kPlugin, kExecution };

// A snapshot that was stored under a ref.
struct Blob {
  BlobRef ref;
  SnapshotKind kind = SnapshotKind::kTool;
  std::string content;   // JSON or bytes
  bool certain = false;  // the store named it itself, and the head names it since
  friend bool operator==(const Blob&, const Blob&) = default;
};

// The usage of one source and model, as both kinds of store count it (RP-LAT-7).
struct LedgerPair {
  std::string source;
  std::string model;
  TokenUsage all;            // over all entries
  int64_t cached_spent = 0;  // of entries with a total other than 0
  uint64_t spent_rank = 0;   // the order in which pairs first had such an entry; 0: none yet
  friend bool operator==(const LedgerPair&, const LedgerPair&) = default;
};

struct RecordedTurn {
  std::string turn_id;
  std::string hash;
  std::shared_ptr<const SavedCheckpoint> saved;
  friend bool operator==(const RecordedTurn& a, const RecordedTurn& b);
};

// A row of the manifest. Where two sessions recorded one id, nothing is known of it until it is forgotten (RP-LAT-20).
struct Attachment {
  AttachmentIntent intent;
  bool committed = false;
  bool contested = false;
  friend bool operator==(const Attachment&, const Attachment&) = default;
};

// What a store chose of two ways that are both right.
enum class Choice : uint8_t { kOpen, kFirst, kSecond };

// What happened before, in so far as it only tells whether a clause was exercised. Ascending lists; never compared.
struct Memory {
  std::vector<std::string> freed_keys;    // session and source key of removed batches
  std::vector<std::string> failed_turns;  // stamped by a commit that was rejected
  std::vector<std::string> vacuumed;      // node ids
  std::vector<std::string> missed;        // node ids that were tombstoned while unknown
  std::vector<std::string> early_refs;    // attachments that were committed before their intent
  std::vector<std::string> forgotten;     // attachments
  std::vector<std::string> restamped;     // attachments that were recorded again after their stamp
  std::vector<std::string> lost;          // batches that were cancelled under a lapsed claim
  bool failed_unbound = false;            // a commit was rejected before the first was accepted
  bool settled = false;                   // a commit was accepted since meta was saved
  bool collected = false;                 // since the last accepted commit
};

class SpecState {
 public:
  std::optional<std::string> bound_session;
  uint64_t head_revision = 0;
  std::shared_ptr<const Head> head;              // null before the first commit
  std::shared_ptr<const SavedCheckpoint> saved;  // of the head
  Cow<NodeRows> nodes;                           // in storage order, tombstoned ones included
  Cow<std::vector<LedgerPair>> ledger;           // in the order of the first entry that is not all zeros
  Cow<std::vector<RecordedTurn>> turns;          // by turn id, ascending
  Cow<std::vector<Blob>> blobs;
  Cow<Rows> queue;
  Cow<std::vector<Attachment>> attachments;                    // by id, ascending
  Cow<std::vector<std::shared_ptr<const SessionMeta>>> metas;  // the newest of each session_id, the newest last
  Choice counting = Choice::kOpen;  // usage entries that are cached only count; or they do not (RP-LAT-7)
  Choice paths = Choice::kOpen;     // ActivePath is read; or UnsupportedReadScope (RP-LAT-25)
  Choice tier = Choice::kOpen;      // Inline; or Durable
  bool vacuumed = false;            // nothing was tombstoned or committed since the last vacuum
  bool swept = false;               // nothing was committed since the last collection
  Cow<Memory> memory;

  const NodeRow* FindNode(absl::string_view id) const;   // null: not stored; tombstoned ones are
  const Row* FindRow(absl::string_view batch_id) const;  // null: none, or not seen yet
  const RecordedTurn* FindTurn(absl::string_view turn_id) const;
  const Attachment* FindAttachment(absl::string_view id) const;

  friend bool operator==(const SpecState& a, const SpecState& b);
  friend std::size_t HashOf(const SpecState& state);
  template <typename H>
  friend H AbslHashValue(H h, const SpecState& state) {
    return H::combine(std::move(h), HashOf(state));
  }
};
std::size_t HashOf(const SpecState& state);

class RuntimePersistenceSpec {
 public:
  using Family = RuntimePersistenceFamily;
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

  // While other calls overlap: 2 for a claim by ids that granted nothing, or whose answer nobody saw, among calls of its queue
  // (RP-LAT-26: it may take the head and give it back), one an id for tombstone_nodes (RP-LAT-23); 1 otherwise.
  static int Parts(const Request& request, const Outcome& outcome, const Context& context);

  // Always nullopt: one store is one session's, and the queue's batches are in one order.
  static std::optional<std::string> PartitionKey(const Request& request);

  // Of an enqueue the row's enqueued_at (of a key replay an instant in the past), of a grant its claimed_at, of a renewal the
  // expiry less the ttl.
  static std::optional<EpochMs> ReportedInstant(const Request& request, const Outcome& outcome);
  // Expiries of claims, and instants at which batches become available. May repeat.
  static void AppendDeadlines(const State& state, std::vector<EpochMs>* deadlines);

  // See model/spec.h. Marks and Commute take ids and tokens for what the contract says they are, never issued twice.
  static bool ChangesNothing(const Request& request, const Outcome& outcome, const Context& context);
  static void AppendMarks(const Request& request, const Outcome& outcome, std::vector<Mark>* marks);
  static bool Commute(const Request& a, const Outcome& outcome_a, const Request& b, const Outcome& outcome_b);
  static bool ReadsClock(const Request& request);

  static absl::Span<const ClauseInfo> Clauses();
  static absl::Span<const DialectPoint> DialectPoints();
  // Why a store that declares these dialects never shows the clause; "" where it has to.
  static absl::string_view NotApplicable(ClauseIndex clause, const Dialects& dialects);
};

}  // namespace runtime_persistence

template <>
struct SpecOf<RuntimePersistenceFamily> {
  using type = runtime_persistence::RuntimePersistenceSpec;
};

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_RUNTIME_PERSISTENCE_SPEC_H_
