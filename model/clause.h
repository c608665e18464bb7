// Clauses: the testable sentences of a contract, each with an id such as QW-CLM-14.
//
// A family declares its clauses in one table (clauses.h). The rest of the code names a clause by its id, checked when it
// is compiled:
//
//   return Refuse(Clause<"QW-CLM-14">());
#ifndef LEASECHECK_MODEL_CLAUSE_H_
#define LEASECHECK_MODEL_CLAUSE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace leasecheck {

// The position of a clause in its family's table.
using ClauseIndex = uint16_t;

// Who judges a clause.
enum class CheckedBy {
  kSpec,   // the spec's rules, in sequential replay and in the linearizability search
  kScan,   // a pass over a whole history, apart from the spec
  kProbe,  // observations before and after a call
  kNobody  // it cannot be reached; `reason` says why
};

struct ClauseInfo {
  absl::string_view id;        // "QW-CLM-14"
  absl::string_view sentence;  // what must hold, for a person who has not read the contract
  CheckedBy checked_by = CheckedBy::kSpec;
  // Which of the two senses a run has to reach: some clauses have nothing to refuse, some only refuse.
  bool expects_held = true;
  bool expects_refused = false;
  absl::string_view reason = "";  // why a sense, or the whole clause, is not required
  // The contract allows what the sentence says, and a user should know: work may wait for someone who never comes, or a guarantee
  // is weaker than it seems. Where it was met ("held"), the report warns; the verdict stands.
  bool warns = false;
};

// How a clause was exercised by one call.
enum class Sense : uint8_t {
  kHeld,     // it applied and the call took effect, or answered, as it says
  kRefused,  // it applied and made the call be refused, or answer "none"
};

// Counts how often each clause was exercised. Not thread-safe; merge the counters of several threads.
class ClauseHits {
 public:
  explicit ClauseHits(std::size_t clauses = 0) : held_(clauses), refused_(clauses) {}
  void Add(ClauseIndex clause, Sense sense) { ++(sense == Sense::kHeld ? held_ : refused_)[clause]; }
  void Merge(const ClauseHits& other) {
    for (std::size_t i = 0; i < held_.size(); ++i) {
      held_[i] += other.held_[i];
      refused_[i] += other.refused_[i];
    }
  }
  std::size_t size() const { return held_.size(); }
  uint64_t held(ClauseIndex clause) const { return held_[clause]; }
  uint64_t refused(ClauseIndex clause) const { return refused_[clause]; }

 private:
  std::vector<uint64_t> held_;
  std::vector<uint64_t> refused_;
};

// A string literal as a template argument.
template <std::size_t N>
struct ClauseId {
  char text[N] = {};
  constexpr ClauseId(const char (&literal)[N]) {  // NOLINT(google-explicit-constructor): it is written as a literal
    for (std::size_t i = 0; i < N; ++i) text[i] = literal[i];
  }
  constexpr absl::string_view view() const { return absl::string_view(text, N - 1); }
};

// The index of the clause with this id, or the table's size where there is none.
constexpr std::size_t FindClause(absl::Span<const ClauseInfo> clauses, absl::string_view id) {
  for (std::size_t i = 0; i < clauses.size(); ++i) {
    if (clauses[i].id == id) return i;
  }
  return clauses.size();
}

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_CLAUSE_H_
