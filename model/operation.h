// The operation table of a family, and everything that follows from it by type deduction alone.
//
// A family is a struct with a name, a store interface, a contract error and a tuple of operations:
//
//   struct QueueFamily {
//     static constexpr absl::string_view kName = "queue";
//     using Store = QueueStore;
//     using Error = QueueError;
//     static constexpr auto kOperations = std::make_tuple(Operation{"push", &QueueStore::Push, Effect::kWrite}, ...);
//   };
//
// From it come RequestOf<F> and ResponseOf<F> (a variant with one alternative an operation, in the table's order), OutcomeOf<F>
// and Execute(store, request). Every operation has a request type of its own.
#ifndef LEASECHECK_MODEL_OPERATION_H_
#define LEASECHECK_MODEL_OPERATION_H_

#include <cstddef>
#include <string>
#include <tuple>
#include <utility>
#include <variant>

#include "absl/strings/string_view.h"
#include "tl/expected.hpp"

namespace leasecheck {

// Whether an operation can change a store. A call of a kRead operation whose answer nobody saw constrains nothing.
enum class Effect { kRead, kWrite };

template <class StoreT, class RequestT, class ResponseT, class ErrorT>
struct Operation {
  using Store = StoreT;
  using Request = RequestT;
  using Response = ResponseT;
  using Error = ErrorT;
  using Method = tl::expected<ResponseT, ErrorT> (StoreT::*)(const RequestT&);

  absl::string_view name;  // the trait method's own name, as on the wire
  Method method;
  Effect effect;
};
template <class StoreT, class RequestT, class ResponseT, class ErrorT>
Operation(const char*, tl::expected<ResponseT, ErrorT> (StoreT::*)(const RequestT&), Effect)
    -> Operation<StoreT, RequestT, ResponseT, ErrorT>;

template <class F>
inline constexpr std::size_t kOperationCount = std::tuple_size_v<decltype(F::kOperations)>;

template <class F, std::size_t I>
using OperationAt = std::tuple_element_t<I, std::remove_cv_t<decltype(F::kOperations)>>;

namespace operation_internal {
template <class F, class Indices>
struct Variants;
template <class F, std::size_t... I>
struct Variants<F, std::index_sequence<I...>> {
  using Request = std::variant<typename OperationAt<F, I>::Request...>;
  using Response = std::variant<typename OperationAt<F, I>::Response...>;
};
template <class F>
using VariantsOf = Variants<F, std::make_index_sequence<kOperationCount<F>>>;
}  // namespace operation_internal

// The arguments of one call. Its index() is the operation's index in the table.
template <class F>
using RequestOf = typename operation_internal::VariantsOf<F>::Request;

// The success value of one call; two operations may share a type, so it is addressed by index only.
template <class F>
using ResponseOf = typename operation_internal::VariantsOf<F>::Response;

// The outcome of a call that may or may not have happened: a timeout, a lost connection, a crash in between.
struct Indefinite {
  std::string detail;  // for people; never compared
  friend bool operator==(const Indefinite&, const Indefinite&) { return true; }
};

// The backend says that it lacks the operation. Counted as skipped, never as passed.
struct Unsupported {
  friend bool operator==(const Unsupported&, const Unsupported&) = default;
};

// An answer that is none of the contract's: an error code or a contract error that the trait does not have.
struct ForeignError {
  std::string detail;  // for people; never compared
  friend bool operator==(const ForeignError&, const ForeignError&) { return true; }
};

template <class F>
using OutcomeOf = std::variant<ResponseOf<F>, typename F::Error, Indefinite, Unsupported, ForeignError>;

// Calls visit.template operator()<I>() for the operation with index `index`.
template <class F, class Visit, std::size_t I = 0>
constexpr decltype(auto) VisitOperation(std::size_t index, Visit&& visit) {
  if constexpr (I + 1 == kOperationCount<F>) {
    return visit.template operator()<I>();
  } else {
    if (index == I) return visit.template operator()<I>();
    return VisitOperation<F, Visit, I + 1>(index, std::forward<Visit>(visit));
  }
}

// Calls visit(operation, index) for every operation of the table, in order.
template <class F, class Visit>
constexpr void ForEachOperation(Visit&& visit) {
  [&]<std::size_t... I>(std::index_sequence<I...>) { (visit(std::get<I>(F::kOperations), I), ...); }
  (std::make_index_sequence<kOperationCount<F>>{});
}

template <class F>
constexpr absl::string_view OperationName(std::size_t index) {
  return VisitOperation<F>(index, []<std::size_t I>() { return std::get<I>(F::kOperations).name; });
}

template <class F>
constexpr Effect OperationEffect(std::size_t index) {
  return VisitOperation<F>(index, []<std::size_t I>() { return std::get<I>(F::kOperations).effect; });
}

// Makes one call on a store and wraps what it returned.
template <class F>
OutcomeOf<F> Execute(typename F::Store& store, const RequestOf<F>& request) {
  return VisitOperation<F>(request.index(), [&]<std::size_t I>() -> OutcomeOf<F> {
    auto result = (store.*std::get<I>(F::kOperations).method)(std::get<I>(request));
    if (!result.has_value()) return OutcomeOf<F>(std::in_place_index<1>, std::move(result).error());
    return OutcomeOf<F>(std::in_place_index<0>, std::in_place_index<I>, *std::move(result));
  });
}

// The response of operation I, or null where the outcome is something else.
template <class F, std::size_t I>
const typename OperationAt<F, I>::Response* ResponseIf(const OutcomeOf<F>& outcome) {
  const auto* response = std::get_if<0>(&outcome);
  return response == nullptr ? nullptr : std::get_if<I>(response);
}

// The index of the operation whose request type is R.
template <class F, class R, std::size_t I = 0>
constexpr std::size_t OperationIndexOf() {
  static_assert(I < kOperationCount<F>, "no operation of the family takes this request");
  if constexpr (std::is_same_v<typename OperationAt<F, I>::Request, R>) {
    return I;
  } else {
    return OperationIndexOf<F, R, I + 1>();
  }
}

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_OPERATION_H_
