// Makes the calls of several threads overlap: every call meets the calls of all the others in the pause before the lock, so that
// they are all open at one time. The overlap is made, not hoped for.
#ifndef LEASECHECK_TESTS_MEMSTORE_RENDEZVOUS_H_
#define LEASECHECK_TESTS_MEMSTORE_RENDEZVOUS_H_

#include <atomic>
#include <barrier>
#include <functional>
#include <thread>
#include <vector>

#include "absl/strings/string_view.h"
#include "model/environment.h"

namespace leasecheck::memstore {

// Lets no call take the lock before each of kThreads threads has one open.
class Rendezvous final : public PauseHook {
 public:
  static constexpr int kThreads = 4;

  void Pause(absl::string_view point) override {
    if (!armed_) return;
    if (point == "after_unlock") {
      --open_;
      return;
    }
    ++open_;
    barrier_.arrive_and_wait();
    // Between the two barriers every thread is here, inside its call.
    if (open_ == kThreads) ++full_;
    barrier_.arrive_and_wait();
  }

  // Runs the body once a thread. All of them make the same number of calls, or this hangs.
  void RunThreads(const std::function<void(int)>& body) {
    armed_ = true;
    std::vector<std::thread> threads;
    threads.reserve(kThreads);
    for (int i = 0; i < kThreads; ++i) threads.emplace_back(body, i);
    for (std::thread& thread : threads) thread.join();
    armed_ = false;
  }
  // How often a call of every thread was open at one time.
  int full_meetings() const { return full_ / kThreads; }

 private:
  std::atomic<bool> armed_{false};
  std::atomic<int> open_{0};
  std::atomic<int> full_{0};
  std::barrier<> barrier_{kThreads};
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_TESTS_MEMSTORE_RENDEZVOUS_H_
