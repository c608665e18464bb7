#include "properties/engine/history_edn.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"

namespace leasecheck::engine {
namespace {

using codec::DumpOrderedJson;
using codec::OrderedJson;

constexpr std::array<absl::string_view, 7> kTakenNames = {"#set", "#list", "#char", "#symbol", "#tag", "#number", "#map"};

bool IsTaken(absl::string_view name) {
  for (absl::string_view taken : kTakenNames) {
    if (name == taken) return true;
  }
  return false;
}

bool IsSpace(char c) { return absl::ascii_isspace(static_cast<unsigned char>(c)) || c == ','; }

// What ends a word beside a space.
bool IsDelimiter(char c) {
  constexpr absl::string_view kDelimiters = "()[]{}\";\\^`~@";
  return c == '\0' || kDelimiters.find(c) != absl::string_view::npos;
}

bool IsConstituent(char c) {
  constexpr absl::string_view kSigns = ".*+!-_?$%&=<>/:#'|";
  const unsigned char byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || absl::ascii_isalnum(byte) || kSigns.find(c) != absl::string_view::npos;
}

bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }

// Constituents, with at most one '/', which has something on both of its sides.
bool IsName(absl::string_view text) {
  std::size_t slashes = 0;
  for (char c : text) {
    if (!IsConstituent(c)) return false;
    if (c == '/') ++slashes;
  }
  if (text.empty() || absl::EndsWith(text, ":")) return false;
  if (text == "/") return true;
  return slashes <= 1 && text.front() != '/' && text.back() != '/';
}

bool BeginsLikeANumber(absl::string_view text) {
  if (absl::StartsWith(text, "+") || absl::StartsWith(text, "-")) text.remove_prefix(1);
  return !text.empty() && IsDigit(text.front());
}

bool IsSymbol(absl::string_view text) {
  if (!IsName(text) || BeginsLikeANumber(text)) return false;
  const char first = text.front();
  if (first == ':' || first == '#' || first == '\'') return false;
  if (first == '.' && text.size() > 1 && IsDigit(text[1])) return false;
  return text != "nil" && text != "true" && text != "false";
}

bool IsTag(absl::string_view text) { return IsSymbol(text) && absl::ascii_isalpha(static_cast<unsigned char>(text.front())); }

// Whether the string, some '~' in front apart, means something else than itself in this place.
bool NeedsEscape(absl::string_view text, EdnPlace place) {
  const std::size_t first = text.find_first_not_of('~');
  if (first == absl::string_view::npos) return false;
  text.remove_prefix(first);
  if (place == EdnPlace::kValue) return text.front() == ':' && IsKeywordName(text.substr(1));
  return IsKeywordName(text) || (place == EdnPlace::kKey && IsTaken(text));
}

// The JSON of a string or a keyword.
std::string EscapeString(std::string text, EdnPlace place) { return NeedsEscape(text, place) ? "~" + text : text; }
std::string EscapeKeyword(absl::string_view name, EdnPlace place) {
  return place == EdnPlace::kValue ? absl::StrCat(":", name) : std::string(name);
}

// What a JSON string stands for.
struct Meaning {
  bool keyword = false;
  absl::string_view text;  // without the colon
};
Meaning MeaningOf(absl::string_view json, EdnPlace place) {
  if (!NeedsEscape(json, place)) return {false, json};
  if (json.front() == '~') return {false, json.substr(1)};
  if (place == EdnPlace::kValue) return {true, json.substr(1)};
  return {!IsTaken(json), json};
}

OrderedJson Special(const char* name, OrderedJson value) {
  OrderedJson object = OrderedJson::object();
  object[name] = std::move(value);
  return object;
}

// A text that unequal values do not share.
std::string DistinctText(const OrderedJson& json) {
  return json.is_string() ? absl::StrCat("\"", json.get_ref<const std::string&>()) : DumpOrderedJson(json);
}

bool Deeper(const OrderedJson& json, int limit) {
  if (!json.is_structured()) return false;
  return limit == 0 ||
         std::any_of(json.begin(), json.end(), [limit](const OrderedJson& element) { return Deeper(element, limit - 1); });
}

// Takes the digits at the front.
std::size_t TakeDigits(absl::string_view* text) {
  std::size_t n = 0;
  while (n < text->size() && IsDigit((*text)[n])) ++n;
  text->remove_prefix(n);
  return n;
}

// The parts of a number's text.
struct NumberShape {
  bool valid = false;
  bool integer = false;  // nothing but digits
  bool exact = false;    // a suffix or a ratio
};

NumberShape ShapeOf(absl::string_view text) {
  NumberShape shape;
  if (absl::StartsWith(text, "-") || absl::StartsWith(text, "+")) text.remove_prefix(1);
  const absl::string_view digits = text;
  const std::size_t whole = TakeDigits(&text);
  if (whole == 0 || (whole > 1 && digits.front() == '0')) return shape;
  shape.integer = text.empty();
  shape.valid = text.empty();
  if (text == "N" || text == "M") shape.valid = shape.exact = true;
  if (absl::ConsumePrefix(&text, "/")) {
    const absl::string_view below = text;
    shape.valid = shape.exact = TakeDigits(&text) > 0 && text.empty() && below.front() != '0';
    return shape;
  }
  if (shape.valid) return shape;
  if (absl::ConsumePrefix(&text, ".")) TakeDigits(&text);
  if (absl::ConsumePrefix(&text, "e") || absl::ConsumePrefix(&text, "E")) {
    if (absl::StartsWith(text, "-") || absl::StartsWith(text, "+")) text.remove_prefix(1);
    if (TakeDigits(&text) == 0) return shape;
  }
  shape.exact = text == "M";
  shape.valid = text.empty() || shape.exact;
  return shape;
}

// The JSON of a number's text; none where it is no number.
std::optional<OrderedJson> NumberFrom(absl::string_view text) {
  if (text == "##NaN" || text == "##Inf" || text == "##-Inf") return Special("#number", std::string(text));
  const NumberShape shape = ShapeOf(text);
  if (!shape.valid) return std::nullopt;
  absl::ConsumePrefix(&text, "+");
  if (shape.integer) {
    int64_t negative = 0;
    uint64_t positive = 0;
    if (absl::SimpleAtoi(text, &positive)) return OrderedJson(positive);
    if (absl::SimpleAtoi(text, &negative)) return negative == 0 ? OrderedJson(uint64_t{0}) : OrderedJson(negative);
  }
  if (shape.integer || shape.exact) return Special("#number", std::string(text));
  double value = 0;
  if (!absl::SimpleAtod(text, &value) || !std::isfinite(value)) return std::nullopt;
  return OrderedJson(value);
}

// The length of the UTF-8 sequence that begins here; 0 where none does.
std::size_t SequenceLength(absl::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const unsigned first = byte(0);
  if (first < 0x80) return text.empty() ? 0 : 1;
  if (first < 0xC2 || first > 0xF4 || !follows(1)) return 0;
  if (first < 0xE0) return 2;
  if ((first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F) || !follows(2)) return 0;
  if (first < 0xF0) return 3;
  if ((first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F) || !follows(3)) return 0;
  return 4;
}

std::size_t FirstBadByte(absl::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = SequenceLength(text.substr(at));
    if (length == 0) return at;
    at += length;
  }
  return absl::string_view::npos;
}

bool IsSurrogate(unsigned code) { return code >= 0xD800 && code <= 0xDFFF; }

void AppendCodePoint(unsigned code, std::string* out) {
  const auto tail = [&](int shift) { out->push_back(static_cast<char>(0x80 | ((code >> shift) & 0x3F))); };
  if (code < 0x80) {
    out->push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out->push_back(static_cast<char>(0xC0 | (code >> 6)));
    tail(0);
  } else if (code < 0x10000) {
    out->push_back(static_cast<char>(0xE0 | (code >> 12)));
    tail(6);
    tail(0);
  } else {
    out->push_back(static_cast<char>(0xF0 | (code >> 18)));
    tail(12);
    tail(6);
    tail(0);
  }
}

struct NamedCharacter {
  absl::string_view name;
  char character;
};
constexpr std::array<NamedCharacter, 6> kNamedCharacters = {
    {{"newline", '\n'}, {"space", ' '}, {"tab", '\t'}, {"return", '\r'}, {"formfeed", '\f'}, {"backspace", '\b'}}};

struct StringEscape {
  char letter;
  char character;
};
constexpr std::array<StringEscape, 7> kStringEscapes = {
    {{'n', '\n'}, {'t', '\t'}, {'r', '\r'}, {'"', '"'}, {'\\', '\\'}, {'f', '\f'}, {'b', '\b'}}};

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

}  // namespace

bool IsKeywordName(absl::string_view text) {
  return IsName(text) && text.front() != ':' && text.front() != '#' && text.front() != '\'';
}

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

namespace {

absl::Status BadSpecial(absl::string_view name, absl::string_view holds) {
  return absl::InvalidArgumentError(absl::StrCat("\"", name, "\" is a taken name: expected ", holds));
}

void AppendEscaped(char c, std::string* out) {
  for (const StringEscape& escape : kStringEscapes) {
    if (escape.character != c) continue;
    out->append({'\\', escape.letter});
    return;
  }
  if (IsControl(c)) {
    absl::StrAppendFormat(out, "\\u%04x", static_cast<unsigned char>(c));
  } else {
    out->push_back(c);
  }
}

void AppendText(absl::string_view json, EdnPlace place, std::string* out) {
  const Meaning meaning = MeaningOf(json, place);
  if (meaning.keyword) return absl::StrAppend(out, ":", meaning.text);
  out->push_back('"');
  for (char c : meaning.text) AppendEscaped(c, out);
  out->push_back('"');
}

absl::Status AppendElements(const OrderedJson& elements, absl::string_view open, char close, bool distinct, std::string* out) {
  out->append(open.data(), open.size());
  absl::flat_hash_set<std::string> seen;
  bool first = true;
  for (const OrderedJson& element : elements) {
    if (distinct && !seen.insert(DistinctText(element)).second) return BadSpecial("#set", "no value twice");
    if (!first) out->push_back(' ');
    first = false;
    if (absl::Status status = AppendEdn(element, EdnPlace::kValue, out); !status.ok()) return status;
  }
  out->push_back(close);
  return absl::OkStatus();
}

absl::Status AppendPairs(const OrderedJson& pairs, std::string* out) {
  static constexpr char kHolds[] = "pairs of a key and a value, no key twice and one at least neither a string nor a keyword";
  if (!pairs.is_array()) return BadSpecial("#map", kHolds);
  bool plain = true;
  absl::flat_hash_set<std::string> seen;
  out->push_back('{');
  for (const OrderedJson& pair : pairs) {
    if (!pair.is_array() || pair.size() != 2) return BadSpecial("#map", kHolds);
    if (!seen.insert(DistinctText(pair[0])).second) return BadSpecial("#map", kHolds);
    plain = plain && pair[0].is_string();
    if (seen.size() > 1) out->append(", ");
    if (absl::Status status = AppendEdn(pair[0], EdnPlace::kValue, out); !status.ok()) return status;
    out->push_back(' ');
    if (absl::Status status = AppendEdn(pair[1], EdnPlace::kValue, out); !status.ok()) return status;
  }
  if (plain) return BadSpecial("#map", kHolds);
  out->push_back('}');
  return absl::OkStatus();
}

absl::Status AppendCharacter(const OrderedJson& value, std::string* out) {
  const std::string text = value.is_string() ? value.get<std::string>() : "";
  if (SequenceLength(text) != text.size() || text.empty()) return BadSpecial("#char", "a string of one character");
  for (const NamedCharacter& named : kNamedCharacters) {
    if (text[0] == named.character) {
      absl::StrAppend(out, "\\", named.name);
      return absl::OkStatus();
    }
  }
  if (IsControl(text[0])) {
    absl::StrAppendFormat(out, "\\u%04x", static_cast<unsigned char>(text[0]));
  } else {
    absl::StrAppend(out, "\\", text);
  }
  return absl::OkStatus();
}

absl::Status AppendSpecial(absl::string_view name, const OrderedJson& value, std::string* out) {
  if (name == "#set" || name == "#list") {
    if (!value.is_array()) return BadSpecial(name, "an array");
    return name == "#set" ? AppendElements(value, "#{", '}', true, out) : AppendElements(value, "(", ')', false, out);
  }
  if (name == "#map") return AppendPairs(value, out);
  if (name == "#char") return AppendCharacter(value, out);
  if (name == "#tag") {
    const bool tagged = value.is_array() && value.size() == 2 && value[0].is_string() && IsTag(value[0].get<std::string>());
    if (!tagged) return BadSpecial(name, "an array of a tag's name and its value");
    absl::StrAppend(out, "#", value[0].get<std::string>(), " ");
    return AppendEdn(value[1], EdnPlace::kValue, out);
  }
  const std::string text = value.is_string() ? value.get<std::string>() : "";
  if (name == "#symbol") {
    if (!IsSymbol(text)) return BadSpecial(name, "a symbol's text");
  } else if (NumberFrom(text) != Special("#number", text)) {
    return BadSpecial(name, "the text of a number that JSON lacks");
  }
  out->append(text);
  return absl::OkStatus();
}

}  // namespace

absl::Status AppendEdnMap(const codec::OrderedJson& object, const std::function<bool(absl::string_view key)>& named,
                          std::string* out) {
  out->push_back('{');
  bool first = true;
  for (const auto& [name, value] : object.get_ref<const OrderedJson::object_t&>()) {
    if (IsTaken(name)) return BadSpecial(name, "no member beside it");
    if (!first) out->append(", ");
    first = false;
    AppendText(name, EdnPlace::kKey, out);
    out->push_back(' ');
    const EdnPlace place = named && named(name) ? EdnPlace::kName : EdnPlace::kValue;
    if (absl::Status status = AppendEdn(value, place, out); !status.ok()) return status;
  }
  out->push_back('}');
  return absl::OkStatus();
}

absl::Status AppendEdn(const codec::OrderedJson& json, EdnPlace place, std::string* out) {
  if (json.is_null()) {
    out->append("nil");
  } else if (json.is_string()) {
    AppendText(json.get_ref<const std::string&>(), place, out);
  } else if (json.is_array()) {
    return AppendElements(json, "[", ']', false, out);
  } else if (json.is_object()) {
    const bool special = json.size() == 1 && IsTaken(json.begin().key());
    return special ? AppendSpecial(json.begin().key(), json.begin().value(), out) : AppendEdnMap(json, nullptr, out);
  } else {
    out->append(json.dump());
  }
  return absl::OkStatus();
}

codec::OrderedJson FromPlainJson(const codec::Json& json) {
  if (json.is_string()) return EscapeString(json.get<std::string>(), EdnPlace::kValue);
  if (json.is_array()) {
    OrderedJson array = OrderedJson::array();
    for (const codec::Json& element : json) array.push_back(FromPlainJson(element));
    return array;
  }
  if (json.is_object()) {
    OrderedJson object = OrderedJson::object();
    for (const auto& [name, value] : json.items()) {
      object.get_ref<OrderedJson::object_t&>().emplace_back(IsTaken(name) ? "~" + name : name, FromPlainJson(value));
    }
    return object;
  }
  if (json.is_number_unsigned()) return json.get<uint64_t>();
  if (json.is_number_integer()) return json.get<int64_t>();
  if (json.is_number_float()) return json.get<double>();
  return json.is_boolean() ? OrderedJson(json.get<bool>()) : OrderedJson(nullptr);
}

}  // namespace leasecheck::engine
