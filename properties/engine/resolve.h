// Resolving: turning a command's labels into the values that earlier calls answered.
#ifndef LEASECHECK_PROPERTIES_ENGINE_RESOLVE_H_
#define LEASECHECK_PROPERTIES_ENGINE_RESOLVE_H_

#include <string>
#include <variant>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "model/operation.h"
#include "properties/engine/node.h"
#include "properties/engine/program.h"

namespace leasecheck::engine {

// The answers that a client can refer to. Lookups fall through to `earlier`, which is borrowed and must not change meanwhile.
// Not thread-safe for writers.
template <class F>
class Labels {
 public:
  explicit Labels(const Labels* earlier = nullptr) : earlier_(earlier) {}
  void Set(const std::string& label, const OutcomeOf<F>& outcome) {
    if (!label.empty() && outcome.index() == 0) responses_.insert_or_assign(label, std::get<0>(outcome));
  }
  const ResponseOf<F>* Find(absl::string_view label) const {
    auto it = responses_.find(label);
    if (it != responses_.end()) return &it->second;
    return earlier_ == nullptr ? nullptr : earlier_->Find(label);
  }
  void Absorb(Labels&& later) {
    for (auto& [label, response] : later.responses_) responses_.insert_or_assign(label, std::move(response));
  }
  void Clear() { responses_.clear(); }

 private:
  const Labels* earlier_;
  absl::flat_hash_map<std::string, ResponseOf<F>> responses_;
};

// The value that a reference names, or a null node where its label has none.
template <class F>
ConstNode ReferencedNode(const Reference& reference, const Labels<F>& labels) {
  const ResponseOf<F>* response = reference.label.empty() ? nullptr : labels.Find(reference.label);
  if (response == nullptr) return {};
  return VisitOperation<F>(response->index(), [&]<std::size_t I>() { return FindNode(std::get<I>(*response), reference.from); });
}

// Applies the references to `request` in order. A reference whose label has no value, or whose value does not fit, puts the value
// that no store ever issued; one whose `to` names nothing is without effect (the trace parser refuses such).
template <class F>
void Resolve(absl::Span<const Reference> references, const Labels<F>& labels, absl::Span<const Conversion> conversions,
             RequestOf<F>* request) {
  for (const Reference& reference : references) {
    Node to = VisitOperation<F>(request->index(), [&]<std::size_t I>() { return MakeNode(std::get<I>(*request), reference.to); });
    if (to.value == nullptr) continue;
    ConstNode from = ReferencedNode<F>(reference, labels);
    if (from.value == nullptr || !Assign(to, from, conversions)) to.type->make_never_issued(to.value);
  }
}

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_ENGINE_RESOLVE_H_
