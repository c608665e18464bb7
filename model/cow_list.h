// A list that copies share piece by piece: changing one element of a copy costs a piece, not the list.
//
//   CowList<Row> a;          // empty
//   a.PushBack(row);
//   CowList<Row> b = a;      // shares all pieces
//   b.Edit(0).fencing = 3;   // b gets a copy of one piece; a still has what it had
//
// Reading by position costs a search among the pieces, reading in order (begin, end) does not. References and iterators are valid
// until the list is changed. Two threads may hold copies of one list; one list itself is not to be shared between threads.
#ifndef LEASECHECK_MODEL_COW_LIST_H_
#define LEASECHECK_MODEL_COW_LIST_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "model/cow.h"

namespace leasecheck {

template <class T>
class CowList {
 private:
  // The elements of a piece, and their hash: of n elements with the hashes h0 ... the sum of h(i) * kBase^(n - 1 - i). So the
  // hash of a list follows from those of its pieces, wherever it was cut.
  struct Cell {
    Cell() = default;
    explicit Cell(std::vector<T> e) : elements(std::move(e)) {}
    Cell(const Cell& other) : elements(other.elements) {}
    Cell(Cell&& other) noexcept : elements(std::move(other.elements)) {}
    Cell& operator=(const Cell&) = delete;
    std::vector<T> elements;
    mutable std::atomic<uint64_t> hash{0};  // 0: not known
  };
  struct Piece {
    Cow<Cell> cell;
    uint32_t end;  // the position behind its last element
  };
  static constexpr std::size_t kLargest = 32;  // elements of a piece
  static constexpr uint64_t kBase = 0x9E3779B97F4A7C15u;

 public:
  class const_iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using pointer = const T*;
    using reference = const T&;
    const_iterator() = default;
    reference operator*() const { return *at_; }
    pointer operator->() const { return at_; }
    const_iterator& operator++() {
      if (++at_ == last_) Enter(piece_ + 1);
      return *this;
    }
    const_iterator operator++(int) {
      const_iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const const_iterator& a, const const_iterator& b) { return a.at_ == b.at_; }

   private:
    friend class CowList;
    const_iterator(const Piece* piece, const Piece* end) : end_(end) { Enter(piece); }
    void Enter(const Piece* piece) {
      piece_ = piece;
      at_ = piece == end_ ? nullptr : piece->cell->elements.data();
      last_ = piece == end_ ? nullptr : at_ + piece->cell->elements.size();
    }
    const Piece* piece_ = nullptr;
    const Piece* end_ = nullptr;
    const T* at_ = nullptr;
    const T* last_ = nullptr;
  };

  std::size_t size() const { return pieces_.empty() ? 0 : pieces_.back().end; }
  bool empty() const { return pieces_.empty(); }
  const T& operator[](std::size_t position) const {
    const Piece& piece = pieces_[PieceOf(position)];
    return piece.cell->elements[position - Begin(piece)];
  }
  const T& back() const { return pieces_.back().cell->elements.back(); }
  const_iterator begin() const { return const_iterator(pieces_.data(), pieces_.data() + pieces_.size()); }
  const_iterator end() const { return const_iterator(pieces_.data() + pieces_.size(), pieces_.data() + pieces_.size()); }

  // The element to write to. Valid until the list is copied, changed or destroyed.
  T& Edit(std::size_t position) {
    Piece& piece = pieces_[PieceOf(position)];
    const std::size_t begin = Begin(piece);
    return EditCell(piece).elements[position - begin];
  }
  // Puts an element before that of the position, which may be size().
  void Insert(std::size_t position, T element) {
    if (pieces_.empty()) pieces_.push_back({Cow<Cell>(), 0});
    const std::size_t number = position == size() ? pieces_.size() - 1 : PieceOf(position);
    Piece& piece = pieces_[number];
    const std::size_t offset = position - Begin(piece);
    std::vector<T>& elements = EditCell(piece).elements;
    elements.insert(elements.begin() + static_cast<std::ptrdiff_t>(offset), std::move(element));
    for (std::size_t i = number; i < pieces_.size(); ++i) ++pieces_[i].end;
    if (elements.size() > kLargest) Split(number, offset + 1 == elements.size());
  }
  void PushBack(T element) { Insert(size(), std::move(element)); }
  void Erase(std::size_t position) {
    const std::size_t number = PieceOf(position);
    Piece& piece = pieces_[number];
    const std::size_t offset = position - Begin(piece);
    std::vector<T>& elements = EditCell(piece).elements;
    elements.erase(elements.begin() + static_cast<std::ptrdiff_t>(offset));
    for (std::size_t i = number; i < pieces_.size(); ++i) --pieces_[i].end;
    if (elements.empty()) {
      pieces_.erase(pieces_.begin() + static_cast<std::ptrdiff_t>(number));
    } else {
      if (number + 1 < pieces_.size()) Join(number);
      if (number > 0) Join(number - 1);
    }
  }

  // Of equal lists the same, if `hash_of` is of equal elements. It has to be the same function always: what it said is
  // remembered.
  template <class HashOf>
  uint64_t Hash(const HashOf& hash_of) const {
    uint64_t hash = 0;
    for (const Piece& piece : pieces_) {
      const std::vector<T>& elements = piece.cell->elements;
      uint64_t of_piece = piece.cell->hash.load(std::memory_order_relaxed);
      if (of_piece == 0) {
        for (const T& element : elements) of_piece = of_piece * kBase + hash_of(element);
        piece.cell->hash.store(of_piece, std::memory_order_relaxed);
      }
      hash = hash * Power(elements.size()) + of_piece;
    }
    return hash;
  }

  // Shared pieces need no comparison.
  friend bool operator==(const CowList& a, const CowList& b) {
    if (a.size() != b.size()) return false;
    std::size_t i = 0, j = 0, position = 0;
    while (position < a.size()) {
      const Piece& of_a = a.pieces_[i];
      const Piece& of_b = b.pieces_[j];
      const std::size_t end = std::min(of_a.end, of_b.end);
      if (!of_a.cell.SharesWith(of_b.cell) || a.Begin(of_a) != b.Begin(of_b)) {
        const T* in_a = of_a.cell->elements.data() + (position - a.Begin(of_a));
        const T* in_b = of_b.cell->elements.data() + (position - b.Begin(of_b));
        if (!std::equal(in_a, in_a + (end - position), in_b)) return false;
      }
      position = end;
      if (of_a.end == end) ++i;
      if (of_b.end == end) ++j;
    }
    return true;
  }

 private:
  std::size_t Begin(const Piece& piece) const { return piece.end - piece.cell->elements.size(); }
  std::size_t PieceOf(std::size_t position) const {
    const auto after = std::partition_point(pieces_.begin(), pieces_.end(), [&](const Piece& p) { return p.end <= position; });
    return static_cast<std::size_t>(after - pieces_.begin());
  }
  static Cell& EditCell(Piece& piece) {
    Cell& cell = piece.cell.Edit();
    cell.hash.store(0, std::memory_order_relaxed);
    return cell;
  }
  // A piece that grows at its end leaves full ones behind; else both get half.
  void Split(std::size_t number, bool at_end) {
    std::vector<T>& elements = pieces_[number].cell.Edit().elements;
    const std::size_t kept = at_end ? kLargest : kLargest / 2;
    std::vector<T> rest(std::make_move_iterator(elements.begin() + static_cast<std::ptrdiff_t>(kept)),
                        std::make_move_iterator(elements.end()));
    elements.erase(elements.begin() + static_cast<std::ptrdiff_t>(kept), elements.end());
    const uint32_t end = pieces_[number].end;
    pieces_[number].end = end - static_cast<uint32_t>(rest.size());
    pieces_.insert(pieces_.begin() + static_cast<std::ptrdiff_t>(number) + 1, Piece{Cow<Cell>(Cell(std::move(rest))), end});
  }
  // Makes one piece of two small neighbours.
  void Join(std::size_t number) {
    const std::size_t sum = pieces_[number].cell->elements.size() + pieces_[number + 1].cell->elements.size();
    if (sum > kLargest / 2) return;
    const std::vector<T>& next = pieces_[number + 1].cell->elements;
    std::vector<T>& elements = EditCell(pieces_[number]).elements;
    elements.insert(elements.end(), next.begin(), next.end());
    pieces_[number].end = pieces_[number + 1].end;
    pieces_.erase(pieces_.begin() + static_cast<std::ptrdiff_t>(number) + 1);
  }
  static uint64_t Power(std::size_t exponent) {
    uint64_t power = 1;
    for (uint64_t base = kBase; exponent > 0; exponent >>= 1, base *= base) {
      if ((exponent & 1) != 0) power *= base;
    }
    return power;
  }

  absl::InlinedVector<Piece, 1> pieces_;  // none empty
};

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_COW_LIST_H_
