// The words of EDN: what a name, a number and a character are, and what a JSON string stands for. What the reader and the writer
// of history_edn.h agree on; nothing else uses it.
#ifndef LEASECHECK_PROPERTIES_ENGINE_HISTORY_EDN_WORDS_H_
#define LEASECHECK_PROPERTIES_ENGINE_HISTORY_EDN_WORDS_H_

#include <array>
#include <cstddef>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "codec/ordered_json.h"
#include "properties/engine/history_edn.h"

namespace leasecheck::engine::edn {

// The names of objects that stand for what JSON lacks.
bool IsTaken(absl::string_view name);

bool IsSpace(char c);
// Ends a word beside a space.
bool IsDelimiter(char c);
bool IsControl(char c);
bool IsSurrogate(unsigned code);

bool BeginsLikeANumber(absl::string_view text);
bool IsSymbol(absl::string_view text);
bool IsTag(absl::string_view text);

// The JSON of a string or a keyword.
std::string EscapeString(std::string text, EdnPlace place);
std::string EscapeKeyword(absl::string_view name, EdnPlace place);

// What a JSON string stands for.
struct Meaning {
  bool keyword = false;
  absl::string_view text;  // without the colon
};
Meaning MeaningOf(absl::string_view json, EdnPlace place);

codec::OrderedJson Special(const char* name, codec::OrderedJson value);

// A text that unequal values do not share.
std::string DistinctText(const codec::OrderedJson& json);

// Whether it is nested deeper than `limit` levels.
bool Deeper(const codec::OrderedJson& json, int limit);

// The JSON of a number's text; none where it is no number.
std::optional<codec::OrderedJson> NumberFrom(absl::string_view text);

// The length of the UTF-8 sequence that begins here; 0 where none does.
std::size_t SequenceLength(absl::string_view text);
// npos where there is none.
std::size_t FirstBadByte(absl::string_view text);
void AppendCodePoint(unsigned code, std::string* out);

struct NamedCharacter {
  absl::string_view name;
  char character;
};
inline constexpr std::array<NamedCharacter, 6> kNamedCharacters = {
    {{"newline", '\n'}, {"space", ' '}, {"tab", '\t'}, {"return", '\r'}, {"formfeed", '\f'}, {"backspace", '\b'}}};

struct StringEscape {
  char letter;
  char character;
};
inline constexpr std::array<StringEscape, 7> kStringEscapes = {
    {{'n', '\n'}, {'t', '\t'}, {'r', '\r'}, {'"', '"'}, {'\\', '\\'}, {'f', '\f'}, {'b', '\b'}}};

}  // namespace leasecheck::engine::edn

#endif  // LEASECHECK_PROPERTIES_ENGINE_HISTORY_EDN_WORDS_H_
