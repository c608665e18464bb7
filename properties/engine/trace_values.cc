#include "properties/engine/trace_values.h"

namespace leasecheck::engine::trace_internal {
namespace {

using codec::Json;

// Whether a value of type `from` can stand where one of type `to` is expected.
bool Fits(const NodeType* from, const NodeType* to, absl::Span<const Conversion> conversions) {
  return from == to || absl::c_any_of(conversions, [&](const Conversion& conversion) {
           return conversion.from == from && conversion.to == to;
         });
}

// An operand of $above and $below: a number, or the name of one.
absl::Status CheckLimit(absl::string_view op, const Json& operand, const std::string& place, bool is_number, const NodeType* type,
                        const PatternContext& context) {
  if (!is_number) return ErrorIn(place, absl::StrCat(op, " compares numbers, and this is none"));
  if (operand.is_number()) return absl::OkStatus();
  if (!IsDollar(operand)) return ErrorIn(place, absl::StrCat("expected a number, or the name of one, after ", op));
  const auto& text = operand.get_ref<const std::string&>();
  const std::optional<PatternWord> word = ReadPatternWord(text);
  if (!word.has_value() || word->kind != PatternWord::Kind::kName || context.is_constant(word->name)) {
    return ErrorIn(place, absl::StrCat("expected a number, or the name of one, after ", op, ", got ", Quoted(text)));
  }
  return CheckWord(text, place, type, context);
}

}  // namespace

void ReferenceTree::Add(const Reference& reference) {
  ReferenceTree* tree = this;
  absl::string_view path = reference.to;
  while (!path.empty()) {
    const auto [step, rest] = node_internal::Split(path);
    tree = &tree->parts[std::string(step)];
    path = rest;
  }
  tree->whole = reference;
  tree->parts.clear();
}

std::string ReferenceText(const Reference& reference) {
  const absl::string_view label = reference.label.empty() ? absl::string_view("none") : absl::string_view(reference.label);
  return absl::StrCat("\"$", label, reference.from.empty() ? "" : ".", reference.from, "\"");
}

absl::Status ErrorIn(const std::string& place, absl::string_view cause) {
  return absl::InvalidArgumentError(place.empty() ? std::string(cause) : absl::StrCat(place, ": ", cause));
}

absl::StatusOr<Reference> ReadReference(const std::string& text, const std::string& place, const NodeType* type,
                                        RequestContext& context) {
  absl::string_view name;
  absl::string_view path;
  SplitDollar(text, &name, &path);
  if (text == "$none") return Reference{place, "", ""};
  if (!IsName(name)) {
    return ErrorIn(place, absl::StrCat(Quoted(text), " names nothing; a literal $ is written $$"));
  }
  if (context.constants->Find(name) != nullptr) {
    return ErrorIn(place, absl::StrCat(Quoted(text), ": a constant is used as a whole, and not as a $base"));
  }
  absl::StatusOr<const NodeType*> from = context.type_of(name, path);
  if (!from.ok()) return ErrorIn(place, absl::StrCat(Quoted(text), ": ", from.status().message()));
  if (!Fits(*from, type, context.conversions)) {
    return ErrorIn(place, absl::StrCat(Quoted(text), " has another type than the value that is expected here"));
  }
  return Reference{place, std::string(name), std::string(path)};
}

absl::Status CheckWord(const std::string& text, const std::string& place, const NodeType* type, const PatternContext& context) {
  const std::optional<PatternWord> word = ReadPatternWord(text);
  if (!word.has_value()) {
    return ErrorIn(place, absl::StrCat(Quoted(text),
                                       " is no pattern: expected $any, $?variable, $label.path or $constant; a literal $ is "
                                       "written $$"));
  }
  if (word->kind == PatternWord::Kind::kRest) return ErrorIn(place, "\"$rest\" stands at the end of an array");
  if (word->kind != PatternWord::Kind::kName) return absl::OkStatus();
  if (context.is_constant(word->name)) {
    if (word->path.empty()) return absl::OkStatus();
    return ErrorIn(place, absl::StrCat(Quoted(text), ": a constant is used as a whole"));
  }
  absl::StatusOr<const NodeType*> named = context.type_of(word->name, word->path);
  if (!named.ok()) return ErrorIn(place, absl::StrCat(Quoted(text), ": ", named.status().message()));
  if (type == nullptr || *named == type) return absl::OkStatus();
  return ErrorIn(place, absl::StrCat(Quoted(text), " has another type than the value here, and never equals it"));
}

absl::Status CheckOperators(const Json& pattern, const std::string& place, bool is_number, const NodeType* type,
                            const PatternContext& context, const CheckValue& check) {
  for (const auto& [name, operand] : pattern.items()) {
    const std::optional<PatternOperator> op = FindPatternOperator(name);
    if (!op.has_value()) {
      return ErrorIn(place, absl::StrCat(Quoted(name), " is no operator beside ", pattern.begin().key(),
                                         ": expected $above, $below, $not, $one_of or $ref"));
    }
    absl::Status status;
    if (*op == PatternOperator::kAbove || *op == PatternOperator::kBelow) {
      status = CheckLimit(name, operand, place, is_number, type, context);
    } else if (*op != PatternOperator::kOneOf) {
      status = check(operand, place);
    } else if (!operand.is_array() || operand.empty()) {
      status = ErrorIn(place, "expected an array of patterns after $one_of");
    } else {
      for (const Json& one : operand) {
        if (status.ok()) status = check(one, place);
      }
    }
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CheckUntyped(const Json& pattern, const std::string& place, const PatternContext& context) {
  if (IsDollar(pattern)) return CheckWord(pattern.get_ref<const std::string&>(), place, nullptr, context);
  if (pattern.is_object() && IsOperators(pattern)) {
    return CheckOperators(pattern, place, true, nullptr, context,
                          [&](const Json& inner, const std::string& at) { return CheckUntyped(inner, at, context); });
  }
  if (pattern.is_object()) {
    for (const auto& [name, member] : pattern.items()) {
      if (absl::Status status = CheckUntyped(member, Inside(place, name), context); !status.ok()) return status;
    }
  }
  if (pattern.is_array()) {
    for (std::size_t i = 0; i < pattern.size(); ++i) {
      if (i + 1 == pattern.size() && pattern[i] == Json("$rest")) continue;
      if (absl::Status status = CheckUntyped(pattern[i], Inside(place, absl::StrCat(i)), context); !status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace leasecheck::engine::trace_internal
