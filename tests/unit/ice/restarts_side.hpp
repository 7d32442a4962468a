// One side of the machine that restarts ICE, and what it did about the latest input.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "ice/restarts.hpp"
#include "negotiation_fixture.hpp"

namespace peersock::testing {

struct RestartsSide {
  const std::vector<std::string>& feed(ice::Restarts::Input input) {
    outputs = machine.handle(std::move(input), now);
    names.clear();
    for (const auto& output : outputs) names.emplace_back(name_of(output));
    return names;
  }
  /// The deadline comes; nothing was heard meanwhile.
  const std::vector<std::string>& expire() {
    now = machine.deadline().value();
    return feed(DeadlineReached{});
  }
  template <typename T>
  [[nodiscard]] const T* find() const {
    for (const auto& output : outputs) {
      if (const auto* held = std::get_if<T>(&output)) return held;
    }
    return nullptr;
  }

  ice::Restarts machine;
  Instant now = kNow;
  std::vector<ice::Restarts::Output> outputs;
  std::vector<std::string> names;
};

}  // namespace peersock::testing
