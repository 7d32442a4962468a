// peersock-sim: runs scenarios, one line of JSON each.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <malloc.h>

#include "libc/allocations.hpp"
#include "libc/real.hpp"
#include "memory_base.hpp"
#include "report_json.hpp"
#include "scenario_json.hpp"
#include "scenarios/scenarios.hpp"

namespace peersock::sim {
namespace {

struct Arguments {
  std::vector<std::string> scenarios;
  std::uint64_t first_seed = 1;
  std::uint64_t seeds = 1;
  bool list = false;
  bool from_stdin = false;
  std::string file;
  RunOptions options;
};

/// A name, or the beginning of names with a star behind it.
bool matches(std::string_view pattern, std::string_view name) {
  if (!pattern.ends_with('*')) return pattern == name;
  return name.starts_with(pattern.substr(0, pattern.size() - 1));
}

/// Those of the tables, unless there is a file of others.
std::vector<Scenario> known(const std::string& path) {
  if (path.empty()) return all_scenarios();
  std::ifstream file(path);
  if (!file) throw std::runtime_error(path + " cannot be read");
  return read_scenarios(std::string(std::istreambuf_iterator<char>(file), {}));
}

std::vector<Scenario> chosen(const Arguments& arguments) {
  std::vector<Scenario> found;
  for (auto& scenario : known(arguments.file)) {
    for (const auto& pattern : arguments.scenarios) {
      if (!matches(pattern, scenario.name)) continue;
      found.push_back(std::move(scenario));
      break;
    }
  }
  return found;
}

/// A real one: the program's own clocks are virtual.
double real_clock(clockid_t clock) {
  timespec now{};
  PEERSOCK_REAL(clock_gettime)(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

Effort effort_since(const Effort& before) {
  return {real_clock(CLOCK_MONOTONIC) - before.wall_seconds,
          real_clock(CLOCK_PROCESS_CPUTIME_ID) - before.cpu_seconds};
}

/// What one simulation has freed the next one needs: the kernel is not to get it in between.
void keep_heap() {
  constexpr int kMost = 1 << 30;
  (void)mallopt(M_TRIM_THRESHOLD, kMost);
  (void)mallopt(M_MMAP_THRESHOLD, kMost);
}

bool run_one(Scenario scenario, const RunOptions& options) {
  if (scenario.vary != nullptr) scenario.vary(scenario, options.seed);
  const Effort before = effort_since({});
  const Report report = run_to_base(scenario, options);
  std::puts(render_json(scenario, options, report, effort_since(before)).c_str());
  (void)std::fflush(stdout);
  return passed(scenario, report);
}

/// One process for many runs, of which each is asked for when the one before is over.
int run_from_stdin(Arguments& arguments, const std::vector<Scenario>& scenarios) {
  bool all_passed = true;
  std::string name;
  while (std::cin >> name >> arguments.options.seed) {
    const auto found = std::ranges::find(scenarios, name, &Scenario::name);
    if (found == scenarios.end()) throw std::runtime_error("there is no scenario " + name);
    all_passed = run_one(*found, arguments.options) && all_passed;
  }
  return all_passed ? 0 : 1;
}

int run_all(Arguments& arguments) {
  const auto scenarios = chosen(arguments);
  if (scenarios.empty()) {
    (void)std::fputs("peersock-sim: no scenario has this name; --list shows them all\n", stderr);
    return 2;
  }
  if (arguments.list) {
    for (const auto& scenario : scenarios) std::puts(scenario.name.c_str());
    return 0;
  }
  if (arguments.from_stdin) return run_from_stdin(arguments, scenarios);
  bool all_passed = true;
  for (const auto& scenario : scenarios) {
    for (std::uint64_t i = 0; i < arguments.seeds; ++i) {
      arguments.options.seed = arguments.first_seed + i;
      all_passed = run_one(scenario, arguments.options) && all_passed;
    }
  }
  return all_passed ? 0 : 1;
}

int main_of(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Runs whole sessions of peersock in simulated networks, in virtual time.");
  app.add_option("--scenario", arguments.scenarios, "a name, or the beginning of names and a star");
  app.add_option("--seed", arguments.first_seed, "the first seed");
  app.add_option("--seeds", arguments.seeds, "how many seeds");
  app.add_option("--pcap", arguments.options.pcap_folder, "writes each host's packets there");
  app.add_flag("--trace", arguments.options.trace, "the machines' steps, on standard error");
  app.add_flag_callback("--leaks", remember_blocks,
                        "what each run leaves behind in memory, on standard error; slow");
  app.add_option("--file", arguments.file, "takes scenarios from it (docs/simulation.md)");
  app.add_flag("--stdin", arguments.from_stdin,
               "runs what standard input names: NAME SEED, a line");
  app.add_flag("--list", arguments.list, "names the scenarios");
  CLI11_PARSE(app, argc, argv);
  if (arguments.scenarios.empty()) arguments.scenarios = {"*"};
  keep_heap();
  return run_all(arguments);
}

}  // namespace
}  // namespace peersock::sim

int main(int argc, char** argv) {
  try {
    return peersock::sim::main_of(argc, argv);
  } catch (const std::exception& error) {
    (void)std::fprintf(stderr, "peersock-sim: %s\n", error.what());
    return 3;
  }
}
