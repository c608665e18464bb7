// Lists: what is dispatchable, in which order, and which clause a wrong answer breaks.
#include <algorithm>
#include <string>
#include <vector>

#include "model/runtime_repository/spec_internal.h"

namespace leasecheck::runtime_repository::spec_internal {
namespace {

using Records = std::vector<AttemptDispatchRecord>;
using Due = std::vector<const Attempt*>;

// Of a Queued attempt retry_at says nothing (RR-LAT-9).
bool Shows(const AttemptDispatchRecord& record, const Attempt& attempt) {
  return record.attempt_id == attempt.id() && record.run_id == attempt.settings->run_id &&
         record.attempt_no == attempt.attempt_no && record.status == attempt.status &&
         (attempt.status == Status::kQueued || record.retry_at == attempt.retry_at);
}

// A record of an attempt that is not to be listed, or not so.
Verdict BlameRecord(const Judge& judge, const AttemptDispatchRecord& record, Instant now) {
  const Attempt* attempt = judge.state.Find(record.attempt_id);
  if (attempt == nullptr) return Refuse<"RR-INV-8">();
  if (attempt->Executes() || IsTerminal(attempt->status)) return Refuse<"RR-LST-6">();
  if (!attempt->ReadyAt(now)) return Refuse<"RR-LST-5">();
  if (attempt->LiveAt(now)) return Refuse<"RR-LST-7">();
  return Shows(record, *attempt) ? kAllowed : Refuse<"RR-LST-11">();
}

// An attempt that the list leaves out.
Verdict BlameMissing(const Attempt& attempt) {
  if (attempt.lease != nullptr) return Refuse<"RR-LST-7">();
  if (attempt.status == Status::kRetryBackoff) return Refuse<"RR-LST-5">();
  return attempt.settings->tenant_id.has_value() ? Refuse<"RR-LST-12">() : Refuse<"RR-LST-1">();
}

Verdict BlameOrder(const Attempt& expected, const Attempt& got) {
  if (expected.settings->priority != got.settings->priority) return Refuse<"RR-LST-2">();
  return expected.attempt_no != got.attempt_no ? Refuse<"RR-LST-4">() : Refuse<"RR-LST-3">();
}

Verdict Blame(const Judge& judge, const ListDispatchableAttemptsRequest& request, const Due& due, const Records& records) {
  for (const AttemptDispatchRecord& record : records) {
    if (Verdict refused = BlameRecord(judge, record, request.now)) return refused;
    const auto same = [&](const AttemptDispatchRecord& other) { return other.attempt_id == record.attempt_id; };
    if (std::count_if(records.begin(), records.end(), same) > 1) return Refuse<"RR-INV-9">();
  }
  if (records.size() > request.limit) return request.limit == 0 ? Refuse<"RR-LST-8">() : Refuse<"RR-LST-1">();
  for (std::size_t i = 0; i < due.size() && i < request.limit; ++i) {
    if (i < records.size() && records[i].attempt_id == due[i]->id()) continue;
    const auto same = [&](const AttemptDispatchRecord& other) { return other.attempt_id == due[i]->id(); };
    const bool listed = std::any_of(records.begin(), records.end(), same);
    if (i >= records.size() || (!listed && records.size() < request.limit)) return BlameMissing(*due[i]);
    return BlameOrder(*due[i], *judge.state.Find(records[i].attempt_id));
  }
  return Refuse<"RR-LST-1">();
}

bool IsRight(const ListDispatchableAttemptsRequest& request, const Due& due, const Records& records) {
  if (records.size() != std::min<uint64_t>(request.limit, due.size())) return false;
  return std::equal(records.begin(), records.end(), due.begin(),
                    [](const AttemptDispatchRecord& record, const Attempt* attempt) { return Shows(record, *attempt); });
}

// Which clauses the order of two neighbours shows.
void CountOrder(const Judge& judge, const Attempt& a, const Attempt& b) {
  const int32_t before = a.settings->priority;
  const int32_t after = b.settings->priority;
  judge.Held<"RR-LST-2">(before != after);
  judge.Held<"RR-LST-3">((before == after && a.attempt_no == b.attempt_no) || (before == 0 && after < 0));
  judge.Held<"RR-LST-4">(before == after && a.attempt_no == 1 && b.attempt_no > 1);
}

void CountHidden(const Judge& judge, const Attempt& attempt, Instant now) {
  judge.Refused<"RR-LST-5">(attempt.status == Status::kRetryBackoff && !attempt.ReadyAt(now));
  judge.Refused<"RR-LST-6">(attempt.Executes() || IsTerminal(attempt.status));
  const bool hidden = attempt.ReadyAt(now) && attempt.LiveAt(now);
  judge.Refused<"RR-LST-7">(hidden);
  judge.Held<"RR-LAT-5">(hidden && attempt.lease->record.lease_expires_at == now);
}

void CountListed(const Judge& judge, const Attempt& attempt) {
  const bool retry = attempt.status == Status::kRetryBackoff;
  judge.Held<"RR-LST-5">(retry);
  judge.Held<"RR-LST-7">(attempt.lease != nullptr);
  judge.Held<"RR-LST-11">(retry);
  judge.Held<"RR-LST-12">(attempt.settings->tenant_id.has_value());
}

void Count(Judge& judge, const ListDispatchableAttemptsRequest& request, const Due& due) {
  judge.Held<"RR-LST-1">(!due.empty());
  judge.Held<"RR-LST-8">(request.limit > due.size());
  judge.Refused<"RR-LST-8">(request.limit == 0 && !due.empty());
  judge.Held<"RR-LST-9">(judge.state.memory->listed.has_value() && request.now < *judge.state.memory->listed);
  judge.state.memory.Edit().listed = request.now;
  const std::size_t listed = std::min<uint64_t>(due.size(), request.limit);
  for (std::size_t i = 0; i < listed; ++i) {
    CountListed(judge, *due[i]);
    if (i > 0) CountOrder(judge, *due[i - 1], *due[i]);
  }
  if (request.limit == 0) return;
  for (const Attempt& attempt : *judge.state.attempts) CountHidden(judge, attempt, request.now);
}

}  // namespace

bool Before(const Judge& judge, const Attempt& a, const Attempt& b) {
  if (a.settings->priority != b.settings->priority && !judge.Declares("RR-LAT-7", "no,id")) {
    return a.settings->priority > b.settings->priority;
  }
  if (a.attempt_no != b.attempt_no) return a.attempt_no < b.attempt_no;
  return a.id() < b.id();
}

std::vector<const Attempt*> DispatchOrder(const Judge& judge, Instant now) {
  Due due;
  due.reserve(judge.state.attempts->size());
  for (const Attempt& attempt : *judge.state.attempts) {
    if (attempt.DispatchableAt(now)) due.push_back(&attempt);
  }
  std::sort(due.begin(), due.end(), [&](const Attempt* a, const Attempt* b) { return Before(judge, *a, *b); });
  return due;
}

Verdict JudgeCall(Judge& judge, const ListDispatchableAttemptsRequest& request, const Answer<Records>& answer) {
  if (answer.unseen) return kAllowed;
  if (answer.error != nullptr) return request.limit == 0 ? Refuse<"RR-LST-8">() : Refuse<"RR-LST-1">();
  const Due due = DispatchOrder(judge, request.now);
  if (!IsRight(request, due, *answer.response)) return Blame(judge, request, due, *answer.response);
  if (judge.counting()) Count(judge, request, due);
  return kAllowed;
}

}  // namespace leasecheck::runtime_repository::spec_internal
