#include "ice/port_plan.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace peersock::ice {
namespace {

/// Other hosts take ports between ours; a NAT that gives out ports one after the other still shows.
constexpr int kLargestStep = 16;
/// Beyond the last port that was seen. Our sockets take some 250 ports in a row, so that probes
/// need not be dense to meet one of them, however many ports others have taken meanwhile.
constexpr std::array<int, 24> kDistances = {1,   2,   3,   4,   6,   8,   12,  16,
                                            24,  32,  48,  64,  96,  128, 160, 192,
                                            224, 256, 320, 384, 448, 512, 640, 768};

bool is_preserved(std::span<const SeenPort> seen) {
  return !seen.empty() && std::all_of(seen.begin(), seen.end(), [](const SeenPort& each) {
    return each.local == each.mapped;
  });
}

/// How far the ports are apart, at least; nothing when they do not follow each other.
std::optional<int> step_of(std::span<const SeenPort> seen) {
  if (seen.size() < 2) return std::nullopt;
  int least = kLargestStep;
  for (std::size_t i = 1; i < seen.size(); ++i) {
    const int step = int{seen[i].mapped} - int{seen[i - 1].mapped};
    if (step < 1 || step > kLargestStep) return std::nullopt;
    least = std::min(least, step);
  }
  return least;
}

}  // namespace

std::vector<std::uint16_t> likely_ports(std::span<const SeenPort> seen,
                                        std::span<const std::uint16_t> next) {
  if (is_preserved(seen)) {
    const std::size_t count = std::min(next.size(), kMaxLikelyPorts);
    return {next.begin(), next.begin() + static_cast<std::ptrdiff_t>(count)};
  }
  std::vector<std::uint16_t> ports;
  const auto step = step_of(seen);
  if (!step) return ports;
  for (const int distance : kDistances) {
    // A NAT that keeps the parity of ports takes every second one.
    const auto offset = std::uint32_t{seen.back().mapped} +
                        static_cast<std::uint32_t>(distance * (*step == 2 ? 2 : 1));
    ports.push_back(
        static_cast<std::uint16_t>(offset < 65536 ? offset : kLowestPort + (offset - 65536)));
  }
  return ports;
}

PortPlan::PortPlan(std::vector<std::uint16_t> likely, Rng& rng)
    : likely_(std::move(likely)), rng_(&rng) {
  if (likely_.size() > kMaxLikelyPorts) likely_.resize(kMaxLikelyPorts);
  std::erase(likely_, 0);
}

std::optional<std::uint16_t> PortPlan::next() {
  if (given_ < 2 * likely_.size()) return likely_[given_++ % likely_.size()];
  while (drawn_ < kPortCount) {
    const auto port = static_cast<std::uint16_t>(kLowestPort + draw());
    if (!is_likely(port)) return port;
  }
  return std::nullopt;
}

/// The next place of the shuffle by Fisher and Yates.
std::uint32_t PortPlan::draw() {
  const auto at = [this](std::uint32_t place) {
    const auto found = moved_.find(place);
    return found == moved_.end() ? place : found->second;
  };
  const std::uint32_t chosen = drawn_ + random_below(*rng_, kPortCount - drawn_);
  const std::uint32_t value = at(chosen);
  moved_[chosen] = at(drawn_);
  moved_.erase(drawn_);
  ++drawn_;
  return value;
}

bool PortPlan::is_likely(std::uint16_t port) const {
  return std::find(likely_.begin(), likely_.end(), port) != likely_.end();
}

}  // namespace peersock::ice
