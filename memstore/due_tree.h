// An ordered set that finds its due members without looking at the others.
#ifndef LEASECHECK_MEMSTORE_DUE_TREE_H_
#define LEASECHECK_MEMSTORE_DUE_TREE_H_

#include <algorithm>
#include <cstdint>
#include <utility>

#include "model/instant.h"

namespace leasecheck::memstore {

// Members of T in the order of T::Precedes, each with an instant from which on it is *due*. Walks the due ones in order, for any
// `now`: nothing is moved when time passes, so a time that goes back costs nothing. Insert and Erase grow with the logarithm of
// the members, a walk with that times the members it visits.
//
// A treap: a search tree by the order and a heap by ranks that are drawn from a fixed sequence; each node knows the earliest time
// below it, and the walk enters only where something is due. Links lie in the members, which are borrowed. Not thread-safe.
//
//   struct Attempt : DueTree<Attempt>::Node { bool Precedes(const Attempt& other) const; ... };
//   DueTree<Attempt> tree;
//   tree.Insert(attempt, Instant(1500));
//   tree.ForEachDue(Instant(1500), [](const Attempt& due) { return true; });  // false ends the walk
template <class T>
class DueTree {
 public:
  class Node {
    friend class DueTree;
    T* left_ = nullptr;
    T* right_ = nullptr;
    uint64_t rank_ = 0;
    Instant due_;
    Instant earliest_;  // of the node and all below it
  };

  DueTree() = default;
  DueTree(const DueTree&) = delete;
  DueTree& operator=(const DueTree&) = delete;

  // Enters a member that is in no tree. What decides its order must not change until it is erased.
  void Insert(T& member, Instant due) {
    Node& node = member;
    node.rank_ = NextRank();
    node.due_ = due;
    Insert(root_, member);
  }

  // Takes out a member, which must be there.
  void Erase(T& member) { Erase(root_, member); }

  // Forgets every member, without touching any.
  void Clear() { root_ = nullptr; }

  // Calls visit(const T&) for each member that is due at `now`, in order, until a call returns false.
  template <class Visit>
  void ForEachDue(Instant now, Visit&& visit) const {
    Walk(root_, now, visit);
  }

 private:
  static Node& Of(T* member) { return *member; }

  // SplitMix64: distinct inputs, distinct ranks that look random.
  uint64_t NextRank() {
    uint64_t x = ++drawn_ * 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
  }

  static void Update(T* member) {
    Node& node = *member;
    node.earliest_ = node.due_;
    if (node.left_ != nullptr) node.earliest_ = std::min(node.earliest_, Of(node.left_).earliest_);
    if (node.right_ != nullptr) node.earliest_ = std::min(node.earliest_, Of(node.right_).earliest_);
  }

  static void Insert(T*& root, T& member) {
    if (root == nullptr || Of(root).rank_ < Of(&member).rank_) {
      const auto [before, behind] = Split(root, member);
      Of(&member).left_ = before;
      Of(&member).right_ = behind;
      root = &member;
    } else {
      Insert(member.Precedes(*root) ? Of(root).left_ : Of(root).right_, member);
    }
    Update(root);
  }

  static void Erase(T*& root, T& member) {
    if (root == &member) {
      root = Merge(Of(root).left_, Of(root).right_);
      return;
    }
    Erase(member.Precedes(*root) ? Of(root).left_ : Of(root).right_, member);
    Update(root);
  }

  // The members before `at`, and those behind it.
  static std::pair<T*, T*> Split(T* root, const T& at) {
    if (root == nullptr) return {nullptr, nullptr};
    if (at.Precedes(*root)) {
      const auto [before, behind] = Split(Of(root).left_, at);
      Of(root).left_ = behind;
      Update(root);
      return {before, root};
    }
    const auto [before, behind] = Split(Of(root).right_, at);
    Of(root).right_ = before;
    Update(root);
    return {root, behind};
  }

  // All of `before` precede all of `behind`.
  static T* Merge(T* before, T* behind) {
    if (before == nullptr) return behind;
    if (behind == nullptr) return before;
    if (Of(before).rank_ > Of(behind).rank_) {
      Of(before).right_ = Merge(Of(before).right_, behind);
      Update(before);
      return before;
    }
    Of(behind).left_ = Merge(before, Of(behind).left_);
    Update(behind);
    return behind;
  }

  template <class Visit>
  static bool Walk(T* root, Instant now, Visit& visit) {
    if (root == nullptr || now < Of(root).earliest_) return true;
    if (!Walk(Of(root).left_, now, visit)) return false;
    if (Of(root).due_ <= now && !visit(static_cast<const T&>(*root))) return false;
    return Walk(Of(root).right_, now, visit);
  }

  T* root_ = nullptr;
  uint64_t drawn_ = 0;
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_DUE_TREE_H_
