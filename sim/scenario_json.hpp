// Networks and scenarios as JSON (docs/simulation.md lists the members): results say what network
// they were got in, and scenarios can come from a file.
#pragma once

#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "scenario.hpp"

namespace peersock::sim {

/// Both sites, and what else of the scenario is not what happens or what is expected.
[[nodiscard]] nlohmann::ordered_json network_json(const Scenario& scenario);

/// An array of scenarios, each with a name of its own, in the same words. A member that is left out
/// is as in `Scenario`, but `expected`: without it anything is that hurts no invariant. Throws
/// std::invalid_argument, with a sentence that says what is wrong.
[[nodiscard]] std::vector<Scenario> read_scenarios(std::string_view text);

}  // namespace peersock::sim
