// The mutants: every slip of the store with its name, what it is, and the clauses that have to find it.
//
// The clauses and the trail are named from the contract. A mutant that survives, or that dies by a clause it does not name, is a
// fault of the harness or of this table, and fails the tests. (A first run found some predictions too narrow: a wrong state is
// met by more calls than one thinks of. They became the trails; see git log for the lists as they were first.)
#ifndef LEASECHECK_TESTS_MUTANTS_CATALOGUE_H_
#define LEASECHECK_TESTS_MUTANTS_CATALOGUE_H_

#include <array>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "model/session_store/family.h"
#include "model/target.h"
#include "tests/mutants/slip_store.h"

namespace leasecheck::mutants {

enum class MutantKind {
  kSequential,  // wrong in a single call after another
  kRace,        // wrong only where calls overlap
  kCrash,       // wrong only after the store was killed or reopened
};

// "sequential", "race" or "crash".
absl::string_view KindName(MutantKind kind);

// What a slip may leave behind that is wrong, quietly, until some later call meets it. Which call that is depends on chance, and
// the clause that finds it on the call: any clause of the trail may be the one.
enum class Trail {
  kNone,       // the wrong answer is the slip's own
  kSelection,  // which batches are claimable, and so what is granted, or that nothing is
  kOwnership,  // all of selection's too: which claim owns which batches until when, and so all that is done with claims
  kLane,       // who holds the lane until when, and so all that needs its fence
  kLeases,     // ownership and lane
  kHead,       // what a commit left: head revision, body, stamps
};

struct Mutant {
  Slip slip;
  absl::string_view name;      // "claim-expiry-strict"
  absl::string_view sentence;  // the slip, for a person
  MutantKind kind;
  std::array<const char*, 12> clauses;  // any of them may find it; null fills up
  Trail trail = Trail::kNone;           // ... or any of this trail's

  bool DiesBy(absl::string_view clause) const;
  std::vector<std::string> ClauseIds() const;  // without the trail's
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
