// What makes a reference store a test double: injected faults, and a record of the calls it served. Works on any family's
// operation table.
#ifndef LEASECHECK_MEMSTORE_CALL_INTERCEPTOR_H_
#define LEASECHECK_MEMSTORE_CALL_INTERCEPTOR_H_

#include <array>
#include <cstddef>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "memstore/sha256.h"
#include "model/operation.h"
#include "model/secret.h"
#include "model/time.h"
#include "tl/expected.hpp"

namespace leasecheck::memstore {

// Where in a call an injected fault strikes.
enum class FaultPoint {
  kBeforeEffect,  // nothing happened
  kAfterEffect,   // everything happened, and the caller does not learn it
};

// One call, as its caller saw it, but for secrets, which a record must not show: it has their placeholders (model/secret.h).
template <class F>
struct RecordedCall {
  RequestOf<F> request;
  OutcomeOf<F> outcome;             // the response, or the error: the contract's or the injected one
  EpochMs now = 0;                  // the time at which it was judged
  std::optional<FaultPoint> fault;  // set if the error was injected
  friend bool operator==(const RecordedCall&, const RecordedCall&) = default;
};

// Stands between a store and its rules, under the store's lock. Not thread-safe.
template <class F>
class CallInterceptor {
 public:
  explicit CallInterceptor(bool recording) : recording_(recording) {}

  // See SessionStore::FailNext.
  absl::Status FailNext(std::size_t operation, FaultPoint point, typename F::Error error) {
    if (operation >= kOperationCount<F>) {
      return absl::InvalidArgumentError(
          absl::StrCat(F::kName, " has ", kOperationCount<F>, " operations; there is none with index ", operation));
    }
    faults_[operation].push_back({point, std::move(error)});
    ++pending_faults_;
    return absl::OkStatus();
  }
  absl::Status FailNext(absl::string_view operation, FaultPoint point, typename F::Error error) {
    for (std::size_t i = 0; i < kOperationCount<F>; ++i) {
      if (OperationName<F>(i) == operation) return FailNext(i, point, std::move(error));
    }
    return absl::InvalidArgumentError(absl::StrCat(F::kName, " has no operation \"", operation, "\""));
  }
  void ClearFaults() {
    for (auto& faults : faults_) faults.clear();
    pending_faults_ = 0;
  }

  const std::vector<RecordedCall<F>>& recorded() const { return recorded_; }
  void ClearRecorded() { recorded_.clear(); }

  // Serves one call by `rules`, with the fault that is next for its operation, and records it.
  template <class Rules, class Request, class Response>
  tl::expected<Response, typename F::Error> Call(Rules& rules,
                                                 tl::expected<Response, typename F::Error> (Rules::*rule)(const Request&,
                                                                                                          EpochMs),
                                                 const Request& request, EpochMs now) {
    if (pending_faults_ == 0 && !recording_) return (rules.*rule)(request, now);
    constexpr std::size_t kIndex = OperationIndexOf<F, Request>();
    std::optional<Fault> fault = TakeFault(kIndex);
    tl::expected<Response, typename F::Error> result = Serve(rules, rule, request, now, fault);
    if (recording_) Record<kIndex>(request, result, now, fault);
    return result;
  }

 private:
  struct Fault {
    FaultPoint point;
    typename F::Error error;
  };

  std::optional<Fault> TakeFault(std::size_t operation) {
    std::deque<Fault>& faults = faults_[operation];
    if (faults.empty()) return std::nullopt;
    std::optional<Fault> fault(std::move(faults.front()));
    faults.pop_front();
    --pending_faults_;
    return fault;
  }

  template <class Rules, class Request, class Response>
  static tl::expected<Response, typename F::Error> Serve(Rules& rules,
                                                         tl::expected<Response, typename F::Error> (Rules::*rule)(const Request&,
                                                                                                                  EpochMs),
                                                         const Request& request, EpochMs now, const std::optional<Fault>& fault) {
    if (!fault.has_value()) return (rules.*rule)(request, now);
    if (fault->point == FaultPoint::kAfterEffect) (rules.*rule)(request, now);
    return tl::unexpected<typename F::Error>(fault->error);
  }

  template <std::size_t I, class Request, class Response>
  void Record(const Request& request, const tl::expected<Response, typename F::Error>& result, EpochMs now,
              const std::optional<Fault>& fault) {
    auto hidden = result;
    if (hidden.has_value()) HideSecrets(*hidden, Sha256Hex);
    Request asked = request;
    HideSecrets(asked, Sha256Hex);
    OutcomeOf<F> outcome = hidden.has_value() ? OutcomeOf<F>(std::in_place_index<0>, std::in_place_index<I>, *std::move(hidden))
                                              : OutcomeOf<F>(std::in_place_index<1>, hidden.error());
    recorded_.push_back({RequestOf<F>(std::in_place_index<I>, std::move(asked)), std::move(outcome), now,
                         fault.has_value() ? std::optional<FaultPoint>(fault->point) : std::nullopt});
  }

  const bool recording_;
  std::size_t pending_faults_ = 0;
  std::array<std::deque<Fault>, kOperationCount<F>> faults_;
  std::vector<RecordedCall<F>> recorded_;
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_CALL_INTERCEPTOR_H_
