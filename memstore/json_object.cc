#include "memstore/json_object.h"

#include <cstddef>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace leasecheck::memstore {
namespace {

// Where in the object's text a member of the name is, or would be.
struct MemberPlace {
  bool found = false;
  std::size_t begin = 0;        // of the member's text; where it would be inserted
  std::size_t value_begin = 0;  // if found
  std::size_t value_end = 0;
};

// The end of the string that begins with the quote at `at`.
std::size_t EndOfString(absl::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return at + 1;
}

// The end of the value at `at`: the comma or bracket that follows it.
std::size_t EndOfValue(absl::string_view text, std::size_t at) {
  int depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (depth == 0 && (c == ',' || c == '}' || c == ']')) return at;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    at = c == '"' ? EndOfString(text, at) : at + 1;
  }
  return at;
}

int HexValue(char digit) { return digit <= '9' ? digit - '0' : digit - 'a' + 10; }

// The bytes of a canonical string, without its quotes.
std::string Unescaped(absl::string_view string) {
  std::string bytes;
  bytes.reserve(string.size());
  for (std::size_t i = 0; i < string.size(); ++i) {
    if (string[i] != '\\') {
      bytes += string[i];
      continue;
    }
    switch (const char escaped = string[++i]) {
      case 'b':
        bytes += '\b';
        break;
      case 'f':
        bytes += '\f';
        break;
      case 'n':
        bytes += '\n';
        break;
      case 'r':
        bytes += '\r';
        break;
      case 't':
        bytes += '\t';
        break;
      case 'u':  // of control characters only
        bytes += static_cast<char>(HexValue(string[i + 3]) * 16 + HexValue(string[i + 4]));
        i += 4;
        break;
      default:
        bytes += escaped;
    }
  }
  return bytes;
}

MemberPlace Find(absl::string_view object, absl::string_view name) {
  std::size_t at = 1;
  while (object[at] == '"') {
    MemberPlace place;
    place.begin = at;
    const std::size_t name_end = EndOfString(object, at);
    place.value_begin = name_end + 1;
    place.value_end = EndOfValue(object, place.value_begin);
    const std::string found = Unescaped(object.substr(at + 1, name_end - at - 2));
    place.found = found == name;
    if (place.found || name < found) return place;
    at = place.value_end + (object[place.value_end] == ',' ? 1 : 0);
  }
  return {false, at, 0, 0};  // behind the last member: at the closing brace
}

bool IsObject(const OpaqueJson& json) { return absl::StartsWith(json.text, "{"); }

// The object with a new member at the place.
OpaqueJson Inserted(absl::string_view object, const MemberPlace& place, absl::string_view name, absl::string_view value) {
  const bool last = object[place.begin] == '}';
  const bool alone = last && place.begin == 1;
  return {absl::StrCat(object.substr(0, place.begin), last && !alone ? "," : "", JsonString(name).text, ":", value,
                       last ? "" : ",", object.substr(place.begin))};
}

}  // namespace

OpaqueJson JsonString(absl::string_view text) {
  std::string json = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        json += "\\\"";
        break;
      case '\\':
        json += "\\\\";
        break;
      case '\b':
        json += "\\b";
        break;
      case '\f':
        json += "\\f";
        break;
      case '\n':
        json += "\\n";
        break;
      case '\r':
        json += "\\r";
        break;
      case '\t':
        json += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          absl::StrAppendFormat(&json, "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
        } else {
          json += c;
        }
    }
  }
  json += '"';
  return {json};
}

std::optional<OpaqueJson> AppendToMember(const OpaqueJson& object, absl::string_view name, const OpaqueJson& value) {
  if (!IsObject(object)) return std::nullopt;
  const absl::string_view text = object.text;
  const MemberPlace place = Find(text, name);
  if (!place.found) return Inserted(text, place, name, absl::StrCat("[", value.text, "]"));
  if (text[place.value_begin] != '[') return std::nullopt;
  const bool empty = text[place.value_begin + 1] == ']';
  const std::size_t end = place.value_end - 1;
  return OpaqueJson{absl::StrCat(text.substr(0, end), empty ? "" : ",", value.text, text.substr(end))};
}

std::optional<OpaqueJson> SetMember(const OpaqueJson& object, absl::string_view name, const OpaqueJson& value) {
  if (!IsObject(object)) return std::nullopt;
  const absl::string_view text = object.text;
  const MemberPlace place = Find(text, name);
  if (!place.found) return Inserted(text, place, name, value.text);
  return OpaqueJson{absl::StrCat(text.substr(0, place.value_begin), value.text, text.substr(place.value_end))};
}

}  // namespace leasecheck::memstore
