// Snapshots. Only the one with the greatest at_sequence is ever seen.
#include "model/state_backend/spec_internal.h"

namespace leasecheck::state_backend::spec_internal {
namespace {

Verdict JudgeNoStanding(const Judge& judge, Standing standing, const Answer<Done>& answer) {
  if (answer.unseen) return kAllowed;
  if (standing == Standing::kUnknown) {
    if (!answer.IsDatabase()) return Refuse<"SB-SNP-6">();
    judge.Refused<"SB-SNP-6">();
    return kAllowed;
  }
  const bool foreign = standing == Standing::kForeign;
  if (!answer.IsEither()) return foreign ? Refuse<"SB-TEN-13">() : Refuse<"SB-TEN-12">();
  judge.Refused<"SB-TEN-13">(foreign);
  judge.Refused<"SB-TEN-12">(!foreign);
  return kAllowed;
}

void Write(SpecState& state, const Snapshot& snapshot) {
  Log& log = EditLog(state, snapshot.execution_id);
  if (log.newest != nullptr && log.newest->at_sequence > snapshot.at_sequence) {
    log.outrun = true;
    return;
  }
  log.rewritten = log.newest != nullptr && log.newest->at_sequence == snapshot.at_sequence;
  log.outrun = false;
  log.newest = Share(snapshot);
}

Verdict BlameShown(const Log& log, const Snapshot& shown) {
  if (shown.at_sequence != log.newest->at_sequence) return Refuse<"SB-SNP-2">();
  return log.rewritten ? Refuse<"SB-SNP-3">() : Refuse<"SB-SNP-5">();
}

}  // namespace

Verdict JudgeCall(Judge& judge, const WriteSnapshotRequest& request, const Answer<Done>& answer) {
  const Standing standing = StandingOf(judge, request.snapshot.execution_id, request.view);
  if (standing != Standing::kFine) return JudgeNoStanding(judge, standing, answer);
  const Log* log = judge.state.FindLog(request.snapshot.execution_id);
  const auto latest = log == nullptr ? 0 : static_cast<EventSequence>(log->entries->size());
  const bool odd = request.snapshot.at_sequence <= 0 || request.snapshot.at_sequence > latest;
  if (answer.error != nullptr) {
    const bool again = log != nullptr && log->newest != nullptr && log->newest->at_sequence == request.snapshot.at_sequence;
    if (again) return RefuseError<"SB-SNP-3">(judge, answer);
    return odd ? RefuseError<"SB-SNP-4">(judge, answer) : RefuseError<"SB-SNP-5">(judge, answer);
  }
  judge.Held<"SB-SNP-4">(odd && answer.response != nullptr);
  Write(judge.state, request.snapshot);
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const LatestSnapshotRequest& request, const Answer<std::optional<Snapshot>>& answer) {
  if (answer.unseen) return kAllowed;
  if (answer.error != nullptr) return Refuse<"SB-GEN-4">();
  const Log* log = VisibleLog(judge.state, request.execution_id, request.view);
  const bool there = log != nullptr && log->newest != nullptr;
  const std::optional<Snapshot>& shown = *answer.response;
  if (!there) {
    const Log* foreign = log == nullptr ? judge.state.FindLog(request.execution_id) : nullptr;
    const bool hidden = foreign != nullptr && foreign->newest != nullptr;
    if (shown.has_value()) return hidden ? Refuse<"SB-TEN-10">() : Refuse<"SB-SNP-1">();
    judge.Refused<"SB-SNP-1">();
    judge.Refused<"SB-TEN-10">(hidden);
    return kAllowed;
  }
  if (!shown.has_value()) return Refuse<"SB-SNP-2">();
  if (!(*shown == *log->newest)) return BlameShown(*log, *shown);
  judge.Held<"SB-SNP-2">(log->outrun);
  judge.Held<"SB-SNP-3">(log->rewritten);
  judge.Held<"SB-SNP-5">();
  return kAllowed;
}

}  // namespace leasecheck::state_backend::spec_internal
