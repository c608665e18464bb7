// Scans over tokens and views: what a secret is in, and what a view is shown.
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "model/state_backend/clauses.h"
#include "properties/state_backend_scans.h"

namespace leasecheck::state_backend {
namespace {

using engine::Finding;
using F = StateBackendFamily;

// Calls visit(text) for every text inside of the value, also in JSON, but for secrets.
template <class T, class Visit>
void ForEachText(const T& value, const Visit& visit) {
  if constexpr (std::is_same_v<T, std::string>) {
    visit(value);
  } else if constexpr (std::is_same_v<T, OpaqueJson>) {
    visit(value.text);
  } else if constexpr (kIsOptional<T>) {
    if (value.has_value()) ForEachText(*value, visit);
  } else if constexpr (kIsList<T>) {
    for (const auto& element : value) ForEachText(element, visit);
  } else if constexpr (kIsStruct<T>) {
    ForEachField<T>([&](const auto& field) { ForEachText(value.*field.member, visit); });
  }
}

struct ErrorText {
  template <class Error>
  const std::string& operator()(const Error& error) const {
    return error.text;
  }
};

class AccessScan {
 public:
  AccessScan(const BackendHistory& history, ClauseHits* hits) : history_(history), hits_(hits) {}

  std::vector<Finding> Run() {
    for (std::size_t i = 0; i < history_.calls.size(); ++i) Collect(i);
    for (std::size_t i = 0; i < history_.calls.size() && findings_.empty(); ++i) {
      CheckTexts(i);
      if (findings_.empty()) CheckView(i);
    }
    return std::move(findings_);
  }

 private:
  const BackendCall& call(std::size_t i) const { return history_.calls[i]; }
  void Find(absl::string_view clause, std::size_t at, std::string explanation) {
    findings_.push_back({std::string(clause), at, std::move(explanation)});
  }
  void Held(ClauseIndex clause) {
    if (hits_ != nullptr) hits_->Add(clause, Sense::kHeld);
  }

  void Collect(std::size_t i) {
    const BackendCall& c = call(i);
    if (const auto* created = AnswerOf<CreateTokenRequest>(c)) CollectToken(i, *created);
    if (!MayHaveDone(c)) return;
    if (const auto* create = CallOf<CreateExecutionRequest>(c)) makers_[create->execution.execution_id].push_back(i);
    if (const auto* enqueue = CallOf<EnqueueWorkItemRequest>(c)) makers_[enqueue->item.id].push_back(i);
    if (const auto* append = CallOf<AppendEventRequest>(c)) makers_[append->event.id].push_back(i);
    if (const auto* write = CallOf<WriteSnapshotRequest>(c)) makers_[write->snapshot.id].push_back(i);
  }

  void CollectToken(std::size_t i, const CreatedToken& created) {
    Held(Clause<"SB-INV-17">());
    const bool fresh = ids_.insert(created.info.id).second && texts_.insert(created.plaintext.text).second;
    if (!fresh) Find("SB-INV-17", i, absl::StrCat("the text or the id of token ", created.info.id, " was issued before"));
  }

  // No answer has a token's text, or what stands for it, but the one that issued it; nor the text of an error. Only whole texts
  // and what is inside of JSON are looked at: a text of 35 bytes is in nothing by chance.
  void CheckTexts(std::size_t i) {
    if (texts_.empty()) return;
    const BackendCall& c = call(i);
    const auto check = [&](const std::string& text) {
      for (const std::string& secret : texts_) {
        if (findings_.empty() && absl::StrContains(text, secret)) Find("SB-INV-17", i, "an answer has the text of a token in it");
      }
    };
    if (const auto* error = std::get_if<1>(&c.outcome)) check(std::visit(ErrorText(), *error));
    const auto* response = std::get_if<0>(&c.outcome);
    if (response == nullptr) return;
    VisitOperation<F>(response->index(), [&]<std::size_t I>() { ForEachText(std::get<I>(*response), check); });
  }

  // What a view is shown was made through it, where it was made through any view.
  void CheckView(std::size_t i) {
    const auto* view = ViewOf(call(i));
    if (view == nullptr || !view->has_value() || call(i).outcome.index() != 0) return;
    if (const auto* shown = AnswerOf<GetExecutionRequest>(call(i)); shown != nullptr && shown->has_value()) {
      CheckOwn(i, **view, (*shown)->execution_id);
    }
    if (const auto* page = AnswerOf<ListExecutionsRequest>(call(i))) {
      for (const WorkflowExecution& shown : *page) CheckOwn(i, **view, shown.execution_id);
    }
    if (const auto* events = AnswerOf<GetEventsRequest>(call(i))) CheckEvents(i, **view, *events);
    if (const auto* events = AnswerOf<GetEventsSinceRequest>(call(i))) CheckEvents(i, **view, *events);
    if (const auto* shown = AnswerOf<LatestSnapshotRequest>(call(i)); shown != nullptr && shown->has_value()) {
      CheckOwn(i, **view, (*shown)->id);
    }
    if (const auto* claimed = AnswerOf<ClaimWorkItemRequest>(call(i)); claimed != nullptr && claimed->has_value()) {
      CheckOwn(i, **view, (*claimed)->id);
    }
    if (const auto* result = AnswerOf<ReclaimExpiredLeasesRequest>(call(i))) {
      for (const WorkItem& item : result->retryable) CheckOwn(i, **view, item.id);
      for (const WorkItem& item : result->exhausted) CheckOwn(i, **view, item.id);
    }
  }
  void CheckEvents(std::size_t i, const TenantId& view, const std::vector<Event>& events) {
    for (const Event& event : events) CheckOwn(i, view, event.id);
  }

  void CheckOwn(std::size_t i, const TenantId& view, const Uuid& id) {
    const auto makers = makers_.find(id);
    if (makers == makers_.end()) return;  // what nobody made is another scan's
    bool all_views = true;
    for (std::size_t maker : makers->second) {
      const auto* through = ViewOf(call(maker));
      all_views &= through->has_value();
      if (*through == view) {
        Held(Clause<"SB-INV-14">());
        return;
      }
    }
    if (!all_views || !findings_.empty()) return;
    Find("SB-INV-14", i,
         absl::StrCat("the view of ", view, " is shown ", UuidText(id), ", which was made through another view only"));
  }

  const BackendHistory& history_;
  ClauseHits* hits_;
  absl::flat_hash_set<std::string> ids_;
  absl::flat_hash_set<std::string> texts_;
  absl::flat_hash_map<Uuid, std::vector<std::size_t>> makers_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> ScanAccess(const BackendHistory& history, ClauseHits* hits) { return AccessScan(history, hits).Run(); }

}  // namespace leasecheck::state_backend
