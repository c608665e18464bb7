#include "codec/json.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "codec/ordered_json.h"

namespace leasecheck::codec {
namespace {

// Walks over the text and tells how far the parser has read, which nlohmann's SAX interface does not.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, const char** furthest) : at_(at), furthest_(furthest) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    *furthest_ = ++at_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const CountingIterator& a, const CountingIterator& b) { return a.at_ == b.at_; }

 private:
  const char* at_;
  const char** furthest_;
};

// nlohmann's messages begin with an exception's name and a line and column; only the cause after them is of use here. The cause
// may quote a whole token, so it is cut.
std::string CauseOf(absl::string_view what) {
  for (absl::string_view mark : {"column ", "] "}) {
    std::size_t at = what.find(mark);
    if (at == absl::string_view::npos) continue;
    at = mark == "] " ? at : what.find(": ", at);
    if (at == absl::string_view::npos) continue;
    what.remove_prefix(at + 2);
    break;
  }
  constexpr std::size_t kLongest = 200;
  if (what.size() <= kLongest) return std::string(what);
  return absl::StrCat(what.substr(0, kLongest / 2), " ... ", what.substr(what.size() - kLongest / 2));
}

// Where a text was refused, and why.
struct ParseFailure {
  std::size_t byte = 0;
  std::string cause;
};

// Builds the value from the parser's events; its own builder would take the last of two equal keys and has no depth limit. J is
// Json or OrderedJson.
template <class J>
class Builder : public nlohmann::json_sax<J> {
 public:
  using Sax = nlohmann::json_sax<J>;
  using typename Sax::binary_t;
  using typename Sax::number_float_t;
  using typename Sax::number_integer_t;
  using typename Sax::number_unsigned_t;
  using typename Sax::string_t;
  static constexpr bool kOrdered = std::is_same_v<J, OrderedJson>;

  Builder(const char* begin, const char* const* furthest) : begin_(begin), furthest_(furthest) {}

  bool null() override { return Put(J(nullptr)); }
  bool boolean(bool value) override { return Put(J(value)); }
  bool number_integer(number_integer_t value) override { return Put(J(value)); }
  bool number_unsigned(number_unsigned_t value) override { return Put(J(value)); }
  bool number_float(number_float_t value, const string_t& text) override {
    // The parser takes an integer that is too large for a double.
    if (kOrdered && text.find_first_of(".eE") == string_t::npos) {
      return Fail(absl::StrCat("the integer ", text.substr(0, 40), " is beyond 64 bits"));
    }
    return Put(J(value));
  }
  bool string(string_t& value) override { return Put(J(std::move(value))); }
  bool binary(binary_t&) override { return Fail("binary data"); }
  bool start_object(std::size_t) override { return Open(J::object()); }
  bool end_object() override { return Close(); }
  bool start_array(std::size_t) override { return Open(J::array()); }
  bool end_array() override { return Close(); }
  bool key(string_t& name) override {
    auto& members = open_.back()->template get_ref<typename J::object_t&>();
    bool fresh = false;
    if constexpr (kOrdered) {
      fresh = names_.back().insert(name).second;
      if (fresh) member_ = &members.emplace_back(name, J()).second;
    } else {
      auto [member, is_fresh] = members.try_emplace(name);
      fresh = is_fresh;
      member_ = &member->second;
    }
    return fresh || Fail(absl::StrCat("the member \"", name.substr(0, 60), "\" is given twice"));
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    // The position counts the byte that was refused.
    failure_ = {position == 0 ? 0 : position - 1, CauseOf(error.what())};
    return false;
  }

  J TakeRoot() { return std::move(root_); }
  const ParseFailure& failure() const { return failure_; }

 private:
  bool Fail(absl::string_view cause) {
    std::size_t read = static_cast<std::size_t>(*furthest_ - begin_);
    failure_ = {read == 0 ? 0 : read - 1, std::string(cause)};
    return false;
  }

  J* Place(J value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (open_.back()->is_array()) {
      auto& items = open_.back()->template get_ref<typename J::array_t&>();
      items.push_back(std::move(value));
      return &items.back();
    }
    *member_ = std::move(value);
    return member_;
  }
  bool Put(J value) {
    Place(std::move(value));
    return true;
  }
  // Pointers to the open values stay valid: only the innermost of them grows.
  bool Open(J value) {
    if (open_.size() >= kMaxJsonDepth) return Fail(absl::StrCat("nested deeper than ", kMaxJsonDepth, " levels"));
    open_.push_back(Place(std::move(value)));
    if (kOrdered) names_.emplace_back();
    return true;
  }
  bool Close() {
    open_.pop_back();
    if (kOrdered) names_.pop_back();
    return true;
  }

  const char* begin_;
  const char* const* furthest_;
  J root_;
  std::vector<J*> open_;
  std::vector<absl::flat_hash_set<std::string>> names_;  // of the open values' members; the ordered object would look at each
  J* member_ = nullptr;
  ParseFailure failure_;
};

template <class J>
bool Parse(absl::string_view text, J* json, ParseFailure* failure) {
  // The parser takes a NUL byte for the end of the text.
  if (std::size_t nul = text.find('\0'); nul != absl::string_view::npos) {
    *failure = {nul, "a NUL byte"};
    return false;
  }
  const char* furthest = text.data();
  Builder<J> builder(text.data(), &furthest);
  const bool parsed =
      J::sax_parse(CountingIterator(text.data(), &furthest), CountingIterator(text.data() + text.size(), &furthest), &builder);
  if (parsed) *json = builder.TakeRoot();
  if (!parsed) *failure = builder.failure();
  return parsed;
}

bool HasFloat(const Json& json) {
  if (json.is_number_float()) return true;
  return json.is_structured() && std::any_of(json.begin(), json.end(), HasFloat);
}

// A double that is a 64-bit integer becomes that integer.
void NumbersByValue(Json* json) {
  if (json->is_structured()) {
    for (Json& element : *json) NumbersByValue(&element);
    return;
  }
  if (!json->is_number_float()) return;
  constexpr double kTwoTo63 = 9223372036854775808.0;
  double value = json->get<double>();
  if (value != std::floor(value)) return;
  if (value >= -kTwoTo63 && value < 0) *json = static_cast<int64_t>(value);
  if (value >= 0 && value < 2 * kTwoTo63) *json = static_cast<uint64_t>(value);
}

}  // namespace

absl::StatusOr<Json> ParseJson(absl::string_view text) {
  Json json;
  ParseFailure failure;
  if (Parse(text, &json, &failure)) return json;
  return absl::InvalidArgumentError(absl::StrCat("byte ", failure.byte, ": ", failure.cause));
}

absl::StatusOr<OrderedJson> ParseOrderedJson(absl::string_view text, std::size_t* bad_byte) {
  OrderedJson json;
  ParseFailure failure;
  if (Parse(text, &json, &failure)) return json;
  if (bad_byte != nullptr) *bad_byte = failure.byte;
  return absl::InvalidArgumentError(failure.cause);
}

std::string DumpJson(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string DumpOrderedJson(const OrderedJson& json) { return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace); }

std::string CanonicalText(const Json& json) {
  if (!HasFloat(json)) return DumpJson(json);
  Json copy = json;
  NumbersByValue(&copy);
  return DumpJson(copy);
}

bool DeeperThan(const Json& json, int limit) {
  if (!json.is_structured()) return false;
  if (limit == 0) return true;
  return std::any_of(json.begin(), json.end(), [&](const Json& element) { return DeeperThan(element, limit - 1); });
}

}  // namespace leasecheck::codec
