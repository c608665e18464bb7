// list_executions: whether a page is one of some right order, and which clause a wrong one breaks.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "model/state_backend/spec_internal.h"

namespace leasecheck::state_backend::spec_internal {

Instant ListKey(const Judge& judge, const WorkflowExecution& shown) {
  return judge.Declares("SB-LAT-5", "started_at") ? shown.started_at : shown.updated_at;
}
Moment ListKey(const Judge& judge, const Execution& execution) {
  if (judge.Declares("SB-LAT-5", "started_at")) return Moment::At(execution.born->value.started_at);
  return execution.updated_at;
}

namespace {

using Page = std::vector<WorkflowExecution>;
using Listed = std::vector<const Execution*>;

Listed ListedBy(const SpecState& state, const ListExecutionsRequest& request) {
  Listed listed;
  listed.reserve(state.executions->size());
  for (const Execution& execution : *state.executions) {
    const bool wanted = !request.status.has_value() || execution.status == *request.status;
    if (wanted && Sees(request.view, execution.born->tenant)) listed.push_back(&execution);
  }
  return listed;
}

std::size_t PageSize(const ListExecutionsRequest& request, std::size_t listed) {
  return request.offset >= listed ? 0 : std::min<std::size_t>(request.limit, listed - request.offset);
}

// An execution that is shown though it is not to be listed.
Verdict BlameStranger(const Judge& judge, const ListExecutionsRequest& request, const WorkflowExecution& shown) {
  const Execution* execution = judge.state.FindExecution(shown.execution_id);
  if (execution == nullptr) return Refuse<"SB-LSE-1">();
  return Sees(request.view, execution->born->tenant) ? Refuse<"SB-LSE-1">() : Refuse<"SB-TEN-10">();
}

Verdict CheckMembers(const Judge& judge, const ListExecutionsRequest& request, const Listed& listed, const Page& page) {
  for (std::size_t i = 0; i < page.size(); ++i) {
    const ExecutionId& id = page[i].execution_id;
    if (std::none_of(listed.begin(), listed.end(), [&](const Execution* execution) { return execution->id() == id; })) {
      return BlameStranger(judge, request, page[i]);
    }
    const auto twice = [&](const WorkflowExecution& other) { return other.execution_id == id; };
    if (std::any_of(page.begin(), page.begin() + static_cast<std::ptrdiff_t>(i), twice)) return Refuse<"SB-LSE-3">();
  }
  return kAllowed;
}

Verdict CheckSize(const ListExecutionsRequest& request, const Listed& listed, const Page& page) {
  const std::size_t due = PageSize(request, listed.size());
  if (page.size() == due) return kAllowed;
  if (request.limit == 0) return Refuse<"SB-LSE-5">();
  if (request.offset >= listed.size()) return Refuse<"SB-LSE-6">();
  if (page.size() < due && request.offset == 0 && request.limit >= listed.size()) return Refuse<"SB-LSE-1">();
  return Refuse<"SB-LSE-4">();
}

// Each place of the page can be that of a record with its key, ties in any order.
Verdict CheckOrder(const Judge& judge, const ListExecutionsRequest& request, const Listed& listed, const Page& page) {
  for (std::size_t i = 0; i < page.size(); ++i) {
    const Instant key = ListKey(judge, page[i]);
    if (i > 0 && ListKey(judge, page[i - 1]) < key) return Refuse<"SB-LSE-2">();
    std::size_t surely_before = 0;  // in the list
    std::size_t maybe_not_behind = 0;
    for (const Execution* execution : listed) {
      const Moment other = ListKey(judge, *execution);
      surely_before += other.from > key ? 1 : 0;
      maybe_not_behind += other.to >= key ? 1 : 0;
    }
    const std::size_t place = request.offset + i;
    if (surely_before > place || maybe_not_behind <= place)
      return request.offset > 0 ? Refuse<"SB-LSE-4">() : Refuse<"SB-LSE-2">();
  }
  return kAllowed;
}

void Count(const Judge& judge, const ListExecutionsRequest& request, const Listed& listed, const Page& page) {
  judge.Held<"SB-LSE-1">(!page.empty());
  judge.Refused<"SB-LSE-1">(listed.size() < judge.state.executions->size());
  judge.Held<"SB-LSE-4">(request.offset > 0 && !page.empty());
  judge.Refused<"SB-LSE-5">(request.limit == 0 && !listed.empty());
  judge.Refused<"SB-LSE-6">(request.offset >= listed.size() && request.offset > 0);
  judge.Held<"SB-LSE-7">(request.limit == UINT32_MAX || request.offset == UINT32_MAX);
  for (std::size_t i = 1; i < page.size(); ++i) {
    const bool tie = ListKey(judge, page[i - 1]) == ListKey(judge, page[i]);
    judge.Held<"SB-LSE-2">(!tie);
    judge.Held<"SB-LSE-3">(tie);
  }
  for (const Execution& execution : *judge.state.executions) {
    judge.Refused<"SB-TEN-10">(!Sees(request.view, execution.born->tenant));
  }
  judge.Refused<"SB-TEN-12">(request.view.has_value() && IsRegistered(judge, *request.view) == Registered::kNo);
}

}  // namespace

Verdict JudgeCall(Judge& judge, const ListExecutionsRequest& request, const Answer<Page>& answer) {
  if (answer.unseen) return kAllowed;
  if (answer.error != nullptr) return Refuse<"SB-LSE-7">();
  const Page& page = *answer.response;
  const Listed listed = ListedBy(judge.state, request);
  if (Verdict refused = CheckMembers(judge, request, listed, page)) return refused;
  if (Verdict refused = CheckSize(request, listed, page)) return refused;
  if (Verdict refused = CheckOrder(judge, request, listed, page)) return refused;
  SpecState before = judge.state;
  for (const WorkflowExecution& shown : page) {
    Verdict refused = TakeExecution(judge, *judge.state.FindExecution(shown.execution_id), shown);
    if (!refused.has_value()) continue;
    judge.state = std::move(before);
    return refused;
  }
  if (judge.counting()) Count(judge, request, ListedBy(judge.state, request), page);
  return kAllowed;
}

}  // namespace leasecheck::state_backend::spec_internal
