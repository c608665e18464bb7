// Simpler values: what a command may be replaced with when a failure is shrunk. Numbers shrink as RapidCheck shrinks them,
// optionals go, lists lose an element, variants and words become their first, opaque JSON becomes empty. Names stay: they are
// what collides.
#ifndef LEASECHECK_PROPERTIES_ENGINE_SIMPLIFY_H_
#define LEASECHECK_PROPERTIES_ENGINE_SIMPLIFY_H_

#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "model/field.h"
#include "properties/engine/program.h"
#include "rapidcheck/Seq.h"
#include "rapidcheck/shrink/Shrink.h"

namespace leasecheck::engine {

// Calls `with_simpler` once for each simpler form of `value`, which holds that form meanwhile and is restored after.
template <class T>
void ForEachSimpler(T& value, const std::function<void()>& with_simpler) {
  const auto with = [&](T simpler) {
    if (simpler == value) return;
    std::swap(value, simpler);
    with_simpler();
    std::swap(value, simpler);
  };
  if constexpr (std::is_same_v<T, bool>) {
    with(false);
  } else if constexpr (std::is_integral_v<T>) {
    auto candidates = rc::shrink::towards<T>(value, T{0});
    while (auto candidate = candidates.next()) with(*candidate);
  } else if constexpr (std::is_same_v<T, OpaqueJson>) {
    with(OpaqueJson{value.text.rfind('{', 0) == 0 ? "{}" : "null"});
  } else if constexpr (kIsOptional<T>) {
    with(std::nullopt);
    if (value.has_value()) ForEachSimpler(*value, with_simpler);
  } else if constexpr (kIsList<T>) {
    for (std::size_t i = value.size(); i-- > 0;) {
      T shorter = value;
      shorter.erase(shorter.begin() + i);
      with(std::move(shorter));
    }
    for (auto& element : value) ForEachSimpler(element, with_simpler);
  } else if constexpr (kIsWords<T>) {
    with(kWords<T>.front().value);
  } else if constexpr (kIsAlternatives<T>) {
    with(T{});
    std::visit([&](auto& alternative) { ForEachSimpler(alternative, with_simpler); }, value);
  } else if constexpr (kIsStruct<T>) {
    ForEachField<T>([&](const auto& field) { ForEachSimpler(value.*field.member, with_simpler); });
  }
}

// The commands that are one step simpler.
template <class F>
std::vector<Command<F>> SimplerCommands(const Command<F>& command) {
  std::vector<Command<F>> simpler;
  Command<F> changed = command;
  if (command.loss != Loss::kNone) {
    simpler.push_back(command);
    simpler.back().loss = Loss::kNone;
  }
  if (command.loss == Loss::kOutcome) {
    simpler.push_back(command);
    simpler.back().loss = Loss::kAnswer;
  }
  if (command.hold > 0) {
    simpler.push_back(command);
    simpler.back().hold = 0;
  }
  if (command.hold > 1) {
    simpler.push_back(command);
    simpler.back().hold = 1;
  }
  for (std::size_t i = command.references.size(); i-- > 0;) {
    simpler.push_back(command);
    simpler.back().references.erase(simpler.back().references.begin() + i);
  }
  const std::function<void()> keep = [&] { simpler.push_back(changed); };
  if (auto* request = std::get_if<0>(&changed.action)) {
    std::visit([&](auto& arguments) { ForEachSimpler(arguments, keep); }, *request);
  } else if (auto* clock = std::get_if<SetClock>(&changed.action)) {
    ForEachSimpler(clock->now, keep);
  } else if (auto* stall = std::get_if<Stall>(&changed.action)) {
    ForEachSimpler(stall->until, keep);
  }
  return simpler;
}

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_ENGINE_SIMPLIFY_H_
