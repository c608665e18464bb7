// The three verdicts of a judge (DESIGN.md, "Words").
#ifndef LEASECHECK_PROPERTIES_ENGINE_VERDICT_H_
#define LEASECHECK_PROPERTIES_ENGINE_VERDICT_H_

namespace leasecheck::engine {

enum class Verdict {
  kOk,       // proved: there is an order that explains every answer
  kIllegal,  // proved: there is none
  kUnknown   // neither was proved; a reason says why
};

constexpr const char* VerdictName(Verdict verdict) {
  return verdict == Verdict::kOk ? "ok" : verdict == Verdict::kIllegal ? "illegal" : "unknown";
}

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_ENGINE_VERDICT_H_
