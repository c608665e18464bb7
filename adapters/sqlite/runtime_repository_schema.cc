#include "adapters/sqlite/runtime_repository_schema.h"

#include "absl/strings/string_view.h"

namespace leasecheck::sqlite {
namespace {

// A column commented "u64" holds x - 2^63 (connection.h). Instants are plain: milliseconds since 1970, before it negative.
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

    // An attempt, and in the same row its lease: it has one at most.
    R"(CREATE TABLE attempts (
         attempt_id        TEXT NOT NULL PRIMARY KEY,
         run_id            TEXT NOT NULL,
         attempt_no        INTEGER NOT NULL CHECK (attempt_no BETWEEN 1 AND 4294967295),
         status            TEXT NOT NULL CHECK (status IN
                             ('Queued', 'Leased', 'Running', 'RetryBackoff', 'Completed', 'Failed', 'Cancelled')),
         priority          INTEGER NOT NULL,
         tenant_id         TEXT,
         retry_at          INTEGER,
         started_at        INTEGER,
         timeout_ms        INTEGER,
         on_timeout_status TEXT CHECK (on_timeout_status IN ('Failed', 'Cancelled')),
         retry_policy      TEXT,             -- canonical JSON: the policy that was given last
         lease_id          TEXT UNIQUE,      -- NULL: no lease
         worker_id         TEXT,
         lease_expires_at  INTEGER,
         heartbeat_at      INTEGER,
         version           INTEGER,          -- u64
         -- How the attempt waits for dispatch, which follows from the columns above: not at all, or ready at any time, or from
         -- ready_from on.
         line              TEXT NOT NULL CHECK (line IN ('none', 'ready', 'waits')),
         ready_from        INTEGER CHECK ((ready_from IS NOT NULL) = (line = 'waits')),
         -- Of a Leased or Running attempt with a timeout, unless that leads beyond the end of time.
         times_out_at      INTEGER,
         CHECK ((timeout_ms IS NULL) = (on_timeout_status IS NULL)),
         CHECK ((lease_id IS NULL) = (worker_id IS NULL) AND (lease_id IS NULL) = (lease_expires_at IS NULL) AND
                (lease_id IS NULL) = (heartbeat_at IS NULL) AND (lease_id IS NULL) = (version IS NULL))
       ) STRICT)",
    // The dispatch order.
    R"(CREATE INDEX attempts_ready ON attempts (priority DESC, attempt_no, attempt_id) WHERE line = 'ready')",
    R"(CREATE INDEX attempts_waiting ON attempts (ready_from) WHERE line = 'waits')",
    R"(CREATE INDEX attempts_expiry ON attempts (lease_expires_at) WHERE lease_id IS NOT NULL)",
    R"(CREATE INDEX attempts_of_worker ON attempts (worker_id, lease_expires_at) WHERE lease_id IS NOT NULL)",
    R"(CREATE INDEX attempts_of_tenant ON attempts (tenant_id, lease_expires_at) WHERE lease_id IS NOT NULL)",
    R"(CREATE INDEX attempts_timeout ON attempts (times_out_at) WHERE times_out_at IS NOT NULL)",

    // The retries that acks scheduled. A number fails once at most.
    R"(CREATE TABLE retries (
         attempt_id TEXT NOT NULL REFERENCES attempts,
         attempt_no INTEGER NOT NULL,
         retry_at   INTEGER NOT NULL,
         PRIMARY KEY (attempt_id, attempt_no)
       ) STRICT, WITHOUT ROWID)",

    R"(CREATE TABLE dead_letters (
         attempt_id    TEXT NOT NULL PRIMARY KEY REFERENCES attempts,
         reason        TEXT NOT NULL,
         replay_status TEXT NOT NULL CHECK (replay_status IN ('pending', 'replayed')),
         dead_at       INTEGER NOT NULL,
         replay_count  INTEGER NOT NULL,  -- u64
         replayed_at   INTEGER            -- of the last replay: for people
       ) STRICT, WITHOUT ROWID)",

    // The number of the last event of each run that has one.
    R"(CREATE TABLE runs (
         run_id     TEXT NOT NULL PRIMARY KEY,
         latest_seq INTEGER NOT NULL  -- u64
       ) STRICT, WITHOUT ROWID)",

    // For people.
    R"(CREATE VIEW readable_attempts AS
         SELECT attempt_id, run_id, attempt_no, status, priority, tenant_id,
                strftime('%Y-%m-%dT%H:%M:%fZ', retry_at / 1000.0, 'unixepoch') AS retry_at,
                strftime('%Y-%m-%dT%H:%M:%fZ', started_at / 1000.0, 'unixepoch') AS started_at, lease_id, worker_id,
                strftime('%Y-%m-%dT%H:%M:%fZ', lease_expires_at / 1000.0, 'unixepoch') AS lease_expires_at
         FROM attempts ORDER BY attempt_id)",
};

}  // namespace

const Schema& RuntimeRepositorySchema() {
  static const Schema kSchema = {.application_id = 0x6c637272,  // "lcrr"
                                 .version = 1,
                                 .tables = kTables};
  return kSchema;
}

}  // namespace leasecheck::sqlite
