// One line of JSON for each run.
#pragma once

#include <string>

#include "scenario.hpp"

namespace peersock::sim {

/// In real time. Nothing else that is reported differs from run to run.
struct Effort {
  double wall_seconds = 0;
  double cpu_seconds = 0;  ///< of all threads of this process
};

[[nodiscard]] std::string render_json(const Scenario& scenario, const RunOptions& options,
                                      const Report& report, const Effort& effort);

}  // namespace peersock::sim
