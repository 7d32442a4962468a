// Memory is back at its base after a simulation.
#pragma once

#include <cstdint>
#include <functional>

#include "scenario.hpp"

namespace peersock::sim {

/// Runs `once`, and when there is more memory in use afterwards than before, again: what libraries
/// make once for a process they do not make twice, but a leak is there each time, and is reported
/// as a violation, as is a run that comes to another digest than the first. `again` runs the same
/// without anything written for a person.
[[nodiscard]] Report run_to_base(const std::function<Report()>& once,
                                 const std::function<Report()>& again);

/// The same for a scenario.
[[nodiscard]] Report run_to_base(const Scenario& scenario, const RunOptions& options);

}  // namespace peersock::sim
