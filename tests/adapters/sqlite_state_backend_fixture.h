// What the tests of the state_backend store on SQLite share: a store in a file of its own, and the file's whole content.
#ifndef LEASECHECK_TESTS_ADAPTERS_SQLITE_STATE_BACKEND_FIXTURE_H_
#define LEASECHECK_TESTS_ADAPTERS_SQLITE_STATE_BACKEND_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/sqlite/state_backend.h"
#include "model/environment.h"
#include "model/state_backend/store.h"
#include "model/time.h"
#include "tests/adapters/sqlite_fixture.h"
#include "tests/support/state_backend_calls.h"

namespace leasecheck::sqlite {

namespace sb = state_backend;
using sb::At;
using sb::E;
using sb::I;

inline std::unique_ptr<StateBackend> OpenBackend(const StateBackend::Options& options) {
  auto store = StateBackend::Open(options);
  if (!store.ok()) ADD_FAILURE() << store.status();
  return store.ok() ? *std::move(store) : nullptr;
}

// Calls on a store that somebody else owns.
class Engine final : public sb::Calls {
 public:
  explicit Engine(sb::StateBackendStore* store) : store_(store) {}
  sb::StateBackendStore& store() override { return *store_; }

 private:
  sb::StateBackendStore* const store_;
};

// Every row of every table, without what each opening counts. The file must not be written meanwhile.
inline std::string DumpBackend(const std::string& path, const std::string& vfs = "") {
  sqlite3* handle = nullptr;
  std::string dump;
  const auto append = [](void* to, int columns, char** values, char**) {
    auto* text = static_cast<std::string*>(to);
    for (int i = 0; i < columns; ++i) absl::StrAppend(text, values[i] == nullptr ? "NULL" : values[i], " ");
    absl::StrAppend(text, "\n");
    return 0;
  };
  if (sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE, vfs.empty() ? nullptr : vfs.c_str()) == SQLITE_OK) {
    for (const char* sql : {"SELECT 'store', clock_ms FROM store", "SELECT 'tenant', * FROM tenants ORDER BY 2",
                            "SELECT 'definition', * FROM definitions ORDER BY 2",
                            "SELECT 'execution', * FROM executions ORDER BY 2", "SELECT 'event', * FROM events ORDER BY 2, 3",
                            "SELECT 'snapshot', * FROM snapshots ORDER BY 2, 3", "SELECT 'item', * FROM items ORDER BY 2",
                            "SELECT 'token', * FROM tokens ORDER BY 2", "PRAGMA integrity_check", "PRAGMA foreign_key_check"}) {
      if (sqlite3_exec(handle, sql, append, &dump, nullptr) != SQLITE_OK) {
        absl::StrAppend(&dump, "error: ", sqlite3_errmsg(handle), "\n");
      }
    }
  }
  sqlite3_close(handle);
  return dump;
}

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_TESTS_ADAPTERS_SQLITE_STATE_BACKEND_FIXTURE_H_
