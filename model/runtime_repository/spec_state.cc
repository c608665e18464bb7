// The state of the spec: equality, hashing, lookup, and the changes that several operations make.
#include <algorithm>
#include <memory>

#include "absl/hash/hash.h"
#include "model/runtime_repository/spec_internal.h"

namespace leasecheck::runtime_repository {

using spec_internal::SameValue;

bool operator==(const Attempt& a, const Attempt& b) {
  return a.status == b.status && a.attempt_no == b.attempt_no && a.retry_at_kept == b.retry_at_kept && a.retry_at == b.retry_at &&
         a.started_at == b.started_at && SameValue(a.lease, b.lease) && SameValue(a.settings, b.settings) &&
         SameValue(a.past, b.past);
}

const Attempt* SpecState::Find(absl::string_view attempt_id) const {
  const auto found = std::lower_bound(attempts->begin(), attempts->end(), attempt_id,
                                      [](const Attempt& attempt, absl::string_view id) { return attempt.id() < id; });
  return found == attempts->end() || found->id() != attempt_id ? nullptr : &*found;
}

const Attempt* SpecState::FindLease(absl::string_view lease_id) const {
  const auto found = std::find_if(attempts->begin(), attempts->end(), [&](const Attempt& attempt) {
    return attempt.lease != nullptr && attempt.lease->seen && attempt.lease->record.lease_id == lease_id;
  });
  return found == attempts->end() ? nullptr : &*found;
}

uint64_t SpecState::HeadOf(absl::string_view run_id) const {
  const auto found = std::find_if(runs->begin(), runs->end(), [&](const auto& run) { return run.first == run_id; });
  return found == runs->end() ? 0 : found->second;
}

bool operator==(const SpecState& a, const SpecState& b) {
  return a.swept_retries == b.swept_retries && a.letter_counts == b.letter_counts && a.attempts == b.attempts && a.runs == b.runs;
}

std::size_t HashOf(const SpecState& state) {
  std::size_t hash = absl::HashOf(state.swept_retries, state.letter_counts, *state.runs, state.attempts->size());
  for (const Attempt& attempt : *state.attempts) {
    hash = absl::HashOf(hash, attempt.id(), attempt.status, attempt.attempt_no, attempt.retry_at.value_or(kFirstInstant),
                        attempt.started_at.value_or(kFirstInstant), attempt.settings->priority);
    if (attempt.lease != nullptr) {
      const LeaseRecord& record = attempt.lease->record;
      hash = absl::HashOf(hash, record.lease_id, record.version, record.lease_expires_at);
    }
  }
  return hash;
}

namespace spec_internal {

Attempt& Edit(SpecState& state, const Attempt* attempt) {
  const std::ptrdiff_t index = attempt - state.attempts->data();
  return state.attempts.Edit()[static_cast<std::size_t>(index)];
}

Settings SettingsOf(const Attempt& attempt) { return *attempt.settings; }
Past PastOf(const Attempt& attempt) { return attempt.past == nullptr ? Past() : *attempt.past; }

void SetLease(Attempt& attempt, LeaseRecord record, bool seen) {
  attempt.lease = std::make_shared<const Lease>(Lease{seen, std::move(record)});
}

void DropLease(const Judge& judge, SpecState& state, Attempt& attempt) {
  constexpr std::size_t kRemembered = 32;
  if (attempt.lease == nullptr) return;
  if (judge.counting() && attempt.lease->seen) {
    auto& gone = state.memory.Edit().gone;
    if (gone.size() == kRemembered) gone.erase(gone.begin());
    gone.emplace_back(attempt.lease->record.lease_id, attempt.id());
  }
  attempt.lease = nullptr;
}

bool LetterShowsChoice(const Attempt& attempt) {
  return attempt.past != nullptr && attempt.past->letter.has_value() && attempt.past->letter->replays > 0;
}

void WriteLetter(const SpecState& state, Attempt& attempt, absl::string_view reason, Instant now) {
  Past past = PastOf(attempt);
  const bool keeps = past.letter.has_value() && state.letter_counts != Choice::kSecond;
  past.letter = Letter{std::string(reason), ReplayStatus::kPending, now, keeps ? past.letter->replays : 0};
  attempt.past = std::make_shared<const Past>(std::move(past));
}

void Requeue(Attempt& attempt) {
  attempt.status = Status::kQueued;
  attempt.retry_at_kept = !attempt.retry_at.has_value();
}

}  // namespace spec_internal
}  // namespace leasecheck::runtime_repository
