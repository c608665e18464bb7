// How tests of the SQLite stores make calls overlap: every call of a round waits inside the store until all of its rivals are
// inside too.
#ifndef LEASECHECK_TESTS_ADAPTERS_SQLITE_MEETINGS_H_
#define LEASECHECK_TESTS_ADAPTERS_SQLITE_MEETINGS_H_

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <barrier>
#include <new>
#include <thread>
#include <vector>

#include "absl/strings/string_view.h"
#include "model/environment.h"

namespace leasecheck::sqlite {

// Holds each of `callers` threads inside its call until all are inside one.
class Meeting final : public PauseHook {
 public:
  explicit Meeting(int callers) : all_inside_(callers) {}
  void Pause(absl::string_view point) override {
    if (point == "before_transaction" && meet_.load()) all_inside_.arrive_and_wait();
  }
  void Meet(bool meet) { meet_.store(meet); }

 private:
  std::barrier<> all_inside_;
  std::atomic<bool> meet_{false};
};

// Runs work(thread) on so many threads.
template <class Work>
void RunThreads(int count, Work work) {
  std::vector<std::thread> threads;
  threads.reserve(count);
  for (int i = 0; i < count; ++i) threads.emplace_back(work, i);
  for (std::thread& thread : threads) thread.join();
}

// Memory that processes share. `T` is made of atomics alone.
template <class T>
class SharedMemory {
 public:
  explicit SharedMemory(unsigned processes) {
    void* memory = mmap(nullptr, sizeof(Content), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    content_ = new (memory) Content();
    pthread_barrierattr_t attributes;
    pthread_barrierattr_init(&attributes);
    pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&content_->all_inside, &attributes, processes);
    pthread_barrierattr_destroy(&attributes);
  }
  ~SharedMemory() { munmap(content_, sizeof(Content)); }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  T* operator->() const { return &content_->value; }
  // Waits for all processes.
  void Meet() const { pthread_barrier_wait(&content_->all_inside); }

 private:
  struct Content {
    pthread_barrier_t all_inside;
    T value;
  };
  Content* content_;
};

// Holds a process inside its first `rounds` calls until all processes are inside one.
template <class T>
class MeetingOfProcesses final : public PauseHook {
 public:
  MeetingOfProcesses(const SharedMemory<T>* shared, int rounds) : shared_(shared), rounds_(rounds) {}
  void Pause(absl::string_view point) override {
    if (point == "before_transaction" && rounds_-- > 0) shared_->Meet();
  }

 private:
  const SharedMemory<T>* const shared_;
  int rounds_;
};

// Runs work(child) in so many processes of their own; each must return true.
template <class Work>
void RunProcesses(int count, Work work) {
  std::vector<pid_t> children;
  for (int i = 0; i < count; ++i) {
    pid_t child = fork();
    if (child == 0) _exit(work(i) ? 0 : 1);
    children.push_back(child);
  }
  for (pid_t child : children) {
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
}

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_TESTS_ADAPTERS_SQLITE_MEETINGS_H_
