// The load generator for rendezvous servers; bench/mailbox.py runs it.
//
//   mailbox-load idle      --port P --count N          one JSON line when all are connected; holds
//                                                      them until its standard input ends
//   mailbox-load exchanges --port P --seconds S [--rate R] [--in-flight N]
//                                                      one JSON line at the end; without a rate, as
//                                                      many as the server manages
//   --sources N: come from so many addresses of 127/8 (default 1)
#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/mailbox_load.hpp"

namespace {

using namespace peersock::bench;

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Of sorted values, by the nearest rank.
double percentile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto rank = static_cast<std::size_t>(share * static_cast<double>(sorted.size()));
  return sorted[std::min(rank, sorted.size() - 1)];
}

void print_line(const nlohmann::json& line) {
  fmt::print("{}\n", line.dump());
  (void)std::fflush(stdout);
}

int exchanges(const Target& target, const ExchangePlan& plan) {
  const double before = cpu_seconds();
  ExchangeReport report = run_exchanges(target, plan);
  auto& latencies = report.latencies_ms;
  std::sort(latencies.begin(), latencies.end());
  print_line({{"started", report.started},
              {"completed", report.completed},
              {"failed", report.failed},
              {"missed", report.missed},
              {"first_failure", report.first_failure},
              {"seconds", report.seconds},
              {"p50_ms", percentile(latencies, 0.50)},
              {"p99_ms", percentile(latencies, 0.99)},
              {"max_ms", percentile(latencies, 1)},
              {"own_cpu_seconds", cpu_seconds() - before}});
  return 0;
}

int idle(const Target& target, std::size_t count) {
  const std::string error = run_idlers(target, count, STDIN_FILENO, [count] {
    print_line({{"connected", count}});
  });
  if (error.empty()) return 0;
  print_line({{"error", error}});
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  Target target;
  ExchangePlan plan;
  std::size_t count = 1;
  // Everything is bounded: a mistyped figure must not fill the machine.
  CLI::App app("Load for a rendezvous server on this machine");
  app.require_subcommand(1);
  app.add_option("--port", target.port)->required();
  app.add_option("--sources", target.sources)->check(CLI::Range(1, 1000));
  CLI::App* idling = app.add_subcommand("idle")->fallthrough();
  idling->add_option("--count", count)->check(CLI::Range(1, 20000));
  CLI::App* exchanging = app.add_subcommand("exchanges")->fallthrough();
  exchanging->add_option("--rate", plan.rate)->check(CLI::Range(0, 20000));
  exchanging->add_option("--in-flight", plan.in_flight)->check(CLI::Range(1, 4000));
  exchanging->add_option("--seconds", plan.seconds)->check(CLI::Range(0.1, 120.0));
  CLI11_PARSE(app, argc, argv);
  return idling->parsed() ? idle(target, count) : exchanges(target, plan);
}
