// What the tests of the runtime_repository store on SQLite share: a store in a file of its own, and the file's whole content.
#ifndef LEASECHECK_TESTS_ADAPTERS_SQLITE_RUNTIME_REPOSITORY_FIXTURE_H_
#define LEASECHECK_TESTS_ADAPTERS_SQLITE_RUNTIME_REPOSITORY_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/sqlite/runtime_repository.h"
#include "model/environment.h"
#include "model/runtime_repository/store.h"
#include "model/time.h"
#include "tests/adapters/sqlite_fixture.h"
#include "tests/support/runtime_repository_calls.h"

namespace leasecheck::sqlite {

namespace rr = runtime_repository;
using rr::At;
using rr::Status;

inline std::unique_ptr<RuntimeRepository> OpenRepository(const RuntimeRepository::Options& options) {
  auto store = RuntimeRepository::Open(options);
  if (!store.ok()) ADD_FAILURE() << store.status();
  return store.ok() ? *std::move(store) : nullptr;
}

// Calls on a store that somebody else owns.
class Scheduler final : public rr::Calls {
 public:
  explicit Scheduler(rr::RuntimeRepositoryStore* store) : store_(store) {}
  rr::RuntimeRepositoryStore& store() override { return *store_; }

 private:
  rr::RuntimeRepositoryStore* const store_;
};

// Every row of every table, without what each opening counts. The file must not be written meanwhile.
inline std::string DumpRepository(const std::string& path, const std::string& vfs = "") {
  sqlite3* handle = nullptr;
  std::string dump;
  const auto append = [](void* to, int columns, char** values, char**) {
    auto* text = static_cast<std::string*>(to);
    for (int i = 0; i < columns; ++i) absl::StrAppend(text, values[i] == nullptr ? "NULL" : values[i], " ");
    absl::StrAppend(text, "\n");
    return 0;
  };
  if (sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE, vfs.empty() ? nullptr : vfs.c_str()) == SQLITE_OK) {
    for (const char* sql : {"SELECT 'store', clock_ms FROM store", "SELECT 'attempt', * FROM attempts ORDER BY 2",
                            "SELECT 'retry', * FROM retries ORDER BY 2, 3", "SELECT 'letter', * FROM dead_letters ORDER BY 2",
                            "SELECT 'run', * FROM runs ORDER BY 2", "PRAGMA integrity_check", "PRAGMA foreign_key_check"}) {
      if (sqlite3_exec(handle, sql, append, &dump, nullptr) != SQLITE_OK) {
        absl::StrAppend(&dump, "error: ", sqlite3_errmsg(handle), "\n");
      }
    }
  }
  sqlite3_close(handle);
  return dump;
}

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_TESTS_ADAPTERS_SQLITE_RUNTIME_REPOSITORY_FIXTURE_H_
