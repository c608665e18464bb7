// Tells ThreadSanitizer what absl::Mutex orders.
//
// Debian's Abseil is compiled without ThreadSanitizer, so its locks are invisible to it and every member that one guards looks
// like a race. Linked into a ThreadSanitizer build with the linker's --wrap (TsanMutex.cmake), these functions stand in front of
// Abseil's own: what happened before an unlock happened before the next lock. No report is suppressed: members that two threads
// touch under different mutexes, or under none, are still races.
//
// Wrapped are the calls that our code makes: Lock, Unlock, TryLock, the Reader forms, Await and LockWhen, and CondVar's Wait
// forms.
//
// Abseil's own search for deadlocks is switched off here: it keeps a table under a lock of Abseil's that nobody sees, so two
// threads that make and destroy mutexes would look like a race on it. It is on in every other build.
#include <sanitizer/tsan_interface.h>

#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

// The mangled names of Debian 12's Abseil.
#define LEASECHECK_MUTEX(method) _ZN4absl7debian35Mutex##method
#define LEASECHECK_REAL(name) LEASECHECK_PASTE(__real_, name)
#define LEASECHECK_WRAP(name) LEASECHECK_PASTE(__wrap_, name)
#define LEASECHECK_PASTE(a, b) LEASECHECK_PASTE_NOW(a, b)
#define LEASECHECK_PASTE_NOW(a, b) a##b

// A method that takes the mutex.
#define LEASECHECK_ACQUIRES(method)                                  \
  void LEASECHECK_REAL(LEASECHECK_MUTEX(method))(absl::Mutex * mu);  \
  void LEASECHECK_WRAP(LEASECHECK_MUTEX(method))(absl::Mutex * mu) { \
    LEASECHECK_REAL(LEASECHECK_MUTEX(method))(mu);                   \
    __tsan_acquire(mu);                                              \
  }
// One that may.
#define LEASECHECK_TRIES(method)                                      \
  bool LEASECHECK_REAL(LEASECHECK_MUTEX(method))(absl::Mutex * mu);   \
  bool LEASECHECK_WRAP(LEASECHECK_MUTEX(method))(absl::Mutex * mu) {  \
    const bool taken = LEASECHECK_REAL(LEASECHECK_MUTEX(method))(mu); \
    if (taken) __tsan_acquire(mu);                                    \
    return taken;                                                     \
  }
// One that gives it back.
#define LEASECHECK_RELEASES(method)                                  \
  void LEASECHECK_REAL(LEASECHECK_MUTEX(method))(absl::Mutex * mu);  \
  void LEASECHECK_WRAP(LEASECHECK_MUTEX(method))(absl::Mutex * mu) { \
    __tsan_release(mu);                                              \
    LEASECHECK_REAL(LEASECHECK_MUTEX(method))(mu);                   \
  }
namespace {

// Waits for the condition with the mutex held at the beginning and at the end. Abseil would let whoever unlocks ask it, unseen;
// here only the waiting thread does.
bool Poll(absl::Mutex& mu, const absl::Condition& condition, absl::Time deadline) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  while (!condition.Eval()) {
    if (absl::Now() >= deadline) return false;
    mu.Unlock();
    absl::SleepFor(absl::Microseconds(100));
    mu.Lock();
  }
  return true;
}

[[maybe_unused]] const bool kNoDeadlockSearch = [] {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  return true;
}();

}  // namespace

extern "C" {

LEASECHECK_ACQUIRES(4LockEv)
LEASECHECK_ACQUIRES(10ReaderLockEv)
LEASECHECK_TRIES(7TryLockEv)
LEASECHECK_TRIES(13ReaderTryLockEv)
LEASECHECK_RELEASES(6UnlockEv)
LEASECHECK_RELEASES(12ReaderUnlockEv)
void LEASECHECK_WRAP(LEASECHECK_MUTEX(5AwaitERKNS0_9ConditionE))(absl::Mutex* mu, const absl::Condition& condition) {
  Poll(*mu, condition, absl::InfiniteFuture());
}
bool LEASECHECK_WRAP(LEASECHECK_MUTEX(17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE))(absl::Mutex* mu,
                                                                                        const absl::Condition& condition,
                                                                                        absl::Time deadline) {
  return Poll(*mu, condition, deadline);
}
bool LEASECHECK_WRAP(LEASECHECK_MUTEX(16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE))(absl::Mutex* mu,
                                                                                           const absl::Condition& condition,
                                                                                           absl::Duration timeout) {
  return Poll(*mu, condition, absl::Now() + timeout);
}
void LEASECHECK_WRAP(LEASECHECK_MUTEX(8LockWhenERKNS0_9ConditionE))(absl::Mutex* mu, const absl::Condition& condition) {
  mu->Lock();
  Poll(*mu, condition, absl::InfiniteFuture());
}

// The linker makes up these names.
// NOLINTBEGIN(bugprone-reserved-identifier)
void __real__ZN4absl7debian37CondVar4WaitEPNS0_5MutexE(absl::CondVar* condition, absl::Mutex* mu);
void __wrap__ZN4absl7debian37CondVar4WaitEPNS0_5MutexE(absl::CondVar* condition, absl::Mutex* mu) {
  __tsan_release(mu);
  __real__ZN4absl7debian37CondVar4WaitEPNS0_5MutexE(condition, mu);
  __tsan_acquire(mu);
}

bool __real__ZN4absl7debian37CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE(absl::CondVar* condition, absl::Mutex* mu,
                                                                                 absl::Duration timeout);
bool __wrap__ZN4absl7debian37CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE(absl::CondVar* condition, absl::Mutex* mu,
                                                                                 absl::Duration timeout) {
  __tsan_release(mu);
  const bool timed_out = __real__ZN4absl7debian37CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE(condition, mu, timeout);
  __tsan_acquire(mu);
  return timed_out;
}
// NOLINTEND(bugprone-reserved-identifier)

}  // extern "C"
