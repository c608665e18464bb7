#include "model/state_backend/spec_json.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace leasecheck::state_backend::spec_internal {
namespace {

// The end of the string that begins at `at`: the position behind its closing quote.
std::size_t EndOfString(absl::string_view json, std::size_t at) {
  for (++at; at < json.size() && json[at] != '"'; ++at) {
    if (json[at] == '\\') ++at;
  }
  return std::min(at + 1, json.size());
}

// The end of the value that begins at `at`: the position of the comma or bracket behind it.
std::size_t EndOfValue(absl::string_view json, std::size_t at) {
  int depth = 0;
  while (at < json.size()) {
    const char c = json[at];
    if (c == '"') {
      at = EndOfString(json, at);
      continue;
    }
    if (depth == 0 && (c == ',' || c == '}' || c == ']')) return at;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    ++at;
  }
  return at;
}

char Unescaped(char escape) {
  switch (escape) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return escape;  // a quote, a backslash
  }
}

int DigitOf(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

// What a quoted text says. Canonical text escapes control characters only, so \u is below 0x20.
std::string Unquoted(absl::string_view quoted) {
  std::string text;
  const absl::string_view inside = quoted.substr(1, quoted.size() - 2);
  for (std::size_t i = 0; i < inside.size(); ++i) {
    if (inside[i] != '\\') {
      text.push_back(inside[i]);
      continue;
    }
    ++i;
    if (inside[i] != 'u') {
      text.push_back(Unescaped(inside[i]));
      continue;
    }
    text.push_back(static_cast<char>(DigitOf(inside[i + 3]) * 16 + DigitOf(inside[i + 4])));
    i += 4;
  }
  return text;
}

void AppendMember(std::string* object, absl::string_view name, absl::string_view value) {
  absl::StrAppend(object, object->size() > 1 ? "," : "", QuotedJson(name), ":", value);
}

}  // namespace

std::optional<std::vector<Member>> MembersOf(absl::string_view json) {
  if (json.empty() || json.front() != '{') return std::nullopt;
  std::vector<Member> members;
  std::size_t at = 1;
  while (at < json.size() && json[at] == '"') {
    const std::size_t colon = EndOfString(json, at);
    const std::size_t end = EndOfValue(json, colon + 1);
    members.push_back({Unquoted(json.substr(at, colon - at)), json.substr(colon + 1, end - colon - 1)});
    at = end + 1;
  }
  return members;
}

std::string QuotedJson(absl::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (c == '"' || c == '\\') {
      absl::StrAppend(&quoted, "\\", std::string(1, c));
    } else if (const std::size_t at = absl::string_view("\b\f\n\r\t").find(c); at != absl::string_view::npos) {
      absl::StrAppend(&quoted, "\\", std::string(1, "bfnrt"[at]));
    } else if (byte < 0x20) {
      absl::StrAppend(&quoted, absl::StrFormat("\\u%04x", byte));
    } else {
      quoted.push_back(c);
    }
  }
  quoted.push_back('"');
  return quoted;
}

std::string WithMember(absl::string_view object, absl::string_view name, absl::string_view value) {
  const std::vector<Member> members = *MembersOf(object);
  std::string result = "{";
  bool placed = false;
  for (const Member& member : members) {
    if (!placed && !(member.name < name)) {
      AppendMember(&result, name, value);
      placed = true;
    }
    if (member.name != name) AppendMember(&result, member.name, member.value);
  }
  if (!placed) AppendMember(&result, name, value);
  return result + "}";
}

Appended AppendToArray(absl::string_view object, absl::string_view key, absl::string_view value, std::string* result) {
  const auto members = MembersOf(object);
  if (!members.has_value()) return Appended::kNoObject;
  const auto found = std::find_if(members->begin(), members->end(), [&](const Member& member) { return member.name == key; });
  if (found != members->end() && found->value.front() != '[') return Appended::kNoArray;
  std::string array = found == members->end() ? "[]" : std::string(found->value);
  array.pop_back();
  absl::StrAppend(&array, array.size() > 1 ? "," : "", value, "]");
  if (result != nullptr) *result = WithMember(object, key, array);
  return found == members->end() ? Appended::kCreated : Appended::kAppended;
}

}  // namespace leasecheck::state_backend::spec_internal
