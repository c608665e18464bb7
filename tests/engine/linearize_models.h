// Models of small stores, for tests of the linearizability search: written to be read, each with its operations' meaning in one
// place.
#ifndef LEASECHECK_TESTS_ENGINE_LINEARIZE_MODELS_H_
#define LEASECHECK_TESTS_ENGINE_LINEARIZE_MODELS_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "properties/engine/linearize_plan.h"

namespace leasecheck::engine {

// A register that can be read, written, compared and set.
struct RegisterOp {
  enum Kind { kRead, kWrite, kCas, kWriteEither, kWriteBoth };
  Kind kind = kRead;
  int a = 0;  // the value written, or expected by kCas; of kWriteEither one of two, chosen by the store; of kWriteBoth the first
  int b = 0;  // the new value of kCas; the other of kWriteEither; the second of kWriteBoth, which is two steps
  enum Answer { kUnknown, kOk, kFail };
  Answer answer = kUnknown;
  std::optional<int> read;  // kRead: the value answered; nullopt: it says nothing
};

class RegisterModel {
 public:
  using State = int;
  explicit RegisterModel(std::vector<RegisterOp> ops) : ops_(std::move(ops)) {}
  std::vector<RegisterOp>& ops() { return ops_; }

  void Step(const State& value, int index, int part, std::vector<State>* next) const {
    const RegisterOp& op = ops_[index];
    switch (op.kind) {
      case RegisterOp::kRead:
        if (!op.read || *op.read == value) next->push_back(value);
        return;
      case RegisterOp::kCas:
        if (op.answer == RegisterOp::kFail) {
          if (value != op.a) next->push_back(value);
        } else if (value == op.a) {
          next->push_back(op.b);
        }
        return;
      default:
        StepWeakened(value, index, part, next);
    }
  }
  void StepWeakened(const State& value, int index, int part, std::vector<State>* next) const {
    const RegisterOp& op = ops_[index];
    switch (op.kind) {
      case RegisterOp::kRead:
        next->push_back(value);
        return;
      case RegisterOp::kWrite:
        next->push_back(op.a);
        return;
      case RegisterOp::kCas:
        next->push_back(value == op.a ? op.b : value);
        return;
      case RegisterOp::kWriteEither:
        next->push_back(op.a);
        next->push_back(op.b);
        return;
      case RegisterOp::kWriteBoth:
        next->push_back(part == 0 ? op.a : op.b);
        return;
    }
  }
  int Refusal(const State&, int index, int) const { return ops_[index].kind; }
  bool Pure(int index, bool weakened) const {
    const RegisterOp& op = ops_[index];
    return op.kind == RegisterOp::kRead || (!weakened && op.kind == RegisterOp::kCas && op.answer == RegisterOp::kFail);
  }
  int Alike(int index) const {
    const RegisterOp& op = ops_[index];
    if (op.answer != RegisterOp::kUnknown) return -1;
    return (op.kind * 1000 + op.a) * 1000 + op.b;
  }

 private:
  std::vector<RegisterOp> ops_;
};

// A map from strings to strings.
struct KvOp {
  enum Kind { kGet, kPut, kAppend };
  Kind kind = kGet;
  std::string key;
  std::string value;  // of kGet: answered
};

class KvModel {
 public:
  using State = std::map<std::string, std::string>;
  explicit KvModel(std::vector<KvOp> ops) : ops_(std::move(ops)) {}
  const std::vector<KvOp>& ops() const { return ops_; }

  void Step(const State& state, int index, int part, std::vector<State>* next) const {
    const KvOp& op = ops_[index];
    if (op.kind == KvOp::kGet) {
      const auto it = state.find(op.key);
      if (op.value != (it == state.end() ? std::string() : it->second)) return;
    }
    StepWeakened(state, index, part, next);
  }
  void StepWeakened(const State& state, int index, int, std::vector<State>* next) const {
    const KvOp& op = ops_[index];
    next->push_back(state);
    if (op.kind == KvOp::kPut) next->back()[op.key] = op.value;
    if (op.kind == KvOp::kAppend) next->back()[op.key] += op.value;
  }
  int Refusal(const State&, int, int) const { return KvOp::kGet; }
  bool Pure(int index, bool) const { return ops_[index].kind == KvOp::kGet; }
  std::size_t StateBytes(const State& state) const {
    std::size_t bytes = sizeof(State);
    for (const auto& [key, value] : state)
      bytes += 64 + sizeof(std::pair<std::string, std::string>) + key.capacity() + value.capacity();
    return bytes;
  }

 private:
  std::vector<KvOp> ops_;
};

// One key's value, for histories that were split by key. Values that no answered get begins with are one value, kLost: no get can
// tell them apart, now or after any append.
class KvKeyModel {
 public:
  struct State {
    int answer = 0;  // the value is the first `length` bytes of this answer, the least that begins so
    int length = 0;
    friend bool operator==(const State&, const State&) = default;
    template <typename H>
    friend H AbslHashValue(H h, const State& state) {
      return H::combine(std::move(h), state.answer, state.length);
    }
  };
  static constexpr State kLost = {-1, 0};

  // Borrowed; all of one key, or of several that are asked about apart.
  explicit KvKeyModel(const std::vector<KvOp>* ops) : ops_(*ops), answers_({""}) {
    for (const KvOp& op : ops_) {
      if (op.kind == KvOp::kGet) answers_.push_back(op.value);
    }
    std::sort(answers_.begin(), answers_.end());
    answers_.erase(std::unique(answers_.begin(), answers_.end()), answers_.end());
    for (const KvOp& op : ops_) put_.push_back(op.kind == KvOp::kAppend ? kLost : Find("", op.value));
  }
  void Step(const State& state, int index, int part, std::vector<State>* next) const {
    if (ops_[index].kind == KvOp::kGet && state != put_[index]) return;
    StepWeakened(state, index, part, next);
  }
  void StepWeakened(const State& state, int index, int, std::vector<State>* next) const {
    const KvOp& op = ops_[index];
    if (op.kind == KvOp::kGet || (op.kind == KvOp::kAppend && state == kLost)) return next->push_back(state);
    if (op.kind == KvOp::kPut) return next->push_back(put_[index]);
    next->push_back(Find(absl::string_view(answers_[state.answer]).substr(0, state.length), op.value));
  }
  int Refusal(const State&, int, int) const { return KvOp::kGet; }
  bool Pure(int index, bool) const { return ops_[index].kind == KvOp::kGet; }

 private:
  // The value `head` followed by `tail`.
  State Find(absl::string_view head, absl::string_view tail) const {
    const auto compare = [&](absl::string_view answer) {
      const int order = answer.substr(0, head.size()).compare(head);
      return order != 0 ? order : answer.substr(head.size(), tail.size()).compare(tail);
    };
    const auto found =
        std::partition_point(answers_.begin(), answers_.end(), [&](const auto& answer) { return compare(answer) < 0; });
    if (found == answers_.end() || compare(*found) != 0) return kLost;
    return {static_cast<int>(found - answers_.begin()), static_cast<int>(head.size() + tail.size())};
  }

  const std::vector<KvOp>& ops_;
  std::vector<std::string> answers_;  // sorted
  std::vector<State> put_;            // what each put leaves, or each get answered
};

// A queue whose items are claimed under a token, the number of the attempt. See ../shared/histories/README.md, "claimq".
struct ClaimOp {
  enum Kind { kEnqueue, kClaim, kRenew, kComplete, kAbandon, kExpire };
  Kind kind = kClaim;
  int item = 0;
  int token = 0;
  enum Answer { kUnknown, kOk, kStale, kEmpty };
  Answer answer = kUnknown;
};

class ClaimModel {
 public:
  struct Item {
    int item = 0;
    int token = 0;  // of the last claim
    friend bool operator==(const Item&, const Item&) = default;
    template <typename H>
    friend H AbslHashValue(H h, const Item& i) {
      return H::combine(std::move(h), i.item, i.token);
    }
  };
  using Items = absl::InlinedVector<Item, 10>;
  struct State {
    Items ready;  // fifo: the head first; any: by item
    Items live;   // claimed, by item
    friend bool operator==(const State&, const State&) = default;
    template <typename H>
    friend H AbslHashValue(H h, const State& state) {
      return H::combine(std::move(h), state.ready, state.live);
    }
  };

  ClaimModel(std::vector<ClaimOp> ops, bool fifo) : ops_(std::move(ops)), fifo_(fifo) {}
  std::vector<ClaimOp>& ops() { return ops_; }

  void Step(const State& state, int index, int, std::vector<State>* next) const {
    const ClaimOp& op = ops_[index];
    switch (op.kind) {
      case ClaimOp::kEnqueue:
        next->push_back(state);
        MakeReady(next->back(), {op.item, 0});
        return;
      case ClaimOp::kClaim:
        if (op.answer == ClaimOp::kEmpty) {
          if (state.ready.empty()) next->push_back(state);
          return;
        }
        for (std::size_t i = 0; i < state.ready.size() && (i == 0 || !fifo_); ++i) {
          const Item& item = state.ready[i];
          if (op.answer == ClaimOp::kOk && (item.item != op.item || item.token + 1 != op.token)) continue;
          next->push_back(state);
          Claim(next->back(), i);
        }
        return;
      default:
        Settle(state, op, /*stale_too=*/false, next);
    }
  }
  void StepWeakened(const State& state, int index, int part, std::vector<State>* next) const {
    const ClaimOp& op = ops_[index];
    if (op.kind == ClaimOp::kEnqueue) return Step(state, index, part, next);
    if (op.kind != ClaimOp::kClaim) return Settle(state, op, /*stale_too=*/true, next);
    for (std::size_t i = 0; i < state.ready.size() && (i == 0 || !fifo_); ++i) {
      next->push_back(state);
      Claim(next->back(), i);
    }
    if (state.ready.empty()) next->push_back(state);
  }
  int Refusal(const State& state, int index, int) const {
    const ClaimOp& op = ops_[index];
    if (op.kind != ClaimOp::kClaim) return 10 + op.answer;
    return state.ready.empty() ? 1 : 2;
  }
  bool Pure(int index, bool weakened) const {
    const ClaimOp& op = ops_[index];
    return op.kind == ClaimOp::kRenew || (!weakened && (op.answer == ClaimOp::kStale || op.answer == ClaimOp::kEmpty));
  }
  int Alike(int index) const {
    const ClaimOp& op = ops_[index];
    return op.answer == ClaimOp::kUnknown && op.kind == ClaimOp::kClaim ? 0 : -1;
  }

 private:
  static Items::iterator Find(Items& items, int item) {
    return std::find_if(items.begin(), items.end(), [&](const Item& i) { return i.item >= item; });
  }
  void MakeReady(State& state, Item item) const {
    state.ready.insert(fifo_ ? state.ready.end() : Find(state.ready, item.item), item);
  }
  static void Claim(State& state, std::size_t i) {
    Item item = state.ready[i];
    ++item.token;
    state.ready.erase(state.ready.begin() + i);
    state.live.insert(Find(state.live, item.item), item);
  }
  void Settle(const State& state, const ClaimOp& op, bool stale_too, std::vector<State>* next) const {
    const auto live = std::find(state.live.begin(), state.live.end(), Item{op.item, op.token});
    const bool ok = live != state.live.end();
    if (!stale_too && op.answer != ClaimOp::kUnknown && ok != (op.answer == ClaimOp::kOk)) return;
    next->push_back(state);
    if (!ok || op.kind == ClaimOp::kRenew) return;
    State& after = next->back();
    after.live.erase(after.live.begin() + (live - state.live.begin()));
    if (op.kind != ClaimOp::kComplete) MakeReady(after, {op.item, op.token});
  }

  std::vector<ClaimOp> ops_;
  bool fifo_;
};

}  // namespace leasecheck::engine

#endif  // LEASECHECK_TESTS_ENGINE_LINEARIZE_MODELS_H_
