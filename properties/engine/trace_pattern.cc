#include "properties/engine/trace_pattern.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "properties/engine/node.h"
#include "properties/engine/trace_text.h"

namespace leasecheck::engine::trace_internal {
namespace {

using codec::Json;

constexpr std::array<absl::string_view, 5> kOperators = {"$above", "$below", "$not", "$one_of", "$ref"};

// More differences than these help nobody.
constexpr std::size_t kMostDifferences = 20;

std::string Show(const Json& json) {
  constexpr std::size_t kLongest = 300;
  std::string text = codec::DumpJson(json);
  if (text.size() > kLongest) text = absl::StrCat(text.substr(0, kLongest), "...");
  return text;
}

std::string Member(const std::string& place, absl::string_view name) {
  return place.empty() ? std::string(name) : absl::StrCat(place, ".", name);
}

}  // namespace

std::optional<PatternWord> ReadPatternWord(absl::string_view text) {
  using Kind = PatternWord::Kind;
  if (!absl::StartsWith(text, "$")) return PatternWord{Kind::kLiteral, text, ""};
  if (absl::StartsWith(text, "$$")) return PatternWord{Kind::kLiteral, text.substr(1), ""};
  if (text == "$any") return PatternWord{Kind::kAny, "", ""};
  if (text == "$rest") return PatternWord{Kind::kRest, "", ""};
  if (text == "$none") return PatternWord{Kind::kNone, "", ""};
  if (absl::StartsWith(text, "$?")) {
    if (!IsName(text.substr(2))) return std::nullopt;
    return PatternWord{Kind::kVariable, text.substr(2), ""};
  }
  PatternWord word{Kind::kName, "", ""};
  if (!SplitDollar(text, &word.name, &word.path) || !IsName(word.name)) return std::nullopt;
  return word;
}

bool IsOperators(const Json& object) {
  if (object.empty()) return false;
  const std::string& first = object.begin().key();
  return absl::StartsWith(first, "$") && !absl::StartsWith(first, "$$");
}

std::optional<PatternOperator> FindPatternOperator(absl::string_view member) {
  const auto* found = std::find(kOperators.begin(), kOperators.end(), member);
  if (found == kOperators.end()) return std::nullopt;
  return static_cast<PatternOperator>(found - kOperators.begin());
}

bool PatternMatcher::Matches(const Json& pattern, const Json& value, std::vector<std::string>* differences) {
  auto variables = variables_;
  differences_.clear();
  Compare(pattern, value, "");
  const bool matches = differences_.empty();
  if (!matches) variables_ = std::move(variables);
  *differences = std::move(differences_);
  differences_.clear();
  return matches;
}

void PatternMatcher::Compare(const Json& pattern, const Json& value, const std::string& place) {
  if (differences_.size() >= kMostDifferences) return;
  if (pattern.is_string()) {
    CompareString(pattern.get_ref<const std::string&>(), value, place);
  } else if (pattern.is_array()) {
    CompareArray(pattern, value, place);
  } else if (!pattern.is_object()) {
    if (pattern != value) Differ(place, Show(pattern), value);
  } else if (IsOperators(pattern)) {
    for (const auto& [name, operand] : pattern.items()) {
      if (auto op = FindPatternOperator(name); op.has_value()) CompareOperator(*op, operand, value, place);
    }
  } else {
    CompareObject(pattern, value, place);
  }
}

void PatternMatcher::CompareString(const std::string& pattern, const Json& value, const std::string& place) {
  const PatternWord word = ReadPatternWord(pattern).value_or(PatternWord{PatternWord::Kind::kLiteral, pattern, ""});
  switch (word.kind) {
    case PatternWord::Kind::kAny:
    case PatternWord::Kind::kRest:
      return;
    case PatternWord::Kind::kVariable: {
      auto [bound, fresh] = variables_.try_emplace(std::string(word.name), value);
      if (!fresh && bound->second != value) Differ(place, absl::StrCat(Show(bound->second), " (", pattern, ")"), value);
      return;
    }
    case PatternWord::Kind::kNone:
      if (value != Json(std::string(kNeverIssued))) Differ(place, "the value that no store ever issued", value);
      return;
    case PatternWord::Kind::kName:
      return CompareName(word, value, place);
    case PatternWord::Kind::kLiteral:
      if (value != Json(std::string(word.name))) Differ(place, Show(Json(std::string(word.name))), value);
      return;
  }
}

void PatternMatcher::CompareName(const PatternWord& word, const Json& value, const std::string& place) {
  const std::optional<Named> named = lookup_(word.name, word.path);
  const std::string written = absl::StrCat("$", word.name, word.path.empty() ? "" : ".", word.path);
  if (!named.has_value()) return Differ(place, absl::StrCat("the value of ", written, ", which has none"), value);
  if (named->is_pattern) return Compare(named->value, value, place);
  if (named->value != value) Differ(place, absl::StrCat(Show(named->value), " (", written, ")"), value);
}

void PatternMatcher::CompareArray(const Json& pattern, const Json& value, const std::string& place) {
  if (!value.is_array()) return Differ(place, "an array", value);
  const bool open = !pattern.empty() && pattern.back() == Json("$rest");
  const std::size_t listed = pattern.size() - (open ? 1 : 0);
  for (std::size_t i = 0; i < listed && i < value.size(); ++i) Compare(pattern[i], value[i], absl::StrCat(place, "[", i, "]"));
  if (value.size() < listed || (value.size() > listed && !open)) {
    Differ(place, absl::StrCat(listed, open ? " or more elements" : listed == 1 ? " element" : " elements"), value);
  }
}

void PatternMatcher::CompareObject(const Json& pattern, const Json& value, const std::string& place) {
  if (!value.is_object()) return Differ(place, Show(pattern), value);
  for (const auto& [name, member] : pattern.items()) {
    const std::string plain = absl::StartsWith(name, "$$") ? name.substr(1) : name;
    auto found = value.find(plain);
    Compare(member, found == value.end() ? Json(nullptr) : *found, Member(place, plain));
  }
}

void PatternMatcher::CompareOperator(PatternOperator op, const Json& operand, const Json& value, const std::string& place) {
  switch (op) {
    case PatternOperator::kAbove:
    case PatternOperator::kBelow:
      return CompareOrder(op, operand, value, place);
    case PatternOperator::kNot:
      if (Trial(operand, value, false)) Differ(place, absl::StrCat("anything but ", Show(operand)), value);
      return;
    case PatternOperator::kOneOf: {
      const bool any = std::any_of(operand.begin(), operand.end(), [&](const Json& one) { return Trial(one, value, true); });
      if (!any) Differ(place, absl::StrCat("one of ", Show(operand)), value);
      return;
    }
    case PatternOperator::kReference:
      if (reference_) Compare(operand, value, place);
      return;
  }
}

void PatternMatcher::CompareOrder(PatternOperator op, const Json& operand, const Json& value, const std::string& place) {
  const absl::string_view relation = op == PatternOperator::kAbove ? "above " : "below ";
  Json limit = operand;
  if (operand.is_string()) {
    const std::optional<PatternWord> word = ReadPatternWord(operand.get_ref<const std::string&>());
    std::optional<Named> named;
    if (word.has_value() && word->kind == PatternWord::Kind::kName) named = lookup_(word->name, word->path);
    limit = named.has_value() ? named->value : Json(nullptr);
  }
  const bool comparable = limit.is_number() && value.is_number();
  if (comparable && (op == PatternOperator::kAbove ? value > limit : value < limit)) return;
  const std::string origin = operand.is_string() ? absl::StrCat(" (", operand.get_ref<const std::string&>(), ")") : "";
  Differ(place, absl::StrCat("a number ", relation, Show(limit), origin), value);
}

bool PatternMatcher::Trial(const Json& pattern, const Json& value, bool keep) {
  auto variables = variables_;
  auto differences = std::exchange(differences_, {});
  Compare(pattern, value, "");
  const bool matches = differences_.empty();
  differences_ = std::move(differences);
  if (!matches || !keep) variables_ = std::move(variables);
  return matches;
}

void PatternMatcher::Differ(const std::string& place, absl::string_view expected, const Json& got) {
  differences_.push_back(
      absl::StrCat(place.empty() ? "the answer" : place, ": expected ", expected, ", got ", got.is_null() ? "none" : Show(got)));
}

}  // namespace leasecheck::engine::trace_internal
