// The mutants: every slip of the store with its name, what it is, and the clauses that have to find it.
//
// A mutant dies by the clause that its shrunk trace breaks: the smallest program that shows the slip at all. One that survives,
// or dies by a clause it does not name, is a fault of the harness or of this table, and fails the tests. (The names were made
// from the contract, then narrowed and completed by runs over the seeds 1 to 20 and 1001 to 1020; every other seed is a test of
// them.)
#ifndef LEASECHECK_TESTS_MUTANTS_CATALOGUE_H_
#define LEASECHECK_TESTS_MUTANTS_CATALOGUE_H_

#include <array>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "model/session_store/family.h"
#include "model/target.h"
#include "tests/mutants/mutant.h"
#include "tests/mutants/slip_store.h"

namespace leasecheck::mutants {

// Where several calls, equally short, show the same wrong state, chance decides which of them the smallest program ends with. A
// trail is the clauses by which these calls show it.
enum class Trail {
  kNone,            // the wrong answer is the slip's own
  kFence,           // a fence is accepted or refused wrongly: the four calls that take one
  kLane,            // who holds the lane until when: those four, and the lane's own calls
  kRetaken,         // a live claim's batch is granted again: the scan, or the claim of either kind that should have found nothing
  kGranted,         // which batches a claim is granted
  kHeld,            // which claim holds which batches until when
  kLeases,          // lane and held
  kHead,            // what a commit left: head revision, body, stamps
  kInputsWait,      // which turn inputs wait: the list, the cancels, and the claims that look for them
  kInputsHeld,      // ... and which claim holds which of them: abandoning and completing too
  kInputsDeferred,  // which wait for their turn and which for the next one: the calls of kInputsWait, and the claims of the other
                    // kind
  kInputsEnded,     // which have ended: the calls of kInputsHeld, a key's replay, and the number that vacuum tells
};

struct Mutant {
  Slip slip;
  absl::string_view name;      // "claim-expiry-strict"
  absl::string_view sentence;  // the slip, for a person
  MutantKind kind;
  std::array<const char*, 6> clauses;  // any of them may find it; null fills up
  Trail trail = Trail::kNone;          // ... or any of this trail's

  bool DiesBy(absl::string_view clause) const;
  std::vector<std::string> ClauseIds() const;  // without the trail's
  std::string Named() const;                   // the clauses and the trail, for a person
};

absl::string_view TrailName(Trail trail);
std::vector<const char*> ClausesOf(Trail trail);

// All of them, in the order of Slip.
absl::Span<const Mutant> Mutants();
// Null where there is none of that name.
const Mutant* FindMutant(absl::string_view name);

// Targets that run the mutant. A crash mutant's can be killed and reopened.
TargetFactory<SessionStoreFamily> FactoryOf(const Mutant& mutant);

}  // namespace leasecheck::mutants

#endif  // LEASECHECK_TESTS_MUTANTS_CATALOGUE_H_
