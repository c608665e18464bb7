#include "adapters/sqlite/unsynced_vfs.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"

namespace leasecheck::sqlite {

// The functions that SQLite calls. Files are the real VFS' for locks, shared memory and storage; content and syncs are ours.
struct UnsyncedVfs::Access {
  struct Handle {
    sqlite3_file base;  // first: SQLite sees only this
    UnsyncedVfs* vfs;
    std::shared_ptr<File>* file;  // ours, freed at close: SQLite neither constructs nor destroys a Handle
    sqlite3_file* real;           // in the memory behind this struct
  };
  static Handle* Of(sqlite3_file* file) { return reinterpret_cast<Handle*>(file); }
  static UnsyncedVfs* Of(sqlite3_vfs* vfs) { return static_cast<UnsyncedVfs*>(vfs->pAppData); }
  static sqlite3_file* Real(sqlite3_file* file) { return Of(file)->real; }
  static const sqlite3_io_methods& RealMethods(sqlite3_file* file) { return *Real(file)->pMethods; }
  static bool Crashed(UnsyncedVfs* vfs) {
    absl::MutexLock lock(&vfs->mutex_);
    return vfs->crashed_;
  }

  // Files.

  static int Close(sqlite3_file* file) {
    Handle* handle = Of(file);
    int code = RealMethods(file).xClose(handle->real);
    absl::MutexLock lock(&handle->vfs->mutex_);
    delete handle->file;
    --handle->vfs->open_handles_;
    return code;
  }

  static int Read(sqlite3_file* file, void* to, int amount, sqlite3_int64 offset) {
    Handle* handle = Of(file);
    absl::MutexLock lock(&handle->vfs->mutex_);
    if (handle->vfs->crashed_) return SQLITE_IOERR_READ;
    const std::string& content = (*handle->file)->content;
    std::size_t begin = std::min<std::size_t>(static_cast<std::size_t>(offset), content.size());
    std::size_t length = std::min<std::size_t>(static_cast<std::size_t>(amount), content.size() - begin);
    std::memcpy(to, content.data() + begin, length);
    std::memset(static_cast<char*>(to) + length, 0, static_cast<std::size_t>(amount) - length);
    return length == static_cast<std::size_t>(amount) ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
  }

  static int Change(sqlite3_file* file, UnsyncedVfs::Change change, int failure) {
    Handle* handle = Of(file);
    absl::MutexLock lock(&handle->vfs->mutex_);
    if (handle->vfs->crashed_) return failure;
    UnsyncedVfs::Apply(change, &(*handle->file)->content);
    (*handle->file)->unsynced.push_back(std::move(change));
    return SQLITE_OK;
  }

  static int Write(sqlite3_file* file, const void* from, int amount, sqlite3_int64 offset) {
    return Change(
        file,
        {static_cast<uint64_t>(offset), std::string(static_cast<const char*>(from), static_cast<std::size_t>(amount)), false},
        SQLITE_IOERR_WRITE);
  }

  static int Truncate(sqlite3_file* file, sqlite3_int64 size) {
    return Change(file, {static_cast<uint64_t>(size), "", true}, SQLITE_IOERR_TRUNCATE);
  }

  static int Sync(sqlite3_file* file, int /*flags*/) {
    Handle* handle = Of(file);
    absl::MutexLock lock(&handle->vfs->mutex_);
    if (handle->vfs->crashed_) return SQLITE_IOERR_FSYNC;
    if (handle->vfs->syncs_to_fail_ > 0) {
      --handle->vfs->syncs_to_fail_;
      return SQLITE_IOERR_FSYNC;
    }
    for (const UnsyncedVfs::Change& change : (*handle->file)->unsynced) {
      int code = change.truncates
                     ? RealMethods(file).xTruncate(handle->real, static_cast<sqlite3_int64>(change.offset))
                     : RealMethods(file).xWrite(handle->real, change.bytes.data(), static_cast<int>(change.bytes.size()),
                                                static_cast<sqlite3_int64>(change.offset));
      if (code != SQLITE_OK) return code;
    }
    (*handle->file)->unsynced.clear();
    ++handle->vfs->syncs_;
    return SQLITE_OK;  // a real sync would only make tests slow: the power that is cut here is not the machine's
  }

  static int FileSize(sqlite3_file* file, sqlite3_int64* size) {
    Handle* handle = Of(file);
    absl::MutexLock lock(&handle->vfs->mutex_);
    if (handle->vfs->crashed_) return SQLITE_IOERR_FSTAT;
    *size = static_cast<sqlite3_int64>((*handle->file)->content.size());
    return SQLITE_OK;
  }

  // After a crash no lock is given, so that closing a connection cannot checkpoint or remove the log; giving one up works.
  static int Lock(sqlite3_file* file, int level) {
    return Crashed(Of(file)->vfs) ? SQLITE_IOERR_LOCK : RealMethods(file).xLock(Real(file), level);
  }
  static int Unlock(sqlite3_file* file, int level) { return RealMethods(file).xUnlock(Real(file), level); }
  static int CheckReservedLock(sqlite3_file* file, int* held) { return RealMethods(file).xCheckReservedLock(Real(file), held); }

  static int FileControl(sqlite3_file* file, int operation, void* argument) {
    // These would change the real file's size behind our back.
    if (operation == SQLITE_FCNTL_SIZE_HINT || operation == SQLITE_FCNTL_CHUNK_SIZE) return SQLITE_NOTFOUND;
    return RealMethods(file).xFileControl(Real(file), operation, argument);
  }
  static int SectorSize(sqlite3_file* file) { return RealMethods(file).xSectorSize(Real(file)); }
  static int DeviceCharacteristics(sqlite3_file* file) { return RealMethods(file).xDeviceCharacteristics(Real(file)); }

  static int ShmMap(sqlite3_file* file, int page, int size, int extend, void volatile** memory) {
    return Crashed(Of(file)->vfs) ? SQLITE_IOERR_SHMMAP : RealMethods(file).xShmMap(Real(file), page, size, extend, memory);
  }
  static int ShmLock(sqlite3_file* file, int offset, int n, int flags) {
    if ((flags & SQLITE_SHM_LOCK) != 0 && Crashed(Of(file)->vfs)) return SQLITE_IOERR_SHMLOCK;
    return RealMethods(file).xShmLock(Real(file), offset, n, flags);
  }
  static void ShmBarrier(sqlite3_file* file) { RealMethods(file).xShmBarrier(Real(file)); }
  static int ShmUnmap(sqlite3_file* file, int remove) { return RealMethods(file).xShmUnmap(Real(file), remove); }

  // Version 2: shared memory, and no reading by memory map, which would bypass `content`.
  static constexpr sqlite3_io_methods kMethods = {2,
                                                  Close,
                                                  Read,
                                                  Write,
                                                  Truncate,
                                                  Sync,
                                                  FileSize,
                                                  Lock,
                                                  Unlock,
                                                  CheckReservedLock,
                                                  FileControl,
                                                  SectorSize,
                                                  DeviceCharacteristics,
                                                  ShmMap,
                                                  ShmLock,
                                                  ShmBarrier,
                                                  ShmUnmap,
                                                  nullptr,
                                                  nullptr};

  // The VFS.

  static int Load(sqlite3_file* real, std::string* content) {
    sqlite3_int64 size = 0;
    int code = real->pMethods->xFileSize(real, &size);
    if (code != SQLITE_OK || size == 0) return code;
    content->resize(static_cast<std::size_t>(size));
    return real->pMethods->xRead(real, content->data(), static_cast<int>(size), 0);
  }

  static int Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* flags_out) {
    UnsyncedVfs* self = Of(vfs);
    // Temporary files die with their connection anyway.
    if (name == nullptr || (flags & SQLITE_OPEN_DELETEONCLOSE) != 0) {
      return self->real_->xOpen(self->real_, name, file, flags, flags_out);
    }
    Handle* handle = Of(file);
    handle->base.pMethods = nullptr;
    absl::MutexLock lock(&self->mutex_);
    if (self->crashed_) return SQLITE_CANTOPEN;
    handle->vfs = self;
    handle->real = reinterpret_cast<sqlite3_file*>(handle + 1);
    int code = self->real_->xOpen(self->real_, name, handle->real, flags, flags_out);
    if (code != SQLITE_OK) return code;
    std::shared_ptr<File>& tracked = self->files_[name];
    if (tracked == nullptr) {
      tracked = std::make_shared<File>();
      code = Load(handle->real, &tracked->content);
    }
    if (code != SQLITE_OK) {
      self->files_.erase(name);
      handle->real->pMethods->xClose(handle->real);
      return code;
    }
    handle->file = new std::shared_ptr<File>(tracked);
    handle->base.pMethods = &kMethods;
    ++self->open_handles_;
    return SQLITE_OK;
  }

  static int Delete(sqlite3_vfs* vfs, const char* name, int sync_directory) {
    UnsyncedVfs* self = Of(vfs);
    absl::MutexLock lock(&self->mutex_);
    if (self->crashed_) return SQLITE_IOERR_DELETE;
    self->files_.erase(name);
    return self->real_->xDelete(self->real_, name, sync_directory);
  }

  static int AccessFile(sqlite3_vfs* vfs, const char* name, int flags, int* result) {
    UnsyncedVfs* self = Of(vfs);
    absl::MutexLock lock(&self->mutex_);
    // The real VFS takes an empty file for none, and the real file may be empty still.
    auto found = self->files_.find(name);
    if (flags == SQLITE_ACCESS_EXISTS && found != self->files_.end()) {
      *result = found->second->content.empty() ? 0 : 1;
      return SQLITE_OK;
    }
    return self->real_->xAccess(self->real_, name, flags, result);
  }

  static int FullPathname(sqlite3_vfs* vfs, const char* name, int size, char* out) {
    return Of(vfs)->real_->xFullPathname(Of(vfs)->real_, name, size, out);
  }
  static int Randomness(sqlite3_vfs* vfs, int size, char* out) { return Of(vfs)->real_->xRandomness(Of(vfs)->real_, size, out); }
  static int Sleep(sqlite3_vfs* vfs, int microseconds) { return Of(vfs)->real_->xSleep(Of(vfs)->real_, microseconds); }
  static int CurrentTime(sqlite3_vfs* vfs, double* now) { return Of(vfs)->real_->xCurrentTime(Of(vfs)->real_, now); }
  static int GetLastError(sqlite3_vfs* vfs, int size, char* out) {
    return Of(vfs)->real_->xGetLastError(Of(vfs)->real_, size, out);
  }
};

UnsyncedVfs::UnsyncedVfs(const std::string& name)
    : name_(name), real_(sqlite3_vfs_find(nullptr)), vfs_(std::make_unique<sqlite3_vfs>()) {
  vfs_->iVersion = 1;
  vfs_->szOsFile = static_cast<int>(sizeof(Access::Handle)) + real_->szOsFile;
  vfs_->mxPathname = real_->mxPathname;
  vfs_->zName = name_.c_str();
  vfs_->pAppData = this;
  vfs_->xOpen = Access::Open;
  vfs_->xDelete = Access::Delete;
  vfs_->xAccess = Access::AccessFile;
  vfs_->xFullPathname = Access::FullPathname;
  vfs_->xRandomness = Access::Randomness;
  vfs_->xSleep = Access::Sleep;
  vfs_->xCurrentTime = Access::CurrentTime;
  vfs_->xGetLastError = Access::GetLastError;
}

absl::StatusOr<std::unique_ptr<UnsyncedVfs>> UnsyncedVfs::Register(const std::string& name) {
  if (sqlite3_vfs_find(name.c_str()) != nullptr) {
    return absl::AlreadyExistsError(absl::StrCat("SQLite has a VFS of the name '", name, "' already"));
  }
  std::unique_ptr<UnsyncedVfs> vfs(new UnsyncedVfs(name));
  int code = sqlite3_vfs_register(vfs->vfs_.get(), 0);
  if (code != SQLITE_OK) return absl::InternalError(absl::StrCat("SQLite refused the VFS '", name, "': ", sqlite3_errstr(code)));
  return vfs;
}

UnsyncedVfs::~UnsyncedVfs() { sqlite3_vfs_unregister(vfs_.get()); }

void UnsyncedVfs::Apply(const Change& change, std::string* content) {
  if (change.truncates) {
    content->resize(change.offset);
    return;
  }
  if (content->size() < change.offset + change.bytes.size()) content->resize(change.offset + change.bytes.size());
  content->replace(change.offset, change.bytes.size(), change.bytes);
}

std::vector<UnsyncedVfs::Change> UnsyncedVfs::Survivors(const std::vector<Change>& changes, Loss::Of loss,
                                                        std::mt19937_64& coin) {
  if (loss == Loss::Of::kEverything) return {};
  if (loss == Loss::Of::kNothing) return changes;
  std::vector<Change> survivors;
  for (const Change& change : changes) {
    if (change.truncates) {
      if (coin() % 2 == 0) survivors.push_back(change);
      continue;
    }
    for (uint64_t begin = 0; begin < change.bytes.size();) {
      uint64_t at = change.offset + begin;
      uint64_t length = std::min<uint64_t>(kSectorBytes - at % kSectorBytes, change.bytes.size() - begin);
      if (coin() % 2 == 0) survivors.push_back({at, change.bytes.substr(begin, length), false});
      begin += length;
    }
  }
  return survivors;
}

void UnsyncedVfs::Crash(const Loss& loss) {
  absl::MutexLock lock(&mutex_);
  crashed_ = true;
  std::mt19937_64 coin(loss.seed);
  for (const auto& [path, file] : files_) {
    std::vector<Change> survivors = Survivors(file->unsynced, loss.of, coin);
    if (survivors.empty()) continue;
    // Closing this descriptor drops the process' locks on the file, which mean nothing any more.
    int descriptor = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) continue;  // removed meanwhile
    for (const Change& change : survivors) {
      auto offset = static_cast<off_t>(change.offset);
      ssize_t done =
          change.truncates ? ftruncate(descriptor, offset) : pwrite(descriptor, change.bytes.data(), change.bytes.size(), offset);
      if (done < 0) break;  // a write that fails is one more that is lost
    }
    close(descriptor);
  }
  files_.clear();
}

absl::Status UnsyncedVfs::Restart() {
  absl::MutexLock lock(&mutex_);
  if (open_handles_ > 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(open_handles_, " files are still open from before the crash; close them first"));
  }
  crashed_ = false;
  files_.clear();
  return absl::OkStatus();
}

void UnsyncedVfs::FailSyncs(int count) {
  absl::MutexLock lock(&mutex_);
  syncs_to_fail_ = count;
}

uint64_t UnsyncedVfs::syncs() const {
  absl::MutexLock lock(&mutex_);
  return syncs_;
}

uint64_t UnsyncedVfs::unsynced_bytes() const {
  absl::MutexLock lock(&mutex_);
  uint64_t bytes = 0;
  for (const auto& [path, file] : files_) {
    for (const Change& change : file->unsynced) bytes += change.bytes.size();
  }
  return bytes;
}

}  // namespace leasecheck::sqlite
