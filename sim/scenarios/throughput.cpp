#include <fmt/format.h>

#include "scenarios/scenarios.hpp"

namespace peersock::sim {
namespace {

using std::chrono::seconds;

constexpr std::uint64_t kOctets = std::uint64_t{2} * 1024 * 1024;
/// 50 ms there and back, and 40 Mbit/s: what a home has.
constexpr auto kDelay = std::chrono::microseconds(12500);
constexpr std::uint64_t kRate = 40'000;

Scenario with_loss(double percent, const NamedEngine& named) {
  const testbed::LineConfig line{.delay = kDelay, .rate = kRate, .loss = percent};
  const SiteSpec site{.nats = {{}}, .up = line, .down = line};
  return {.name = fmt::format("throughput/loss-{}{}", percent, named.suffix),
          .listener = site,
          .connector = site,
          .engine = named.engine,
          .octets = kOctets,
          .bound = seconds(600)};
}

}  // namespace

std::vector<Scenario> throughput_scenarios() {
  std::vector<Scenario> all;
  for (const NamedEngine& named : kBothEngines) {
    // Of each line; a datagram crosses two of them.
    for (const double percent : {0.0, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0}) {
      all.push_back(with_loss(percent, named));
    }
  }
  return all;
}

}  // namespace peersock::sim
