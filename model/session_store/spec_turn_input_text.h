// What the spec says to people about turn inputs, and what it shares with spec_text.cc. Not for others to include.
#ifndef LEASECHECK_MODEL_SESSION_STORE_SPEC_TURN_INPUT_TEXT_H_
#define LEASECHECK_MODEL_SESSION_STORE_SPEC_TURN_INPUT_TEXT_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "model/session_store/spec_internal.h"

namespace leasecheck::session_store::spec_internal {

std::string Quote(absl::string_view text);
std::string TextOf(const LeaseOwnerIdentity& owner);
// The error that is due where a fence is not the session's live lane's.
std::string ExpectedFence(const Judge& judge, const SessionState& session, absl::string_view session_id);

// What was answered, in a few words.
std::string TextOf(const PendingTurnInput& input);
std::string TextOf(const std::vector<PendingTurnInput>& list);
std::string TextOf(const PendingTurnInputCancelOutcome& outcome);
std::string TextOf(const std::vector<PendingTurnInputCancelResult>& results);
std::string TextOf(const PendingTurnInputSuffixCancelOutcome& outcome);
std::string TextOf(const TurnInputClaim& claim);
std::string TextOf(const VacuumReport& report);

// What was expected.
std::string ExpectedOf(const Judge& judge, const EnqueuePendingTurnInputRequest& request);
std::string ExpectedOf(const Judge& judge, const ListPendingTurnInputsRequest& request);
std::string ExpectedOf(const Judge& judge, const CancelPendingTurnInputsRequest& request);
std::string ExpectedOf(const Judge& judge, const CancelPendingTurnInputRequest& request);
std::string ExpectedOf(const Judge& judge, const CancelPendingTurnInputSuffixRequest& request);
std::string ExpectedOf(const Judge& judge, const ClaimActiveTurnInputsRequest& request);
std::string ExpectedOf(const Judge& judge, const ClaimNextTurnInputsRequest& request);
std::string ExpectedOf(const Judge& judge, const AbandonTurnInputClaimRequest& request);
std::string ExpectedOf(const Judge& judge, const VacuumRequest& request);

// The first completion of turn inputs that fails the commit, in words; "" where none must.
std::string BadInputCompletion(const Judge& judge, const SessionState& session, const RuntimeCommit& commit);

std::string DescribeInput(const InputRow& row, EpochMs now);

}  // namespace leasecheck::session_store::spec_internal

#endif  // LEASECHECK_MODEL_SESSION_STORE_SPEC_TURN_INPUT_TEXT_H_
