// One line of JSON for each run.
#pragma once

#include <string>

#include "scenario.hpp"

namespace peersock::sim {

/// `wall_seconds` is real time, and the only thing in it that differs from run to run.
[[nodiscard]] std::string render_json(const Scenario& scenario, const RunOptions& options,
                                      const Report& report, double wall_seconds);

}  // namespace peersock::sim
