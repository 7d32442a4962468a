#include "support/virtual_world.hpp"

#include <algorithm>

namespace peersock::testing {

VirtualWorld::VirtualWorld(std::uint64_t seed, Instant start) : now_(start), rng_(seed) {}

void VirtualWorld::advance_to(Instant instant) {
  now_ = instant;
  if (clock_) clock_(now_);
}

bool VirtualWorld::chance(double probability) {
  if (probability <= 0) return false;
  constexpr std::uint32_t kScale = 1'000'000;
  return random_below(rng_, kScale) < static_cast<std::uint32_t>(probability * kScale);
}

Duration VirtualWorld::delay_of(const LinkProfile& link) {
  if (link.jitter <= 0ns) return link.delay;
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(link.jitter);
  return link.delay + std::chrono::microseconds(
                          random_below(rng_, static_cast<std::uint32_t>(microseconds.count()) + 1));
}

void VirtualWorld::after(Duration delay, std::function<void()> event) {
  queue_.emplace(std::pair{now_ + std::max(delay, Duration{0}), sequence_++}, std::move(event));
}

void VirtualWorld::run_next() {
  auto node = queue_.extract(queue_.begin());
  advance_to(node.key().first);
  node.mapped()();
}

bool VirtualWorld::run_until(const std::function<bool()>& done, Duration limit,
                             std::size_t max_events) {
  const Instant end = now_ + limit;
  for (std::size_t count = 0; count < max_events; ++count) {
    if (done()) return true;
    if (queue_.empty() || queue_.begin()->first.first > end) return false;
    run_next();
  }
  return done();
}

void VirtualWorld::run_for(Duration span) {
  const Instant end = now_ + span;
  while (!queue_.empty() && queue_.begin()->first.first <= end) run_next();
  advance_to(end);
}

}  // namespace peersock::testing
