#include "adapters/sqlite/state_backend_schema.h"

#include "absl/strings/string_view.h"

namespace leasecheck::sqlite {
namespace {

// A column commented "u64" holds x - 2^63 (connection.h). Instants are plain: milliseconds since 1970, before it negative. UUIDs
// are their texts, JSON is canonical text. `place` counts the rows of a table in the order in which they came.
constexpr absl::string_view kTables[] = {
    // What belongs to the store as a whole: schema.h.
    R"(CREATE TABLE store (
         only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
         openings INTEGER NOT NULL,  -- u64
         clock_ms INTEGER NOT NULL,  -- u64
         repairs  INTEGER NOT NULL   -- u64
       ) STRICT)",
    // Minima of the u64 columns stand for 0.
    R"(INSERT INTO store VALUES (1, -9223372036854775808, -9223372036854775808, -9223372036854775808))",

    R"(CREATE TABLE tenants (
         place      INTEGER PRIMARY KEY,
         tenant_id  TEXT NOT NULL UNIQUE,
         name       TEXT NOT NULL,
         status     TEXT NOT NULL CHECK (status IN ('active', 'suspended', 'archived')),
         policy     TEXT,  -- JSON
         limits     TEXT,  -- JSON
         created_at INTEGER NOT NULL,
         updated_at INTEGER NOT NULL
       ) STRICT)",
    R"(INSERT INTO tenants VALUES (1, 'default', 'Default', 'active', NULL, NULL, 0, 0))",

    // A definition that is stored again gets a new place: the last one has the greatest.
    R"(CREATE TABLE definitions (
         place       INTEGER PRIMARY KEY,
         workflow_id TEXT NOT NULL,
         version     TEXT NOT NULL,
         tenant_id   TEXT NOT NULL REFERENCES tenants (tenant_id),
         ir          TEXT NOT NULL,  -- JSON
         created_at  INTEGER NOT NULL,
         UNIQUE (workflow_id, version, tenant_id)
       ) STRICT)",

    R"(CREATE TABLE executions (
         place            INTEGER PRIMARY KEY,
         execution_id     TEXT NOT NULL UNIQUE,
         tenant_id        TEXT NOT NULL REFERENCES tenants (tenant_id),
         workflow_id      TEXT NOT NULL,
         workflow_version TEXT NOT NULL,
         status           TEXT NOT NULL CHECK (status IN
                            ('pending', 'running', 'paused', 'completed', 'failed', 'cancelled', 'limit_exceeded')),
         initial_input    TEXT NOT NULL,  -- JSON
         current_state    TEXT NOT NULL,  -- JSON
         started_at       INTEGER NOT NULL,
         updated_at       INTEGER NOT NULL,
         completed_at     INTEGER,
         session_type     TEXT CHECK (session_type IN
                            ('stateless', 'resumable', 'persistent_governed', 'ephemeral', 'approval_gated'))
       ) STRICT)",
    // The orders that lists are read off: of all or one tenant, of all or one status.
    R"(CREATE INDEX executions_listed ON executions (updated_at DESC, place DESC))",
    R"(CREATE INDEX executions_by_status ON executions (status, updated_at DESC, place DESC))",
    R"(CREATE INDEX executions_by_tenant ON executions (tenant_id, updated_at DESC, place DESC))",
    R"(CREATE INDEX executions_by_both ON executions (tenant_id, status, updated_at DESC, place DESC))",

    R"(CREATE TABLE events (
         execution  INTEGER NOT NULL REFERENCES executions,
         sequence   INTEGER NOT NULL CHECK (sequence > 0),
         event_id   TEXT NOT NULL UNIQUE,
         kind       TEXT NOT NULL,  -- JSON
         created_at INTEGER NOT NULL,
         PRIMARY KEY (execution, sequence)
       ) STRICT, WITHOUT ROWID)",

    R"(CREATE TABLE snapshots (
         execution   INTEGER NOT NULL REFERENCES executions,
         at_sequence INTEGER NOT NULL,
         snapshot_id TEXT NOT NULL,
         state       TEXT NOT NULL,  -- JSON
         created_at  INTEGER NOT NULL,
         PRIMARY KEY (execution, at_sequence)
       ) STRICT, WITHOUT ROWID)",

    R"(CREATE TABLE items (
         place            INTEGER PRIMARY KEY,
         item_id          TEXT NOT NULL UNIQUE,
         tenant_id        TEXT NOT NULL,
         execution        INTEGER NOT NULL REFERENCES executions,
         node_id          TEXT NOT NULL,
         queue_type       TEXT NOT NULL,
         payload          TEXT NOT NULL,  -- JSON
         attempt          INTEGER NOT NULL CHECK (attempt BETWEEN 0 AND 4294967295),
         max_attempts     INTEGER NOT NULL CHECK (max_attempts BETWEEN 0 AND 4294967295),
         created_at       INTEGER NOT NULL,
         status           TEXT NOT NULL CHECK (status IN ('pending', 'claimed', 'completed', 'failed', 'dead_lettered')),
         retry_after      INTEGER,
         -- How a pending item waits for a claim: for the instant of its retry, or no longer. A claim makes the items whose instant
         -- has come ready, and looks at no others; the instant stays, for a clock that goes back.
         line             TEXT NOT NULL CHECK (line IN ('none', 'ready', 'waits')),
         worker_id        TEXT,
         lease_expires_at INTEGER,
         last_error       TEXT NOT NULL,
         dead_lettered_at INTEGER,
         CHECK ((line = 'none') = (status <> 'pending')),
         CHECK ((worker_id IS NOT NULL) = (status = 'claimed') AND (lease_expires_at IS NOT NULL) = (status = 'claimed')),
         CHECK ((dead_lettered_at IS NOT NULL) = (status = 'dead_lettered'))
       ) STRICT)",
    R"(CREATE INDEX items_ready ON items (queue_type, created_at, place) WHERE line = 'ready')",
    R"(CREATE INDEX items_ready_of_tenant ON items (tenant_id, queue_type, created_at, place) WHERE line = 'ready')",
    R"(CREATE INDEX items_waiting ON items (retry_after) WHERE line = 'waits')",
    R"(CREATE INDEX items_leased ON items (lease_expires_at) WHERE status = 'claimed')",
    R"(CREATE INDEX items_leased_of_tenant ON items (tenant_id, lease_expires_at) WHERE status = 'claimed')",
    R"(CREATE INDEX items_buried ON items (item_id) WHERE status = 'dead_lettered')",

    // Of a token's text only its SHA-256 is here, in hexadecimal.
    R"(CREATE TABLE tokens (
         token_id   TEXT NOT NULL PRIMARY KEY,
         hash       TEXT NOT NULL UNIQUE,
         name       TEXT NOT NULL,
         role       TEXT NOT NULL,
         created_at INTEGER NOT NULL,
         expires_at INTEGER,
         tenant_id  TEXT NOT NULL REFERENCES tenants (tenant_id),
         revoked    INTEGER NOT NULL CHECK (revoked IN (0, 1))
       ) STRICT, WITHOUT ROWID)",

    // For people.
    R"(CREATE VIEW readable_items AS
         SELECT item_id, tenant_id, queue_type, status, attempt, max_attempts,
                strftime('%Y-%m-%dT%H:%M:%fZ', created_at / 1000.0, 'unixepoch') AS created_at,
                strftime('%Y-%m-%dT%H:%M:%fZ', retry_after / 1000.0, 'unixepoch') AS retry_after, worker_id,
                strftime('%Y-%m-%dT%H:%M:%fZ', lease_expires_at / 1000.0, 'unixepoch') AS lease_expires_at, last_error
         FROM items ORDER BY place)",
};

}  // namespace

const Schema& StateBackendSchema() {
  static const Schema kSchema = {.application_id = 0x6c637362,  // "lcsb"
                                 .version = 1,
                                 .tables = kTables};
  return kSchema;
}

}  // namespace leasecheck::sqlite
