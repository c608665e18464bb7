// What a state_backend reference store does at the points where the contract lets it choose.
#ifndef LEASECHECK_MEMSTORE_STATE_BACKEND_CHOICES_H_
#define LEASECHECK_MEMSTORE_STATE_BACKEND_CHOICES_H_

#include "absl/status/statusor.h"
#include "model/dialect.h"
#include "model/state_backend/values.h"
#include "model/time.h"

namespace leasecheck::memstore {

enum class ListOrder { kUpdatedAt, kStartedAt };            // SB-LAT-5
enum class UnknownExecution { kDatabase, kAccepted };       // SB-LAT-9
enum class Numbering { kPerExecution, kGlobal };            // SB-LAT-10
enum class ClaimOrder { kFifo, kAny };                      // SB-LAT-15; kAny: the first queue type asked for has priority
enum class ExpiredItem { kWaits, kStealing };               // SB-LAT-16
enum class RetryBackoff { kExponential, kBounded, kNone };  // SB-LAT-17; kBounded: a second an attempt, at most 64 s
enum class FailedItem { kSink, kRequeue };                  // SB-LAT-20
enum class TenantCalls { kSupported, kUnsupported };        // SB-LAT-34

// The first of each is the reference's own.
struct StateBackendChoices {
  ListOrder list_order = ListOrder::kUpdatedAt;
  UnknownExecution unknown_execution = UnknownExecution::kDatabase;
  Numbering numbering = Numbering::kPerExecution;
  ClaimOrder claim_order = ClaimOrder::kFifo;
  ExpiredItem expired_item = ExpiredItem::kWaits;
  RetryBackoff backoff = RetryBackoff::kExponential;
  FailedItem failed_item = FailedItem::kSink;
  TenantCalls tenant_calls = TenantCalls::kSupported;
  DurationMs lease_length_ms = state_backend::kLeaseLengthMs;  // SB-LAT-35
  friend bool operator==(const StateBackendChoices&, const StateBackendChoices&) = default;
};

// The choices that a store with these dialects makes. InvalidArgument names a point that the contract does not have, a word that
// the point does not have, or a preset: the reference stores have none.
absl::StatusOr<StateBackendChoices> ChoicesOf(const Dialects& dialects);

// What a store that makes these choices declares; one that makes the reference's own, that it has views.
Dialects DialectsOf(const StateBackendChoices& choices);

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_STATE_BACKEND_CHOICES_H_
