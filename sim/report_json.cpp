#include "report_json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "scenario_json.hpp"

namespace peersock::sim {
namespace {

using nlohmann::ordered_json;

template <typename T>
ordered_json maybe(const std::optional<T>& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

ordered_json names(const std::vector<Outcome>& outcomes) {
  auto list = ordered_json::array();
  for (const Outcome outcome : outcomes) list.push_back(to_string(outcome));
  return list;
}

ordered_json side(const SideReport& report) {
  return {{"exit", maybe(report.exit)},   {"authenticated", maybe(report.authenticated)},
          {"ended", maybe(report.ended)}, {"path", report.path},
          {"split", report.split},        {"failure", report.failure}};
}

}  // namespace

std::string render_json(const Scenario& scenario, const RunOptions& options, const Report& report,
                        const Effort& effort) {
  const ordered_json line = {
      {"scenario", scenario.name},
      {"seed", options.seed},
      {"passed", passed(scenario, report)},
      {"outcome", to_string(report.outcome)},
      {"expected", names(scenario.expected)},
      {"connect_seconds", maybe(report.connect_seconds)},
      {"first_octet_seconds", maybe(report.first_octet_seconds)},
      {"octets_per_second", maybe(report.octets_per_second)},
      {"virtual_seconds", report.virtual_seconds},
      {"wall_seconds", effort.wall_seconds},
      {"cpu_seconds", effort.cpu_seconds},
      {"digest", fmt::format("{:016x}", report.digest)},
      {"listener", side(report.listener)},
      {"connector", side(report.connector)},
      {"violations", report.violations},
      {"network", scenario_json(scenario)},
  };
  return line.dump();
}

}  // namespace peersock::sim
