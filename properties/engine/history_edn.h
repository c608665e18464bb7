// EDN, the text format of Jepsen's histories (https://github.com/edn-format/edn), as JSON and back.
//
// Debian has no C++ library for it, so this is the subset that histories need: nil, booleans, integers, ratios, floats, strings,
// characters, keywords, symbols, lists, vectors, maps, sets, tagged values; comments and #_ are skipped. Not read: metadata (^),
// namespaced maps (#:a{}), octal and hexadecimal numbers, regular expressions.
//
// The mapping loses nothing in either direction: EdnReader after AppendEdn gives the same JSON, AppendEdn after EdnReader the
// same EDN (spaces, comments and the spelling of a number or of an escape apart).
//
//   EDN               JSON              EDN                     JSON
//   nil true 5 1.5    null true 5 1.5   #{1 2}                  {"#set":[1,2]}
//   "text"            "text"            (1 2)                   {"#list":[1,2]}
//   [1 2]             [1,2]             \a                      {"#char":"a"}
//   {:a 1, "b c" 2}   {"a":1,"b c":2}   sym                     {"#symbol":"sym"}
//   :a  (a value)     ":a"              #inst "2026"            {"#tag":["inst","2026"]}
//   ":a" (a string)   "~:a"             5N 1.5M 1/2 ##NaN       {"#number":"5N"} ...
//   {"a" 1}           {"~a":1}          {[1] 2}                 {"#map":[[[1],2]]}
//
// So a JSON string that is a keyword's text is that keyword, and in the place of a member's name a JSON string that could be a
// keyword's name is that keyword. With one or more '~' before it, it is a string with one '~' less. Every other JSON string is
// itself. The names #set, #list, #char, #symbol, #tag, #number and #map are taken: as a string, "#set" is named "~#set". An
// integer beyond 64 bits is a #number.
#ifndef LEASECHECK_PROPERTIES_ENGINE_HISTORY_EDN_H_
#define LEASECHECK_PROPERTIES_ENGINE_HISTORY_EDN_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codec/json.h"
#include "codec/ordered_json.h"

namespace leasecheck::engine {

// Where a JSON string stands decides what it means.
enum class EdnPlace {
  kValue,  // ":a" is the keyword
  kName,   // "a" is the keyword, as in the type of an event
  kKey,    // as kName, and the taken names are none
};

// Reads the values of a text one after the other. The text is borrowed. Any input is safe; the time is linear in its length.
class EdnReader {
 public:
  // `named(key)` says that the value of this key in an outermost map stands in EdnPlace::kName; may be empty.
  explicit EdnReader(absl::string_view text, std::function<bool(absl::string_view key)> named = nullptr);

  // The next value, none at the end of the text. InvalidArgument: what was expected and what was found; offset() is the byte.
  // After an error the reader is of no use.
  absl::StatusOr<std::optional<codec::OrderedJson>> Next();

  // Opens a vector or a list that begins here, so that Next() reads its elements and ends with it; false where none begins.
  absl::StatusOr<bool> OpenSequence();

  // The byte at which the last value began, or at which the text was refused.
  std::size_t offset() const { return offset_; }

 private:
  using Json = codec::OrderedJson;

  bool Fail(std::size_t at, const std::string& message);
  bool SkipSpace(int depth);
  bool AtEnd() const { return at_ == text_.size(); }
  char Peek() const { return text_[at_]; }
  std::string Found() const;
  absl::string_view Token();
  bool ReadValue(EdnPlace place, int depth, Json* value);
  bool ReadElements(char close, int depth, bool distinct, Json* elements);
  bool IsNamed(const Json& key) const;
  bool ReadMap(int depth, Json* map);
  bool ReadDispatch(int depth, Json* value);
  bool ReadString(EdnPlace place, Json* value);
  bool ReadEscape(std::string* text);
  bool ReadHex(unsigned* code);
  bool ReadCharacter(Json* value);
  bool ReadWord(EdnPlace place, Json* value);

  absl::string_view text_;
  std::function<bool(absl::string_view)> named_;
  std::size_t at_ = 0;
  std::size_t offset_ = 0;
  char close_ = '\0';     // of the opened sequence
  bool checked_ = false;  // that the text is UTF-8
  std::string message_;
};

// Appends one value. InvalidArgument: a taken name that does not hold what the table above says.
absl::Status AppendEdn(const codec::OrderedJson& json, EdnPlace place, std::string* out);
// ... as an event: the values of `named` keys stand in EdnPlace::kName.
absl::Status AppendEdnMap(const codec::OrderedJson& object, const std::function<bool(absl::string_view key)>& named,
                          std::string* out);

// JSON that knows nothing of EDN, such as a request of ours, in the mapping above: its strings stay strings, the names of its
// members become keywords where they can.
codec::OrderedJson FromPlainJson(const codec::Json& json);

// Whether the text can stand after the colon of a keyword.
bool IsKeywordName(absl::string_view text);

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_ENGINE_HISTORY_EDN_H_
