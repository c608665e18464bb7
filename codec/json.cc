#include "codec/json.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

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

// Builds the value from the parser's events; its own builder would take the last of two equal keys and has no depth limit.
class Builder : public nlohmann::json_sax<Json> {
 public:
  Builder(const char* begin, const char* const* furthest) : begin_(begin), furthest_(furthest) {}

  bool null() override { return Put(Json(nullptr)); }
  bool boolean(bool value) override { return Put(Json(value)); }
  bool number_integer(number_integer_t value) override { return Put(Json(value)); }
  bool number_unsigned(number_unsigned_t value) override { return Put(Json(value)); }
  bool number_float(number_float_t value, const string_t&) override { return Put(Json(value)); }
  bool string(string_t& value) override { return Put(Json(std::move(value))); }
  bool binary(binary_t&) override { return Fail("binary data"); }
  bool start_object(std::size_t) override { return Open(Json::object()); }
  bool end_object() override { return Close(); }
  bool start_array(std::size_t) override { return Open(Json::array()); }
  bool end_array() override { return Close(); }
  bool key(string_t& name) override {
    auto [member, fresh] = open_.back()->get_ref<Json::object_t&>().try_emplace(name);
    if (!fresh) return Fail(absl::StrCat("the member \"", name.substr(0, 60), "\" is given twice"));
    member_ = &member->second;
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const Json::exception& error) override {
    // The position counts the byte that was refused.
    error_ = absl::StrCat("byte ", position == 0 ? 0 : position - 1, ": ", CauseOf(error.what()));
    return false;
  }

  absl::StatusOr<Json> Take(bool parsed) {
    if (!parsed) return absl::InvalidArgumentError(error_);
    return std::move(root_);
  }

 private:
  bool Fail(absl::string_view cause) {
    std::size_t read = static_cast<std::size_t>(*furthest_ - begin_);
    error_ = absl::StrCat("byte ", read == 0 ? 0 : read - 1, ": ", cause);
    return false;
  }

  Json* Place(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (open_.back()->is_array()) {
      auto& items = open_.back()->get_ref<Json::array_t&>();
      items.push_back(std::move(value));
      return &items.back();
    }
    *member_ = std::move(value);
    return member_;
  }
  bool Put(Json value) {
    Place(std::move(value));
    return true;
  }
  // Pointers to the open values stay valid: only the innermost of them grows.
  bool Open(Json value) {
    if (open_.size() >= kMaxJsonDepth) return Fail(absl::StrCat("nested deeper than ", kMaxJsonDepth, " levels"));
    open_.push_back(Place(std::move(value)));
    return true;
  }
  bool Close() {
    open_.pop_back();
    return true;
  }

  const char* begin_;
  const char* const* furthest_;
  Json root_;
  std::vector<Json*> open_;
  Json* member_ = nullptr;
  std::string error_;
};

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
  // The parser takes a NUL byte for the end of the text.
  if (std::size_t nul = text.find('\0'); nul != absl::string_view::npos) {
    return absl::InvalidArgumentError(absl::StrCat("byte ", nul, ": a NUL byte"));
  }
  const char* furthest = text.data();
  Builder builder(text.data(), &furthest);
  bool parsed =
      Json::sax_parse(CountingIterator(text.data(), &furthest), CountingIterator(text.data() + text.size(), &furthest), &builder);
  return builder.Take(parsed);
}

std::string DumpJson(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

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
