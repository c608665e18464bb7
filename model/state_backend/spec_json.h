// As much of canonical JSON text (model/field.h) as the spec has to understand: the members of an object, and an array's end.
// Written for the spec alone, so that it agrees with a store's patches by the contract and not by sharing their code.
#ifndef LEASECHECK_MODEL_STATE_BACKEND_SPEC_JSON_H_
#define LEASECHECK_MODEL_STATE_BACKEND_SPEC_JSON_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace leasecheck::state_backend::spec_internal {

// A member of an object. The texts are the object's own; `name` is what the key says, without its quotes and escapes.
struct Member {
  std::string name;
  absl::string_view value;
};

// The members in their order, which is that of the names' bytes; nullopt where the text is no object.
std::optional<std::vector<Member>> MembersOf(absl::string_view json);

// The text of a JSON string that says `text`.
std::string QuotedJson(absl::string_view text);

// The object with the member `name` set to `value`; `object` has to be one.
std::string WithMember(absl::string_view object, absl::string_view name, absl::string_view value);

enum class Appended { kCreated, kAppended, kNoArray, kNoObject };
// Appends `value` to the array behind `key`, or creates it (SB-PAT-2..7). `result` (may be null) gets the new text, unless it
// cannot be done.
Appended AppendToArray(absl::string_view object, absl::string_view key, absl::string_view value, std::string* result);

}  // namespace leasecheck::state_backend::spec_internal

#endif  // LEASECHECK_MODEL_STATE_BACKEND_SPEC_JSON_H_
