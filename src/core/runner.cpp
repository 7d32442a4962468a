#include "core/runner.hpp"

namespace peersock {

std::string format_trace(const TraceStep& step) {
  std::string line;
  line.append(step.machine).append(" [").append(step.state_before).append("] ");
  line.append(step.input).append(" -> [").append(step.state_after).append("]");
  for (const std::string_view output : step.outputs) line.append(" ").append(output);
  return line;
}

}  // namespace peersock
