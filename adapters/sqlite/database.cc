#include "adapters/sqlite/database.h"

#include <unistd.h>

#include <cerrno>
#include <random>
#include <vector>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"

namespace leasecheck::sqlite {
namespace {

absl::Status Check(const StoreOptions& options) {
  if (options.connections < 1) return absl::InvalidArgumentError("a SQLite store needs at least 1 connection");
  if (options.path == ":memory:" && options.connections != 1) {
    return absl::InvalidArgumentError(
        "a SQLite store in memory has exactly 1 connection: a second one would see another database");
  }
  if (options.environment.clock == nullptr && !options.clock_in_database) {
    return absl::InvalidArgumentError("a SQLite store needs a clock, or clock_in_database");
  }
  return absl::OkStatus();
}

uint64_t RandomWord(const std::optional<uint64_t>& seed, uint64_t opening) {
  if (!seed.has_value()) return absl::Uniform<uint64_t>(absl::BitGen());
  return std::mt19937_64(*seed + opening)();
}

// The message of `status`, led by the file's name where it is not in it.
absl::Status WithPath(const absl::Status& status, absl::string_view path) {
  if (status.ok() || status.message().find(path) != absl::string_view::npos) return status;
  return absl::Status(status.code(), absl::StrCat("'", path, "': ", status.message()));
}

}  // namespace

template <>
absl::Status TroubleError<absl::Status>(absl::string_view text) {
  return absl::UnavailableError(text);
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const StoreOptions& options, const Schema& schema) {
  absl::Status status = Check(options);
  std::unique_ptr<Database> database;
  if (status.ok()) {
    database.reset(new Database(options));
    status = database->OpenConnections(schema);
  }
  if (!status.ok()) return WithPath(status, options.path);
  return database;
}

absl::Status Database::OpenConnections(const Schema& schema) {
  std::vector<std::unique_ptr<Connection>> connections;
  for (int i = 0; i < options_.connections; ++i) {
    absl::StatusOr<std::unique_ptr<Connection>> connection =
        Connection::Open({.path = options_.path, .vfs = options_.vfs, .busy_timeout = options_.busy_timeout}, &gate_);
    if (!connection.ok()) return connection.status();
    absl::Status status = ConfigureConnection(**connection, options_.synchronous, options_.busy_timeout);
    if (status.ok() && i == 0) status = EnsureSchema(**connection, schema);
    if (!status.ok()) return status;
    connections.push_back(*std::move(connection));
  }
  absl::StatusOr<uint64_t> opening = CountOpening(*connections.front());
  if (!opening.ok()) return opening.status();
  ids_ = std::make_unique<IdSource>(*opening, RandomWord(options_.id_seed, *opening));
  pool_ = std::make_unique<Pool>(std::move(connections));
  return absl::OkStatus();
}

absl::Status Database::Remove(absl::string_view path) {
  for (absl::string_view suffix : {"", "-wal", "-shm", "-journal"}) {
    std::string file = absl::StrCat(path, suffix);
    if (unlink(file.c_str()) != 0 && errno != ENOENT) {
      return absl::ErrnoToStatus(errno, absl::StrCat("cannot remove '", file, "'"));
    }
  }
  return absl::OkStatus();
}

absl::Status Database::SetClock(EpochMs now) {
  if (!options_.clock_in_database) return absl::FailedPreconditionError("the clock of this SQLite store is not in its database");
  tl::expected<EpochMs, absl::Status> moved = Write([&](Transaction& transaction, EpochMs) {
    WriteClock(transaction, now);
    return tl::expected<EpochMs, absl::Status>(now);
  });
  return moved.has_value() ? absl::OkStatus() : moved.error();
}

absl::Status Database::Health() const {
  absl::MutexLock lock(&health_mutex_);
  return health_;
}

absl::Status Database::Trouble() const {
  absl::MutexLock lock(&health_mutex_);
  return trouble_;
}

std::string Database::NoteTrouble(const absl::Status& trouble) {
  absl::MutexLock lock(&health_mutex_);
  trouble_ = trouble;
  return std::string(trouble.message());
}

void Database::Pause(absl::string_view point) const {
  if (options_.environment.pause != nullptr) options_.environment.pause->Pause(point);
}

EpochMs Database::Now(Transaction& transaction) const {
  return options_.clock_in_database ? ReadClock(transaction) : options_.environment.clock->Now();
}

void Database::OverwriteDoubt(Connection& connection, const absl::Status& why) {
  absl::Status status;
  {
    Transaction transaction(connection, Transaction::Mode::kWrite);
    CountRepair(transaction);
    status = transaction.Commit();
  }
  if (status.ok()) return;
  absl::MutexLock lock(&health_mutex_);
  health_.Update(absl::UnavailableError(absl::StrCat(
      "the store is broken: a commit failed while writing and may come back when it is opened again (", why.message(), ")")));
}

}  // namespace leasecheck::sqlite
