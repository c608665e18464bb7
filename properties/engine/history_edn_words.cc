#include "properties/engine/history_edn_words.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace leasecheck::engine {
namespace edn {

using codec::DumpOrderedJson;
using codec::OrderedJson;

namespace {

constexpr std::array<absl::string_view, 7> kTakenNames = {"#set", "#list", "#char", "#symbol", "#tag", "#number", "#map"};

}  // namespace

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

namespace {

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

}  // namespace

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

namespace {

// Whether the string, some '~' in front apart, means something else than itself in this place.
bool NeedsEscape(absl::string_view text, EdnPlace place) {
  const std::size_t first = text.find_first_not_of('~');
  if (first == absl::string_view::npos) return false;
  text.remove_prefix(first);
  if (place == EdnPlace::kValue) return text.front() == ':' && IsKeywordName(text.substr(1));
  return IsKeywordName(text) || (place == EdnPlace::kKey && IsTaken(text));
}

}  // namespace

// The JSON of a string or a keyword.
std::string EscapeString(std::string text, EdnPlace place) { return NeedsEscape(text, place) ? "~" + text : text; }
std::string EscapeKeyword(absl::string_view name, EdnPlace place) {
  return place == EdnPlace::kValue ? absl::StrCat(":", name) : std::string(name);
}

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

namespace {

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

}  // namespace

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

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

}  // namespace edn

bool IsKeywordName(absl::string_view text) {
  return edn::IsName(text) && text.front() != ':' && text.front() != '#' && text.front() != '\'';
}

}  // namespace leasecheck::engine
