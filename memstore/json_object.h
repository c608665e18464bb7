// Changes one member of a JSON object that is held as canonical text (OpaqueJson), on the text itself: the room has no JSON
// library, and needs none for that.
//
// Canonical text has no white space, members sorted by the bytes of their names, and in strings no other escapes than \" \\ \b \f
// \n \r \t and \u00xx in lower case for the other control characters. Both functions keep it so. Their cost is that of a copy of
// the object. Pure.
//
//   AppendToMember({R"({"a":1,"log":["x"]})"}, "log", {"[2]"})  // {"a":1,"log":["x",[2]]}
#ifndef LEASECHECK_MEMSTORE_JSON_OBJECT_H_
#define LEASECHECK_MEMSTORE_JSON_OBJECT_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "model/field.h"

namespace leasecheck::memstore {

// The object with `value` as the last element of the array under `name`, or with the member [value] where there is none. Nothing
// where `object` is no object, or has something else under the name.
std::optional<OpaqueJson> AppendToMember(const OpaqueJson& object, absl::string_view name, const OpaqueJson& value);

// The object with `value` under `name`, whatever was there. Nothing where `object` is no object.
std::optional<OpaqueJson> SetMember(const OpaqueJson& object, absl::string_view name, const OpaqueJson& value);

// The text as a JSON string.
OpaqueJson JsonString(absl::string_view text);

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_JSON_OBJECT_H_
