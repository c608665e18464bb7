#include <cstdint>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "properties/engine/history_edn.h"
#include "properties/engine/history_edn_words.h"

namespace leasecheck::engine {

using codec::OrderedJson;
using namespace edn;  // NOLINT(google-build-using-namespace): the words that this file is about

EdnReader::EdnReader(absl::string_view text, std::function<bool(absl::string_view)> named)
    : text_(text), named_(std::move(named)) {}

absl::StatusOr<std::optional<codec::OrderedJson>> EdnReader::Next() {
  if (!checked_) {
    checked_ = true;
    if (std::size_t bad = FirstBadByte(text_); bad != absl::string_view::npos) {
      Fail(bad, "expected UTF-8, found a byte that is none");
      return absl::InvalidArgumentError(message_);
    }
  }
  if (!SkipSpace(0)) return absl::InvalidArgumentError(message_);
  if (AtEnd() && close_ == '\0') return std::nullopt;
  if (close_ != '\0' && !AtEnd() && Peek() == close_) {
    ++at_;
    close_ = '\0';
    if (!SkipSpace(0)) return absl::InvalidArgumentError(message_);
    if (AtEnd()) return std::nullopt;
    Fail(at_, absl::StrCat("expected nothing after the end of the sequence, found ", Found()));
    return absl::InvalidArgumentError(message_);
  }
  const std::size_t begin = at_;
  Json value;
  if (!ReadValue(EdnPlace::kValue, 0, &value)) return absl::InvalidArgumentError(message_);
  // A map whose keys are not names is deeper in JSON than in EDN.
  if (Deeper(value, codec::kMaxJsonDepth)) {
    Fail(begin, absl::StrCat("nested deeper than ", codec::kMaxJsonDepth, " levels"));
    return absl::InvalidArgumentError(message_);
  }
  offset_ = begin;
  return value;
}

absl::StatusOr<bool> EdnReader::OpenSequence() {
  if (!SkipSpace(0)) return absl::InvalidArgumentError(message_);
  if (AtEnd() || (Peek() != '[' && Peek() != '(')) return false;
  close_ = Peek() == '[' ? ']' : ')';
  ++at_;
  return true;
}

bool EdnReader::Fail(std::size_t at, const std::string& message) {
  offset_ = at;
  message_ = message;
  return false;
}

std::string EdnReader::Found() const {
  if (AtEnd()) return "the end";
  const std::size_t length = SequenceLength(text_.substr(at_));
  if (length == 1 && IsControl(Peek())) return absl::StrFormat("the byte 0x%02X", static_cast<unsigned char>(Peek()));
  return absl::StrCat("'", text_.substr(at_, length == 0 ? 1 : length), "'");
}

// Spaces, commas, comments and discarded values.
bool EdnReader::SkipSpace(int depth) {
  while (!AtEnd()) {
    if (IsSpace(Peek())) {
      ++at_;
    } else if (Peek() == ';') {
      while (!AtEnd() && Peek() != '\n') ++at_;
    } else if (absl::StartsWith(text_.substr(at_), "#_")) {
      at_ += 2;
      Json discarded;
      if (!ReadValue(EdnPlace::kValue, depth + 1, &discarded)) return false;
    } else {
      return true;
    }
  }
  return true;
}

absl::string_view EdnReader::Token() {
  std::size_t end = at_;
  while (end < text_.size() && !IsSpace(text_[end]) && !IsDelimiter(text_[end])) ++end;
  return text_.substr(at_, end - at_);
}

bool EdnReader::ReadValue(EdnPlace place, int depth, Json* value) {
  if (depth > codec::kMaxJsonDepth) return Fail(at_, absl::StrCat("nested deeper than ", codec::kMaxJsonDepth, " levels"));
  if (!SkipSpace(depth)) return false;
  if (AtEnd()) return Fail(at_, "expected a value, found the end");
  const char c = Peek();
  switch (c) {
    case '"':
      return ReadString(place, value);
    case '\\':
      return ReadCharacter(value);
    case '{':
      ++at_;
      return ReadMap(depth, value);
    case '[':
      ++at_;
      return ReadElements(']', depth + 1, /*distinct=*/false, value);
    case '(': {
      ++at_;
      Json elements;
      if (!ReadElements(')', depth + 2, /*distinct=*/false, &elements)) return false;
      *value = Special("#list", std::move(elements));
      return true;
    }
    case '#':
      return ReadDispatch(depth, value);
    default:
      return ReadWord(place, value);
  }
}

bool EdnReader::ReadElements(char close, int depth, bool distinct, Json* elements) {
  if (depth > codec::kMaxJsonDepth) return Fail(at_, absl::StrCat("nested deeper than ", codec::kMaxJsonDepth, " levels"));
  *elements = Json::array();
  absl::flat_hash_set<std::string> seen;
  while (true) {
    if (!SkipSpace(depth)) return false;
    if (!AtEnd() && Peek() == close) {
      ++at_;
      return true;
    }
    if (AtEnd()) return Fail(at_, absl::StrFormat("expected a value or '%c', found the end", close));
    const std::size_t begin = at_;
    Json element;
    if (!ReadValue(EdnPlace::kValue, depth, &element)) return false;
    if (distinct && !seen.insert(DistinctText(element)).second) return Fail(begin, "a set holds this value twice");
    elements->push_back(std::move(element));
  }
}

bool EdnReader::IsNamed(const Json& key) const {
  if (!key.is_string()) return false;
  const Meaning meaning = MeaningOf(key.get_ref<const std::string&>(), EdnPlace::kValue);
  return meaning.keyword && named_(meaning.text);
}

bool EdnReader::ReadMap(int depth, Json* map) {
  bool plain = true;  // all keys are strings or keywords
  std::vector<std::pair<Json, Json>> members;
  absl::flat_hash_set<std::string> seen;
  while (true) {
    if (!SkipSpace(depth)) return false;
    if (AtEnd()) return Fail(at_, "expected a key or '}', found the end");
    if (Peek() == '}') break;
    const std::size_t begin = at_;
    Json key;
    if (!ReadValue(EdnPlace::kValue, depth + 1, &key)) return false;
    if (!seen.insert(DistinctText(key)).second) return Fail(begin, "a map has this key twice");
    plain = plain && key.is_string();
    if (!SkipSpace(depth)) return false;
    if (!AtEnd() && Peek() == '}') return Fail(at_, "expected the key's value, found '}'");
    const bool name = depth == 0 && named_ && IsNamed(key);
    Json value;
    if (!ReadValue(name ? EdnPlace::kName : EdnPlace::kValue, depth + 1, &value)) return false;
    members.emplace_back(std::move(key), std::move(value));
  }
  ++at_;
  *map = plain ? Json::object() : Json::array();
  for (auto& [key, value] : members) {
    if (!plain) {
      map->push_back(Json::array({std::move(key), std::move(value)}));
      continue;
    }
    const Meaning meaning = MeaningOf(key.get_ref<const std::string&>(), EdnPlace::kValue);
    std::string name =
        meaning.keyword ? EscapeKeyword(meaning.text, EdnPlace::kKey) : EscapeString(std::string(meaning.text), EdnPlace::kKey);
    map->get_ref<Json::object_t&>().emplace_back(std::move(name), std::move(value));
  }
  if (!plain) *map = Special("#map", std::move(*map));
  return true;
}

bool EdnReader::ReadDispatch(int depth, Json* value) {
  const std::size_t begin = at_;
  if (absl::StartsWith(text_.substr(at_), "##")) {
    const absl::string_view token = Token();
    std::optional<Json> number = NumberFrom(token);
    if (!number) return Fail(begin, absl::StrCat("expected ##NaN, ##Inf or ##-Inf, found ", token.substr(0, 40)));
    at_ += token.size();
    *value = *std::move(number);
    return true;
  }
  ++at_;
  if (!AtEnd() && Peek() == '{') {
    ++at_;
    Json elements;
    if (!ReadElements('}', depth + 2, /*distinct=*/true, &elements)) return false;
    *value = Special("#set", std::move(elements));
    return true;
  }
  const absl::string_view tag = Token();
  if (!IsTag(tag)) return Fail(begin, "expected a set, a tag, ##NaN or #_ after '#'");
  at_ += tag.size();
  Json tagged;
  if (!ReadValue(EdnPlace::kValue, depth + 2, &tagged)) return false;
  *value = Special("#tag", Json::array({std::string(tag), std::move(tagged)}));
  return true;
}

bool EdnReader::ReadString(EdnPlace place, Json* value) {
  const std::size_t begin = at_++;
  std::string text;
  while (true) {
    if (AtEnd()) return Fail(begin, "expected the end of this string, found the end of the text");
    const char c = text_[at_++];
    if (c == '"') break;
    if (c != '\\') {
      text.push_back(c);
    } else if (!ReadEscape(&text)) {
      return false;
    }
  }
  *value = EscapeString(std::move(text), place);
  return true;
}

// What stands after the backslash.
bool EdnReader::ReadEscape(std::string* text) {
  const std::size_t begin = at_ - 1;
  if (AtEnd()) return Fail(at_, "expected an escape, found the end");
  const char letter = text_[at_++];
  for (const StringEscape& escape : kStringEscapes) {
    if (escape.letter != letter) continue;
    text->push_back(escape.character);
    return true;
  }
  if (letter != 'u') return Fail(begin, "expected one of the escapes \\n \\t \\r \\f \\b \\\" \\\\ \\uXXXX");
  unsigned code = 0;
  if (!ReadHex(&code)) return false;
  if (IsSurrogate(code)) {
    unsigned low = 0;
    const bool pair = code < 0xDC00 && absl::StartsWith(text_.substr(at_), "\\u");
    if (pair) at_ += 2;
    if (!pair || !ReadHex(&low) || low < 0xDC00 || low > 0xDFFF) return Fail(begin, "half of a surrogate pair");
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  AppendCodePoint(code, text);
  return true;
}

bool EdnReader::ReadHex(unsigned* code) {
  const absl::string_view digits = text_.substr(at_, 4);
  uint32_t value = 0;
  for (char c : digits) {
    if (!absl::ascii_isxdigit(static_cast<unsigned char>(c))) return Fail(at_, "expected four hexadecimal digits");
  }
  if (digits.size() < 4 || !absl::SimpleHexAtoi(digits, &value)) return Fail(at_, "expected four hexadecimal digits");
  at_ += 4;
  *code = value;
  return true;
}

bool EdnReader::ReadCharacter(Json* value) {
  const std::size_t begin = at_++;
  if (AtEnd() || absl::ascii_isspace(static_cast<unsigned char>(Peek()))) return Fail(begin, "expected a character after '\\'");
  // The first one may be a delimiter, as in \( ; what follows it belongs to it up to the next delimiter.
  const std::size_t first = SequenceLength(text_.substr(at_));
  at_ += first;
  const absl::string_view rest = Token();
  const absl::string_view word = text_.substr(at_ - first, first + rest.size());
  at_ += rest.size();
  std::string character;
  for (const NamedCharacter& named : kNamedCharacters) {
    if (named.name == word) character = std::string(1, named.character);
  }
  if (rest.empty()) character = std::string(word);
  if (character.empty() && word.size() == 5 && word.front() == 'u') {
    at_ = begin + 2;
    unsigned code = 0;
    if (!ReadHex(&code)) return false;
    if (IsSurrogate(code)) return Fail(begin, "half of a surrogate pair");
    AppendCodePoint(code, &character);
  }
  if (character.empty()) return Fail(begin, absl::StrCat("there is no character \\", word.substr(0, 40)));
  *value = Special("#char", std::move(character));
  return true;
}

bool EdnReader::ReadWord(EdnPlace place, Json* value) {
  const absl::string_view word = Token();
  if (word.empty()) return Fail(at_, absl::StrCat("expected a value, found ", Found()));
  std::optional<Json> json;
  if (word == "nil") json = Json(nullptr);
  if (word == "true") json = Json(true);
  if (word == "false") json = Json(false);
  if (word.front() == ':' && IsKeywordName(word.substr(1))) json = EscapeKeyword(word.substr(1), place);
  if (!json && BeginsLikeANumber(word)) json = NumberFrom(word);
  if (!json && IsSymbol(word)) json = Special("#symbol", std::string(word));
  if (!json) return Fail(at_, absl::StrCat("expected a value, found \"", word.substr(0, 40), "\""));
  at_ += word.size();
  *value = *std::move(json);
  return true;
}

}  // namespace leasecheck::engine
