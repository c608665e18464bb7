#include "tests/mutants/mutant.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "properties/engine/trace.h"
#include "properties/runtime_persistence.h"
#include "properties/runtime_repository.h"
#include "properties/session_store.h"
#include "properties/state_backend.h"
#include "tests/mutants/catalogue.h"
#include "tests/mutants/persistence_catalogue.h"
#include "tests/mutants/repository_catalogue.h"
#include "tests/mutants/state_catalogue.h"

namespace leasecheck::mutants {
namespace {

template <class F>
std::size_t BranchCalls(const std::string& text) {
  auto trace = engine::ParseTrace<F>(text, "shrunk", engine::PropertiesOf<F>::Conversions());
  if (!trace.ok()) return 0;
  std::size_t commands = 0;
  for (const auto& phase : trace->program.phases) {
    if (phase.clients.size() < 2) continue;
    for (const auto& client : phase.clients) commands += client.size();
  }
  return commands;
}

// `mutant` stays where it is: a row of a catalogue.
template <class F, class M>
AnyMutant Any(const M& mutant) {
  return {.family = F::kName,
          .name = mutant.name,
          .sentence = mutant.sentence,
          .kind = mutant.kind,
          .named = mutant.Named(),
          .dies_by = [&mutant](absl::string_view clause) { return mutant.DiesBy(clause); },
          .check = [&mutant](const CheckOptions& options) { return Check<F>(FactoryOf(mutant), options); },
          .branch_calls = &BranchCalls<F>};
}

}  // namespace

absl::string_view KindName(MutantKind kind) {
  return kind == MutantKind::kSequential ? "sequential" : kind == MutantKind::kRace ? "race" : "crash";
}

const std::vector<AnyMutant>& AllMutants() {
  static const std::vector<AnyMutant>& all = *[] {
    auto* mutants = new std::vector<AnyMutant>();
    for (const Mutant& mutant : Mutants()) mutants->push_back(Any<SessionStoreFamily>(mutant));
    for (const PersistenceMutant& mutant : PersistenceMutants()) mutants->push_back(Any<RuntimePersistenceFamily>(mutant));
    for (const RepositoryMutant& mutant : RepositoryMutants()) mutants->push_back(Any<RuntimeRepositoryFamily>(mutant));
    for (const StateMutant& mutant : StateMutants()) mutants->push_back(Any<StateBackendFamily>(mutant));
    return mutants;
  }();
  return all;
}

const AnyMutant* FindAnyMutant(absl::string_view name) {
  const auto found = std::find_if(AllMutants().begin(), AllMutants().end(), [&](const AnyMutant& m) { return m.name == name; });
  return found == AllMutants().end() ? nullptr : &*found;
}

}  // namespace leasecheck::mutants
