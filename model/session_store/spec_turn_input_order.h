// The part of the search's hints (spec_order.cc) that is about turn inputs. Not for others to include.
#ifndef LEASECHECK_MODEL_SESSION_STORE_SPEC_TURN_INPUT_ORDER_H_
#define LEASECHECK_MODEL_SESSION_STORE_SPEC_TURN_INPUT_ORDER_H_

#include <optional>
#include <vector>

#include "model/mark.h"
#include "model/session_store/spec.h"

namespace leasecheck::session_store {

// Marks of calls of turn inputs; none of other calls. See SessionStoreSpec::AppendMarks.
void AppendInputMarks(const SessionStoreSpec::Request& request, const SessionStoreSpec::Outcome& outcome,
                      std::vector<Mark>* marks);

// Whether a successful call of turn inputs shows that it changed nothing; false of other calls.
bool LeavesInputs(const SessionStoreSpec::Outcome& outcome);

// Whether two calls commute of which one at least is about turn inputs or a vacuum; nullopt where neither is. Calls of different
// sessions are the caller's to let pass.
std::optional<bool> InputsCommute(const SessionStoreSpec::Request& a, const SessionStoreSpec::Outcome& outcome_a,
                                  const SessionStoreSpec::Request& b, const SessionStoreSpec::Outcome& outcome_b);

}  // namespace leasecheck::session_store

#endif  // LEASECHECK_MODEL_SESSION_STORE_SPEC_TURN_INPUT_ORDER_H_
