// Virtual time for integration tests: one queue of events, one seed, bounded runs.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "core/rng.hpp"
#include "core/time.hpp"
#include "support/seeded_rng.hpp"

namespace peersock::testing {

/// What a network does to what crosses it. Probabilities are between 0 and 1.
struct LinkProfile {
  Duration delay = 10ms;
  Duration jitter = 0ms;  ///< uniform, added to the delay; reorders datagrams
  double loss = 0;
  double duplication = 0;
};

class VirtualWorld {
 public:
  /// Time begins at `start`.
  explicit VirtualWorld(std::uint64_t seed, Instant start = Instant{} + 1000s);

  /// Told of every change of `now()`, for libraries that have a clock of their own.
  void set_clock(std::function<void(Instant)> clock) { clock_ = std::move(clock); }

  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] Rng& rng() { return rng_; }
  /// True with the given probability.
  [[nodiscard]] bool chance(double probability);
  [[nodiscard]] Duration delay_of(const LinkProfile& link);

  void after(Duration delay, std::function<void()> event);

  /// Runs events in order of time until `done()` holds. False when `limit` of virtual time, or
  /// `max_events`, went by before that, or nothing is left to happen.
  [[nodiscard]] bool run_until(const std::function<bool()>& done, Duration limit,
                               std::size_t max_events = 5'000'000);
  /// Lets time pass whatever happens.
  void run_for(Duration span);

 private:
  void run_next();
  void advance_to(Instant instant);

  Instant now_{};
  std::function<void(Instant)> clock_;
  std::uint64_t sequence_ = 0;
  std::map<std::pair<Instant, std::uint64_t>, std::function<void()>> queue_;
  SeededRng rng_;
};

}  // namespace peersock::testing
