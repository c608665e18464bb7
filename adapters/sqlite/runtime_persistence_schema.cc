#include "adapters/sqlite/runtime_persistence_schema.h"

#include "absl/strings/string_view.h"

namespace leasecheck::sqlite {
namespace {

// A column commented "u64" holds x - 2^63 (connection.h); the view at the end shows it as people write it.
constexpr absl::string_view kTables[] = {
    // What belongs to the store as a whole: schema.h.
    R"(CREATE TABLE store (
         only_row         INTEGER PRIMARY KEY CHECK (only_row = 1),
         last_enqueue_seq INTEGER NOT NULL,  -- u64
         openings         INTEGER NOT NULL,  -- u64
         clock_ms         INTEGER NOT NULL,  -- u64
         repairs          INTEGER NOT NULL   -- u64
       ) STRICT)",
    // Minima of the u64 columns stand for 0.
    R"(INSERT INTO store VALUES (1, -9223372036854775808, -9223372036854775808, -9223372036854775808, -9223372036854775808))",

    // The graph. `position` is the order of storage: what is appended has the largest. A tombstoned row is in no answer.
    R"(CREATE TABLE nodes (
         position       INTEGER PRIMARY KEY,
         node_id        TEXT NOT NULL UNIQUE,
         parent_node_id TEXT,           -- need not be a row
         caused_by      TEXT,           -- canonical JSON
         agent_frame_id TEXT,
         timestamp      TEXT NOT NULL,
         payload        TEXT NOT NULL,  -- canonical JSON: an object with a "kind"
         tombstoned     INTEGER NOT NULL CHECK (tombstoned IN (0, 1))
       ) STRICT)",
    R"(CREATE INDEX nodes_tombstoned ON nodes (position) WHERE tombstoned = 1)",

    // Snapshots, by the digest of what they are: equal content is stored once.
    R"(CREATE TABLE blobs (
         ref     TEXT NOT NULL PRIMARY KEY,
         content ANY NOT NULL CHECK (typeof(content) IN ('text', 'blob'))  -- canonical JSON, or bytes
       ) STRICT)",
    // Checkpoints, by the digest of their fields. A ref need not be a blob's: callers may name what nobody stored.
    R"(CREATE TABLE checkpoints (
         ref                      TEXT NOT NULL PRIMARY KEY,
         turn_state               TEXT NOT NULL,  -- canonical JSON
         tool_state_ref           TEXT,
         plugin_snapshot_ref      TEXT,
         plugin_snapshot_revision INTEGER,        -- u64
         execution_state_ref      TEXT
       ) STRICT)",

    // What the last commit left, beside graph and ledger. At most one row: the first commit binds the store to its session.
    R"(CREATE TABLE head (
         only_row               INTEGER PRIMARY KEY CHECK (only_row = 1),
         session_id             TEXT NOT NULL,
         head_revision          INTEGER NOT NULL,  -- u64
         provider_id            TEXT NOT NULL,
         model                  TEXT NOT NULL,     -- canonical JSON
         agent_frames           TEXT NOT NULL,     -- canonical JSON: an array of frames
         current_agent_frame_id TEXT NOT NULL,
         leaf_node_id           TEXT,              -- need not be a row
         checkpoint_ref         TEXT NOT NULL REFERENCES checkpoints
       ) STRICT)",

    // The token ledger: one row a pair, in the order in which the pairs came.
    R"(CREATE TABLE ledger (
         position            INTEGER PRIMARY KEY,
         source              TEXT NOT NULL,
         model               TEXT NOT NULL,
         input_tokens        INTEGER NOT NULL,
         output_tokens       INTEGER NOT NULL,
         cached_input_tokens INTEGER NOT NULL,
         reasoning_tokens    INTEGER NOT NULL,
         UNIQUE (source, model)
       ) STRICT)",

    // Turns that were accepted, with the answers that they had: a retry gets them again, whatever became of the checkpoint.
    R"(CREATE TABLE stamps (
         session_id               TEXT NOT NULL,
         turn_id                  TEXT NOT NULL,
         turn_commit_hash         TEXT NOT NULL,
         head_revision            INTEGER NOT NULL,  -- u64
         checkpoint_ref           TEXT NOT NULL,
         turn_state               TEXT NOT NULL,     -- this and what follows: the manifest
         tool_state_ref           TEXT,
         plugin_snapshot_ref      TEXT,
         plugin_snapshot_revision INTEGER,           -- u64
         execution_state_ref      TEXT,
         PRIMARY KEY (session_id, turn_id)
       ) STRICT, WITHOUT ROWID)",

    R"(CREATE TABLE meta (
         only_row          INTEGER PRIMARY KEY CHECK (only_row = 1),
         session_id        TEXT NOT NULL,
         session_name      TEXT NOT NULL,
         created_at        TEXT NOT NULL,
         model             TEXT NOT NULL,
         cwd               TEXT,
         parent_session_id TEXT,  -- NULL: the session is a root
         caused_by         TEXT CHECK (caused_by IS NULL OR parent_session_id IS NOT NULL)  -- canonical JSON
       ) STRICT)",

    // The queue: claim_rows.h says what its columns mean.
    R"(CREATE TABLE batches (
         enqueue_seq     INTEGER PRIMARY KEY,  -- u64
         batch_id        TEXT NOT NULL UNIQUE,
         session_id      TEXT NOT NULL,
         source_key      TEXT,
         delivery_policy TEXT NOT NULL CHECK (delivery_policy IN ('earliest_safe_boundary', 'after_current_turn_commit')),
         slot_policy     TEXT NOT NULL CHECK (slot_policy IN ('join', 'exclusive')),
         merge_key       TEXT NOT NULL CHECK (merge_key IN ('never', 'payload_default', 'group')),
         merge_group     TEXT CHECK ((merge_group IS NOT NULL) = (merge_key = 'group')),
         available_at_ms INTEGER NOT NULL,     -- u64
         enqueued_at_ms  INTEGER NOT NULL,     -- u64
         claim_counter   INTEGER NOT NULL,     -- u64
         ready_at_ms     INTEGER NOT NULL,     -- u64
         in_line         INTEGER NOT NULL CHECK (in_line IN (0, 1))
       ) STRICT)",
    R"(CREATE UNIQUE INDEX batches_source_key ON batches (session_id, source_key) WHERE source_key IS NOT NULL)",
    R"(CREATE INDEX batches_all ON batches (session_id, enqueue_seq))",
    R"(CREATE INDEX batches_line ON batches (session_id, enqueue_seq, ready_at_ms) WHERE in_line = 1)",
    R"(CREATE INDEX batches_waiting ON batches (session_id, ready_at_ms) WHERE in_line = 0)",
    R"(CREATE TABLE items (
         enqueue_seq INTEGER NOT NULL REFERENCES batches ON DELETE CASCADE,  -- u64
         position    INTEGER NOT NULL,
         item_id     TEXT NOT NULL,
         type        TEXT NOT NULL CHECK (type IN ('turn_input', 'process_wake', 'session_command')),
         body        TEXT NOT NULL,  -- canonical JSON
         PRIMARY KEY (enqueue_seq, position)
       ) STRICT, WITHOUT ROWID)",
    R"(CREATE TABLE claims (
         enqueue_seq   INTEGER PRIMARY KEY REFERENCES batches ON DELETE CASCADE,  -- u64
         session_id    TEXT NOT NULL,  -- the batch's
         claim_id      TEXT NOT NULL,
         lease_token   TEXT NOT NULL,
         owner_id      TEXT NOT NULL,
         expires_at_ms INTEGER NOT NULL  -- u64
       ) STRICT)",
    R"(CREATE INDEX claims_grant ON claims (claim_id))",
    // A batch with its items, one row an item and one for a batch without any.
    R"(CREATE VIEW batch_items AS
         SELECT enqueue_seq, batch_id, session_id, source_key, delivery_policy, slot_policy, merge_key, merge_group,
                available_at_ms, enqueued_at_ms, position, item_id, type, body
         FROM batches LEFT JOIN items USING (enqueue_seq))",

    // The write-ahead list of attachments.
    R"(CREATE TABLE attachments (
         session_id      TEXT NOT NULL,
         attachment_id   TEXT NOT NULL,
         canonical_uri   TEXT NOT NULL,
         intent_at_ms    INTEGER NOT NULL,  -- u64: the caller's time
         committed_at_ms INTEGER,           -- u64: the store's
         PRIMARY KEY (session_id, attachment_id)
       ) STRICT, WITHOUT ROWID)",
    R"(CREATE INDEX attachments_of_id ON attachments (attachment_id))",
    R"(CREATE INDEX attachments_uncommitted ON attachments (intent_at_ms, session_id, attachment_id)
         WHERE committed_at_ms IS NULL)",

    // For people.
    R"(CREATE VIEW readable_queue AS
         SELECT session_id, printf('%u', (enqueue_seq | 1 << 63) - (enqueue_seq & 1 << 63)) AS enqueue_seq, batch_id, source_key,
                delivery_policy, slot_policy, merge_key, merge_group,
                printf('%u', (available_at_ms | 1 << 63) - (available_at_ms & 1 << 63)) AS available_at_ms,
                printf('%u', (claim_counter | 1 << 63) - (claim_counter & 1 << 63)) AS claim_counter, claim_id, owner_id,
                CASE WHEN claim_id IS NOT NULL
                     THEN printf('%u', (expires_at_ms | 1 << 63) - (expires_at_ms & 1 << 63)) END AS claim_expires_at_ms
         FROM batches LEFT JOIN claims USING (enqueue_seq, session_id) ORDER BY session_id, batches.enqueue_seq)",
};

}  // namespace

const Schema& RuntimePersistenceSchema() {
  static const Schema kSchema = {.application_id = 0x6c637270,  // "lcrp"
                                 .version = 1,
                                 .tables = kTables};
  return kSchema;
}

}  // namespace leasecheck::sqlite
