// Patterns: what the expectations of a trace say of a value, as JSON (traces/README.md, "Patterns").
//
// A pattern is compared with the JSON of an answer. Objects match the members they list, arrays match whole, or up to "$rest";
// "$any", "$?x", "$label.path" and objects of operators ({"$above": ...}) stand for values that are not known beforehand.
#ifndef LEASECHECK_PROPERTIES_ENGINE_TRACE_PATTERN_H_
#define LEASECHECK_PROPERTIES_ENGINE_TRACE_PATTERN_H_

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "codec/json.h"

namespace leasecheck::engine::trace_internal {

// What a string of a pattern is.
struct PatternWord {
  enum class Kind { kLiteral, kAny, kRest, kVariable, kNone, kName };
  Kind kind = Kind::kLiteral;
  absl::string_view name;  // of kVariable and kName; a literal's text, without its escaping `$`
  absl::string_view path;  // of kName
};
// Nothing where the string begins with a `$` and is none of them.
std::optional<PatternWord> ReadPatternWord(absl::string_view text);

// Whether the object is one of operators; its members' names then all begin with a single `$`.
bool IsOperators(const codec::Json& object);

enum class PatternOperator { kAbove, kBelow, kNot, kOneOf, kReference };
std::optional<PatternOperator> FindPatternOperator(absl::string_view member);

// Compares values with the patterns of one trace. Variables keep the value they were first compared with. Not thread-safe.
class PatternMatcher {
 public:
  // The value of "$name.path", or nothing where the call gave none. A constant's value is a pattern itself.
  struct Named {
    codec::Json value;
    bool is_pattern = false;
  };
  using Lookup = std::function<std::optional<Named>(absl::string_view name, absl::string_view path)>;

  // `reference`: whether "$ref" is compared.
  PatternMatcher(bool reference, Lookup lookup) : reference_(reference), lookup_(std::move(lookup)) {}

  // Whether the value matches. Where not, `differences` gets a line for each place that differs, and no variable is bound.
  bool Matches(const codec::Json& pattern, const codec::Json& value, std::vector<std::string>* differences);

 private:
  void Compare(const codec::Json& pattern, const codec::Json& value, const std::string& place);
  void CompareString(const std::string& pattern, const codec::Json& value, const std::string& place);
  void CompareName(const PatternWord& word, const codec::Json& value, const std::string& place);
  void CompareArray(const codec::Json& pattern, const codec::Json& value, const std::string& place);
  void CompareObject(const codec::Json& pattern, const codec::Json& value, const std::string& place);
  void CompareOperator(PatternOperator op, const codec::Json& operand, const codec::Json& value, const std::string& place);
  void CompareOrder(PatternOperator op, const codec::Json& operand, const codec::Json& value, const std::string& place);
  // Whether the value matches, without a difference noted; `keep`: the variables that it bound stay bound.
  bool Trial(const codec::Json& pattern, const codec::Json& value, bool keep);
  void Differ(const std::string& place, absl::string_view expected, const codec::Json& got);

  bool reference_;
  Lookup lookup_;
  std::map<std::string, codec::Json, std::less<>> variables_;
  std::vector<std::string> differences_;  // of the comparison that runs
};

}  // namespace leasecheck::engine::trace_internal

#endif  // LEASECHECK_PROPERTIES_ENGINE_TRACE_PATTERN_H_
