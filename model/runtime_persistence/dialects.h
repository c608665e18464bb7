// The latitude points of the runtime_persistence contract at which a backend declares its choice (PROTOCOL.md, "Control
// methods"). The first word of each is what an undeclared point means. Every other point needs no declaration: the checker
// accepts what the contract's column "checker accepts" says.
#ifndef LEASECHECK_MODEL_RUNTIME_PERSISTENCE_DIALECTS_H_
#define LEASECHECK_MODEL_RUNTIME_PERSISTENCE_DIALECTS_H_

#include "absl/strings/string_view.h"
#include "model/dialect.h"

namespace leasecheck::runtime_persistence {

// The attachment manifest: it keeps rows (`kept`), or its four calls succeed, do nothing, and list nothing (`noop`).
inline constexpr absl::string_view kKeptOrNoop[] = {"kept", "noop"};
// The nine provided methods: they are a queue (`queue`), or the trait's own, which a backend inherits (`default`): then RP-DEF-1
// to RP-DEF-9 say what they answer, and the clauses of a queue do not apply.
inline constexpr absl::string_view kQueueOrDefault[] = {"queue", "default"};

inline constexpr DialectPoint kDialectPoints[] = {{"AM-NOP-1", kKeptOrNoop}, {"RP-DEF", kQueueOrDefault}};

}  // namespace leasecheck::runtime_persistence

#endif  // LEASECHECK_MODEL_RUNTIME_PERSISTENCE_DIALECTS_H_
