// The values of the state_backend contract (state-backend.md, 2). Those of one subject are in a header of its own: workflows and
// executions in workflow_values.h, events and snapshots in event_values.h, the work queue in work_values.h, tokens and tenants in
// access_values.h. Here is what all of them share.
//
// Plain structs. Strings are UTF-8, opaque, compared byte by byte, and empty strings are legal. JSON is canonical text
// (model/field.h), so equal JSON is equal text. Ids of executions, events, snapshots and work items are UUIDs that the caller
// draws. Instants are whole milliseconds (model/instant.h): the wire cuts finer digits off.
#ifndef LEASECHECK_MODEL_STATE_BACKEND_VALUES_H_
#define LEASECHECK_MODEL_STATE_BACKEND_VALUES_H_

#include <cstdint>
#include <string>
#include <tuple>
#include <variant>

#include "absl/strings/string_view.h"
#include "model/field.h"
#include "model/session_store/values.h"
#include "model/time.h"
#include "model/uuid.h"

namespace leasecheck {
namespace state_backend {

using session_store::Done;

using ExecutionId = Uuid;
using WorkItemId = Uuid;
using TenantId = std::string;

// The tenant that is there without having been created, and that everything belongs to which names none.
inline constexpr absl::string_view kDefaultTenant = "default";
inline constexpr absl::string_view kDefaultTenantName = "Default";

// How long a claim, and a renewal, holds an item where the store declares nothing else (SB-LAT-35).
inline constexpr DurationMs kLeaseLengthMs = 30'000;

// The contract's errors. Texts are for people and never compared.

struct NotFound {
  std::string text;
  friend bool operator==(const NotFound&, const NotFound&) { return true; }
};
// Part of the trait, and never answered: numbers of events cannot conflict. [SB-SEQ-7]
struct SequenceConflict {
  std::string text;
  friend bool operator==(const SequenceConflict&, const SequenceConflict&) { return true; }
};
// An id that is taken, a record that is not there to be referred to, a state that has no place for a value; and trouble that the
// contract does not name, such as a disk that fails.
struct Database {
  std::string text;
  friend bool operator==(const Database&, const Database&) { return true; }
};
// Stored JSON cannot be read or written. No call of the contract demands it.
struct Serialization {
  std::string text;
  friend bool operator==(const Serialization&, const Serialization&) { return true; }
};
using StoreError = std::variant<NotFound, SequenceConflict, Database, Serialization>;

}  // namespace state_backend

template <>
inline constexpr auto kFields<state_backend::NotFound> = std::make_tuple(Field{"text", &state_backend::NotFound::text});
template <>
inline constexpr auto kFields<state_backend::SequenceConflict> = std::make_tuple(Field{"text",
                                                                                       &state_backend::SequenceConflict::text});
template <>
inline constexpr auto kFields<state_backend::Database> = std::make_tuple(Field{"text", &state_backend::Database::text});
template <>
inline constexpr auto kFields<state_backend::Serialization> = std::make_tuple(Field{"text", &state_backend::Serialization::text});
template <>
inline constexpr auto kAlternatives<state_backend::StoreError> =
    AlternativeList<4>{Tagging::kInternal, "error", "", {{"NotFound"}, {"SequenceConflict"}, {"Database"}, {"Serialization"}}};

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_STATE_BACKEND_VALUES_H_
