// A value that copies share until one of them is written to.
//
//   Cow<Session> a;          // holds a default Session
//   Cow<Session> b = a;      // shares it
//   b.Edit().head = 3;       // b gets a copy of its own first; a still reads 0
//
// Reading is free, copying counts one reference, and Edit copies only where the value is shared: a state that is stepped in
// place never copies. Two threads may hold copies of one Cow; one Cow object itself is not to be shared between threads.
#ifndef LEASECHECK_MODEL_COW_H_
#define LEASECHECK_MODEL_COW_H_

#include <atomic>
#include <cstdint>
#include <utility>

namespace leasecheck {

template <class T>
class Cow {
 public:
  Cow() : cell_(new Cell()) {}
  explicit Cow(T value) : cell_(new Cell(std::move(value))) {}
  Cow(const Cow& other) noexcept : cell_(other.cell_) { cell_->references.fetch_add(1, std::memory_order_relaxed); }
  // Leaves `other` without a value: it may only be destroyed or assigned to.
  Cow(Cow&& other) noexcept : cell_(std::exchange(other.cell_, nullptr)) {}
  Cow& operator=(Cow other) noexcept {
    std::swap(cell_, other.cell_);
    return *this;
  }
  ~Cow() {
    if (cell_ != nullptr && cell_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete cell_;
  }

  const T& operator*() const { return cell_->value; }
  // The analyzer does not follow the count of references through an atomic and takes a shared cell for a deleted one.
  const T* operator->() const { return &cell_->value; }  // NOLINT(clang-analyzer-cplusplus.NewDelete)

  // The value to write to. Valid until this Cow is copied, assigned or destroyed.
  T& Edit() {
    if (cell_->references.load(std::memory_order_acquire) != 1) *this = Cow(cell_->value);
    return cell_->value;
  }

  bool SharesWith(const Cow& other) const { return cell_ == other.cell_; }
  friend bool operator==(const Cow& a, const Cow& b) { return a.cell_ == b.cell_ || *a == *b; }

 private:
  struct Cell {
    Cell() = default;
    explicit Cell(T v) : value(std::move(v)) {}
    std::atomic<uint32_t> references{1};
    T value;
  };
  Cell* cell_;
};

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_COW_H_
