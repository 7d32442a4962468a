// Scenarios as JSON (docs/simulation.md): results say what was run, and scenarios can come from a
// file, so that what a result holds can be run again.
#pragma once

#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "scenario.hpp"

namespace peersock::sim {

/// All of it but `vary`, which has been called.
[[nodiscard]] nlohmann::ordered_json scenario_json(const Scenario& scenario);

/// An array of scenarios, each with a name of its own, in the same words. A member that is left out
/// is as in `Scenario`, but `expected`: without it anything is that hurts no invariant. Throws
/// std::invalid_argument, with a sentence that says what is wrong.
[[nodiscard]] std::vector<Scenario> read_scenarios(std::string_view text);

}  // namespace peersock::sim
