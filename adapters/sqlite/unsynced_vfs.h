// A SQLite VFS over the default one that loses what was written and not synced: a power cut in a test.
//
// A SIGKILL proves nothing about fsync, because the system keeps what a dead process wrote. Here written bytes stay in this
// process' memory and reach the file (the system's cache, not the disk) only when SQLite syncs it. Crash() drops them, whole or
// in part. A SIGKILL of the process does the same, so a child that uses this VFS loses its unsynced writes when it is killed.
//
//   auto vfs = UnsyncedVfs::Register("unsynced");
//   { auto store = SessionStore::Open({.path = path, ..., .vfs = (*vfs)->name()}); ...  (*vfs)->Crash({}); }
//   (*vfs)->Restart();
//   auto store = SessionStore::Open(...);   // sees what was synced
//
// Limits. One process at a time may use a file through it: others would not see the bytes in memory. Making and removing a file
// takes effect at once. The shared memory of the write-ahead log ("-shm") is the real one; SQLite rebuilds it when the first
// connection opens.
#ifndef LEASECHECK_ADAPTERS_SQLITE_UNSYNCED_VFS_H_
#define LEASECHECK_ADAPTERS_SQLITE_UNSYNCED_VFS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

struct sqlite3_file;
struct sqlite3_vfs;

namespace leasecheck::sqlite {

// Thread-safe. Outlives every connection that uses it.
class UnsyncedVfs {
 public:
  // What a crash does to the unsynced writes.
  struct Loss {
    enum class Of {
      kEverything,  // a power cut at its simplest
      // A power cut in the middle of writing: each of their sectors of kSectorBytes, and each truncation, survives or not by a
      // coin thrown with `seed`. So a write may be torn, and a later write may survive an earlier one.
      kSomeSectors,
      kNothing,  // the process dies and the system does not
    };
    Of of = Of::kEverything;
    uint64_t seed = 0;
  };
  static constexpr uint64_t kSectorBytes = 512;

  // Makes the VFS known to SQLite under this name until it is destroyed. AlreadyExists for a name that is taken.
  static absl::StatusOr<std::unique_ptr<UnsyncedVfs>> Register(const std::string& name);
  ~UnsyncedVfs();
  UnsyncedVfs(const UnsyncedVfs&) = delete;
  UnsyncedVfs& operator=(const UnsyncedVfs&) = delete;

  const std::string& name() const { return name_; }

  // Cuts the power: unsynced writes are lost as `loss` says, and from now on every use of the files fails, so that connections
  // can only be closed.
  void Crash(const Loss& loss);

  // Ends a crash. FailedPrecondition while a file is still open from before it.
  absl::Status Restart();

  // The next `count` syncs fail with an I/O error and sync nothing.
  void FailSyncs(int count);

  uint64_t syncs() const;           // that succeeded
  uint64_t unsynced_bytes() const;  // written and in memory only

  // For the functions that SQLite calls; see unsynced_vfs.cc.
  struct Access;

 private:
  // One write, or a truncation to `offset` where `truncates`.
  struct Change {
    uint64_t offset = 0;
    std::string bytes;
    bool truncates = false;
  };
  // One file, shared by all its handles.
  struct File {
    std::string content;           // as SQLite sees it
    std::vector<Change> unsynced;  // in order
  };

  explicit UnsyncedVfs(const std::string& name);

  static void Apply(const Change& change, std::string* content);
  static std::vector<Change> Survivors(const std::vector<Change>& changes, Loss::Of loss, std::mt19937_64& coin);

  const std::string name_;
  sqlite3_vfs* const real_;  // SQLite's default VFS
  std::unique_ptr<sqlite3_vfs> vfs_;

  mutable absl::Mutex mutex_;
  std::map<std::string, std::shared_ptr<File>> files_ ABSL_GUARDED_BY(mutex_);  // by full path
  bool crashed_ ABSL_GUARDED_BY(mutex_) = false;
  int open_handles_ ABSL_GUARDED_BY(mutex_) = 0;
  int syncs_to_fail_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t syncs_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_UNSYNCED_VFS_H_
