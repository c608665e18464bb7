// Finds the first row of a queue whose time has come, whichever way the clock moved.
#ifndef LEASECHECK_MEMSTORE_POSITION_INDEX_H_
#define LEASECHECK_MEMSTORE_POSITION_INDEX_H_

#include <algorithm>
#include <array>
#include <cstdint>

#include "absl/numeric/bits.h"
#include "model/time.h"

namespace leasecheck::memstore {

// An ordered map from a position (a place in a queue) to a borrowed value and its *due* time, that answers "the first entry at or
// behind this position that is due at `now`" in time logarithmic in the span of positions held, for any `now`: nothing is
// moved when time passes, so a clock that goes back costs nothing and cannot be answered wrong.
//
// A radix tree over the positions, 16 ways a node; each node keeps the earliest due time below each of its slots, and the search
// enters only slots where something is due. The root covers no more than the positions held need, nodes without entries
// are freed: a queue whose window slides for ever stays small.
//
// Not thread-safe. Not copyable; the index frees its nodes, never the values.
//
//   PositionIndex<Row> index;
//   index.Set(7, &row, 1500);
//   index.FirstDue(0, 1499);  // null
//   index.FirstDue(0, 1500);  // &row
template <class Value>
class PositionIndex {
 public:
  PositionIndex() = default;
  PositionIndex(const PositionIndex&) = delete;
  PositionIndex& operator=(const PositionIndex&) = delete;
  ~PositionIndex() {
    if (root_ != nullptr) Free(root_, height_);
  }

  bool empty() const { return root_ == nullptr; }

  // Enters the value at the position, or replaces what is there.
  void Set(uint64_t position, Value* value, EpochMs due) {
    MakeRoom(position);
    Node* path[kMaxHeight + 1];
    Node* node = root_;
    for (int level = height_; level > 0; --level) {
      path[level] = node;
      const unsigned slot = SlotOf(position, level);
      if (!node->Has(slot)) node->Put(slot, {.child = new Node}, kEndOfTime);
      node = node->slots[slot].child;
    }
    const unsigned slot = SlotOf(position, 0);
    const EpochMs before = node->due[slot];
    node->Put(slot, {.value = value}, due);
    path[0] = node;
    PassUp(path, position, 0, before, due);
  }

  // Takes out the entry at the position, which must be there.
  void Erase(uint64_t position) {
    Node* path[kMaxHeight + 1];
    Node* node = root_;
    for (int level = height_; level > 0; --level) {
      path[level] = node;
      node = node->slots[SlotOf(position, level)].child;
    }
    path[0] = node;
    const EpochMs before = node->due[SlotOf(position, 0)];
    int level = 0;
    path[0]->Drop(SlotOf(position, 0));
    while (path[level]->used == 0 && level < height_) {
      delete path[level];
      ++level;
      path[level]->Drop(SlotOf(position, level));
    }
    PassUp(path, position, level, before, kEndOfTime);
    Shrink();
  }

  // The value with this key, or null; for values whose keys rise with their positions. key_of(const Value&) is the key.
  template <class KeyOf>
  Value* FindByKey(uint64_t key, KeyOf&& key_of) const {
    const Node* node = root_;
    for (int level = height_; node != nullptr; --level) {
      std::array<unsigned, kWays> used;
      auto end = used.begin();
      for (uint32_t left = node->used; left != 0; left &= left - 1) *end++ = static_cast<unsigned>(absl::countr_zero(left));
      // The key lies below the last slot that does not begin behind it.
      const auto behind =
          std::partition_point(used.begin(), end, [&](unsigned slot) { return key_of(*First(*node, slot, level)) <= key; });
      if (behind == used.begin()) return nullptr;
      const Slot& found = node->slots[*(behind - 1)];
      if (level == 0) return key_of(*found.value) == key ? found.value : nullptr;
      node = found.child;
    }
    return nullptr;
  }

  // The value of the first entry with position >= `from` and due <= `now`, or null.
  Value* FirstDue(uint64_t from, EpochMs now) const {
    if (root_ == nullptr) return nullptr;
    if (from <= base_) return Search(*root_, height_, 0, now);
    if (!Covers(from)) return nullptr;
    return Search(*root_, height_, from - base_, now);
  }

  // Calls visit(Value&) for every entry in order of position. The visit must not change the index.
  template <class Visit>
  void ForEach(Visit&& visit) const {
    if (root_ != nullptr) Walk(*root_, height_, visit);
  }

 private:
  static constexpr int kBits = 4;
  static constexpr unsigned kWays = 1u << kBits;
  static constexpr int kMaxHeight = 64 / kBits - 1;

  struct Node;
  union Slot {
    Node* child;   // above level 0
    Value* value;  // at level 0
  };
  struct Node {
    EpochMs due[kWays];  // of each used slot, the earliest time below it; kEndOfTime in the others
    uint32_t used = 0;   // a bit a slot
    Slot slots[kWays];

    Node() { std::fill_n(due, kWays, kEndOfTime); }
    bool Has(unsigned slot) const { return (used >> slot & 1u) != 0; }
    void Put(unsigned slot, Slot content, EpochMs time) {
      used |= 1u << slot;
      slots[slot] = content;
      due[slot] = time;
    }
    void Drop(unsigned slot) {
      used &= ~(1u << slot);
      due[slot] = kEndOfTime;
    }
    // The earliest of all; `bound` is known not to be after it.
    EpochMs Earliest(EpochMs bound) const {
      EpochMs earliest = kEndOfTime;
      for (unsigned slot = 0; slot < kWays && earliest > bound; ++slot) earliest = std::min(earliest, due[slot]);
      return earliest;
    }
  };

  static unsigned SlotOf(uint64_t position, int level) { return position >> (kBits * level) & (kWays - 1); }

  // The positions that a node of this level covers, less one.
  static uint64_t Mask(int level) { return level >= kMaxHeight ? ~uint64_t{0} : (uint64_t{1} << (kBits * (level + 1))) - 1; }

  bool Covers(uint64_t position) const { return (position & ~Mask(height_)) == base_; }

  void MakeRoom(uint64_t position) {
    if (root_ == nullptr) {
      root_ = new Node;
      height_ = 0;
      base_ = position & ~Mask(0);
    }
    while (!Covers(position)) {
      Node* top = new Node;
      ++height_;
      top->Put(SlotOf(base_, height_), {.child = root_}, root_->Earliest(0));
      base_ &= ~Mask(height_);
      root_ = top;
    }
  }

  void Shrink() {
    if (root_->used == 0) {
      delete root_;
      root_ = nullptr;
      return;
    }
    while (height_ > 0 && (root_->used & (root_->used - 1)) == 0) {
      const unsigned slot = static_cast<unsigned>(absl::countr_zero(root_->used));
      Node* child = root_->slots[slot].child;
      delete root_;
      root_ = child;
      base_ |= uint64_t{slot} << (kBits * height_);
      --height_;
    }
  }

  // A time in the path's node at `level` changed from `before` to `after`: corrects the nodes above, as far up as it shows there.
  void PassUp(Node* const* path, uint64_t position, int level, EpochMs before, EpochMs after) {
    for (++level; level <= height_; ++level) {
      EpochMs& due = path[level]->due[SlotOf(position, level)];
      if (after < due) {
        due = after;
      } else if (before == due && before < after) {
        after = path[level - 1]->Earliest(before);
        if (after == before) return;
        due = after;
      } else {
        return;
      }
    }
  }

  // The first value below a used slot.
  static const Value* First(const Node& node, unsigned slot, int level) {
    const Slot* first = &node.slots[slot];
    for (; level > 0; --level) first = &first->child->slots[absl::countr_zero(first->child->used)];
    return first->value;
  }

  // `from` counts from the first position that the node covers.
  static Value* Search(const Node& node, int level, uint64_t from, EpochMs now) {
    const unsigned first = SlotOf(from, level);
    for (uint32_t left = node.used >> first << first; left != 0; left &= left - 1) {
      const unsigned slot = static_cast<unsigned>(absl::countr_zero(left));
      if (node.due[slot] > now) continue;
      if (level == 0) return node.slots[slot].value;
      const uint64_t rest = slot == first ? from & Mask(level - 1) : 0;
      Value* found = Search(*node.slots[slot].child, level - 1, rest, now);
      if (found != nullptr) return found;
    }
    return nullptr;
  }

  template <class Visit>
  static void Walk(const Node& node, int level, Visit& visit) {
    for (uint32_t left = node.used; left != 0; left &= left - 1) {
      const Slot& slot = node.slots[absl::countr_zero(left)];
      if (level == 0) {
        visit(*slot.value);
      } else {
        Walk(*slot.child, level - 1, visit);
      }
    }
  }

  static void Free(Node* node, int level) {
    for (uint32_t left = level == 0 ? 0 : node->used; left != 0; left &= left - 1) {
      Free(node->slots[absl::countr_zero(left)].child, level - 1);
    }
    delete node;
  }

  Node* root_ = nullptr;
  int height_ = 0;     // the root's level; leaves are level 0
  uint64_t base_ = 0;  // the first position that the root covers
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_POSITION_INDEX_H_
