#include "adapters/sqlite/session_store_schema.h"

#include "absl/strings/string_view.h"

namespace leasecheck::sqlite {
namespace {

// A column commented "u64" holds x - 2^63 (connection.h); the views at the end show it as people write it.
constexpr absl::string_view kTables[] = {
    // What belongs to the store as a whole.
    R"(CREATE TABLE store (
         only_row         INTEGER PRIMARY KEY CHECK (only_row = 1),
         last_enqueue_seq INTEGER NOT NULL,  -- u64: the counter of the queue; a number is never used twice
         last_input_seq   INTEGER NOT NULL,  -- u64: the same of turn inputs
         openings         INTEGER NOT NULL,  -- u64: how often the store was opened; part of every id
         clock_ms         INTEGER NOT NULL,  -- u64: the clock that processes share, where they were told to
         repairs          INTEGER NOT NULL   -- u64: commits that failed while writing and were overwritten
       ) STRICT)",
    // Minima of the u64 columns stand for 0.
    R"(INSERT INTO store VALUES (1, -9223372036854775808, -9223372036854775808, -9223372036854775808, -9223372036854775808,
                                 -9223372036854775808))",

    // The queue. A row's draft never changes; claim_counter, in_line and ready_at_ms do.
    //   ready_at_ms: available_at_ms, or the expiry of its claim where that is later.
    //   in_line: some call saw ready_at_ms reached. A claim moves the rows whose time has come into the line and then reads the
    //   line from its front, so rows that are deferred or under a claim are passed once, not at each claim.
    R"(CREATE TABLE batches (
         enqueue_seq     INTEGER PRIMARY KEY,  -- u64
         batch_id        TEXT NOT NULL UNIQUE,
         session_id      TEXT NOT NULL,
         source_key      TEXT,
         class           TEXT CHECK (class IN ('turn_work', 'session_command')),  -- NULL: classless
         delivery_policy TEXT NOT NULL CHECK (delivery_policy IN ('earliest_safe_boundary', 'after_current_turn_commit')),
         slot_policy     TEXT NOT NULL CHECK (slot_policy IN ('join', 'exclusive')),
         merge_key       TEXT NOT NULL CHECK (merge_key IN ('never', 'payload_default', 'group')),
         merge_group     TEXT CHECK ((merge_group IS NOT NULL) = (merge_key = 'group')),
         available_at_ms INTEGER NOT NULL,     -- u64
         enqueued_at_ms  INTEGER NOT NULL,     -- u64
         claim_counter   INTEGER NOT NULL,     -- u64: survives abandon and expiry, dies with the row
         ready_at_ms     INTEGER NOT NULL,     -- u64
         in_line         INTEGER NOT NULL CHECK (in_line IN (0, 1))
       ) STRICT)",
    R"(CREATE UNIQUE INDEX batches_source_key ON batches (session_id, source_key) WHERE source_key IS NOT NULL)",
    R"(CREATE INDEX batches_all ON batches (session_id, enqueue_seq))",
    R"(CREATE INDEX batches_line ON batches (session_id, enqueue_seq, ready_at_ms) WHERE in_line = 1)",
    R"(CREATE INDEX batches_waiting ON batches (session_id, ready_at_ms) WHERE in_line = 0)",
    R"(CREATE INDEX batches_classless ON batches (session_id, ready_at_ms) WHERE class IS NULL)",

    R"(CREATE TABLE items (
         enqueue_seq INTEGER NOT NULL REFERENCES batches ON DELETE CASCADE,  -- u64
         position    INTEGER NOT NULL,
         item_id     TEXT NOT NULL,
         type        TEXT NOT NULL CHECK (type IN ('process_wake', 'session_command')),
         body        TEXT NOT NULL,  -- the wake or the command: canonical JSON
         PRIMARY KEY (enqueue_seq, position)
       ) STRICT, WITHOUT ROWID)",

    // The claim record of a batch; no row where nobody claimed it or the claim was abandoned. Lapsed ones stay.
    R"(CREATE TABLE claims (
         enqueue_seq    INTEGER PRIMARY KEY REFERENCES batches ON DELETE CASCADE,  -- u64
         session_id     TEXT NOT NULL,  -- the batch's
         claim_id       TEXT NOT NULL,
         lease_token    TEXT NOT NULL,
         owner_id       TEXT NOT NULL,
         incarnation_id TEXT NOT NULL,
         host_id        TEXT,  -- these four: a local process, or NULL all
         boot_id        TEXT,
         pid            INTEGER,
         process_start  TEXT,
         expires_at_ms  INTEGER NOT NULL  -- u64
       ) STRICT)",
    R"(CREATE INDEX claims_grant ON claims (claim_id))",
    R"(CREATE INDEX claims_local ON claims (session_id, host_id, boot_id, expires_at_ms) WHERE host_id IS NOT NULL)",

    // Turn inputs, tombstones included. What was submitted never changes; rewritten, state and what follows do.
    //   ready_at_ms, in_line: as those of a batch, for a deferred input; 0 and 1 where it has no claim.
    // The claim is that of the row alone or of several: a claim is the rows that carry its id and token. All NULL: none.
    R"(CREATE TABLE turn_inputs (
         enqueue_seq    INTEGER PRIMARY KEY,  -- u64
         input_id       TEXT NOT NULL UNIQUE,
         given          INTEGER NOT NULL CHECK (given IN (0, 1)),  -- whether the caller chose input_id
         session_id     TEXT NOT NULL,
         source_key     TEXT,
         turn_id        TEXT,  -- these two: the ingress as submitted; NULL for the next turn
         min_boundary   TEXT CHECK (min_boundary IN ('after_work', 'before_completion')),
         enqueued_at_ms INTEGER NOT NULL,  -- u64
         input          TEXT NOT NULL,     -- canonical JSON
         rewritten      INTEGER NOT NULL CHECK (rewritten IN (0, 1)),  -- whether the ingress became the next turn
         state          TEXT NOT NULL
                        CHECK (state IN ('pending_active', 'deferred_next_turn', 'accepted', 'cancelled', 'completed')),
         claim_counter  INTEGER NOT NULL,  -- u64
         ready_at_ms    INTEGER NOT NULL,  -- u64
         in_line        INTEGER NOT NULL CHECK (in_line IN (0, 1)),
         claim_id       TEXT,
         lease_token    TEXT CHECK ((lease_token IS NULL) = (claim_id IS NULL)),
         owner_id       TEXT,
         incarnation_id TEXT,
         host_id        TEXT,  -- these four: a local process, or NULL all
         boot_id        TEXT,
         pid            INTEGER,
         process_start  TEXT,
         expires_at_ms  INTEGER CHECK ((expires_at_ms IS NULL) = (claim_id IS NULL)),  -- u64
         CHECK ((turn_id IS NULL) = (min_boundary IS NULL))
       ) STRICT)",
    R"(CREATE UNIQUE INDEX turn_inputs_source_key ON turn_inputs (session_id, source_key) WHERE source_key IS NOT NULL)",
    R"(CREATE INDEX turn_inputs_all ON turn_inputs (session_id, enqueue_seq))",
    R"(CREATE INDEX turn_inputs_waiting ON turn_inputs (session_id, enqueue_seq)
         WHERE state IN ('pending_active', 'deferred_next_turn'))",
    // What each of the two checkpoints admits.
    R"(CREATE INDEX turn_inputs_late ON turn_inputs (session_id, turn_id, enqueue_seq) WHERE state = 'pending_active')",
    R"(CREATE INDEX turn_inputs_early ON turn_inputs (session_id, turn_id, enqueue_seq)
         WHERE state = 'pending_active' AND min_boundary = 'after_work')",
    R"(CREATE INDEX turn_inputs_line ON turn_inputs (session_id, enqueue_seq, ready_at_ms)
         WHERE state = 'deferred_next_turn' AND in_line = 1)",
    R"(CREATE INDEX turn_inputs_held ON turn_inputs (session_id, ready_at_ms)
         WHERE state = 'deferred_next_turn' AND in_line = 0)",
    R"(CREATE INDEX turn_inputs_local ON turn_inputs (session_id, host_id, boot_id, expires_at_ms)
         WHERE state = 'deferred_next_turn' AND host_id IS NOT NULL)",
    R"(CREATE INDEX turn_inputs_claim ON turn_inputs (claim_id) WHERE claim_id IS NOT NULL)",
    R"(CREATE INDEX turn_inputs_tombstones ON turn_inputs (enqueue_seq) WHERE state IN ('cancelled', 'completed'))",

    // Ids that a caller gave, that look like ours, and whose rows are gone: never to be issued.
    R"(CREATE TABLE given_ids (input_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID)",

    // A row once a lane was taken; a NULL lease_token, with all that follows it, is a free lane.
    R"(CREATE TABLE lanes (
         session_id     TEXT PRIMARY KEY,
         fencing_token  INTEGER NOT NULL,  -- u64: of the last acquisition
         lease_token    TEXT,
         owner_id       TEXT,
         incarnation_id TEXT,
         host_id        TEXT,
         boot_id        TEXT,
         pid            INTEGER,
         process_start  TEXT,
         claimed_at_ms  INTEGER,           -- u64
         expires_at_ms  INTEGER            -- u64
       ) STRICT, WITHOUT ROWID)",

    // What the last commit left. At most one row: the first commit binds the store to its session.
    R"(CREATE TABLE head (
         only_row      INTEGER PRIMARY KEY CHECK (only_row = 1),
         session_id    TEXT NOT NULL,
         head_revision INTEGER NOT NULL,  -- u64
         body          TEXT NOT NULL      -- canonical JSON
       ) STRICT)",
    R"(CREATE TABLE stamps (
         session_id       TEXT NOT NULL,
         turn_id          TEXT NOT NULL,
         turn_commit_hash TEXT NOT NULL,
         head_revision    INTEGER NOT NULL,  -- u64, with the two below the answer of the commit
         checkpoint_ref   TEXT NOT NULL,
         manifest         TEXT NOT NULL,
         PRIMARY KEY (session_id, turn_id)
       ) STRICT, WITHOUT ROWID)",

    // A batch with its items, one row an item and one for a batch without any.
    R"(CREATE VIEW batch_items AS
         SELECT enqueue_seq, batch_id, session_id, source_key, delivery_policy, slot_policy, merge_key, merge_group,
                available_at_ms, enqueued_at_ms, position, item_id, type, body
         FROM batches LEFT JOIN items USING (enqueue_seq))",

    // For people.
    R"(CREATE VIEW readable_queue AS
         SELECT session_id, printf('%u', (enqueue_seq | 1 << 63) - (enqueue_seq & 1 << 63)) AS enqueue_seq, batch_id, source_key,
                class, delivery_policy, slot_policy, merge_key, merge_group,
                printf('%u', (available_at_ms | 1 << 63) - (available_at_ms & 1 << 63)) AS available_at_ms,
                printf('%u', (claim_counter | 1 << 63) - (claim_counter & 1 << 63)) AS claim_counter, claim_id, owner_id,
                CASE WHEN claim_id IS NOT NULL
                     THEN printf('%u', (expires_at_ms | 1 << 63) - (expires_at_ms & 1 << 63)) END AS claim_expires_at_ms
         FROM batches LEFT JOIN claims USING (enqueue_seq, session_id) ORDER BY session_id, batches.enqueue_seq)",
    R"(CREATE VIEW readable_turn_inputs AS
         SELECT session_id, printf('%u', (enqueue_seq | 1 << 63) - (enqueue_seq & 1 << 63)) AS enqueue_seq, input_id, source_key,
                state, turn_id, min_boundary, rewritten,
                printf('%u', (claim_counter | 1 << 63) - (claim_counter & 1 << 63)) AS claim_counter, claim_id, owner_id,
                CASE WHEN claim_id IS NOT NULL
                     THEN printf('%u', (expires_at_ms | 1 << 63) - (expires_at_ms & 1 << 63)) END AS claim_expires_at_ms, input
         FROM turn_inputs ORDER BY session_id, turn_inputs.enqueue_seq)",
};

}  // namespace

const Schema& SessionStoreSchema() {
  static const Schema kSchema = {.application_id = 0x6c637373,  // "lcss"
                                 .version = 2,
                                 .tables = kTables};
  return kSchema;
}

}  // namespace leasecheck::sqlite
