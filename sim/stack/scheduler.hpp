// Virtual time: ns-3's queue of events, without its headers.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace peersock::sim {

using Nanos = std::chrono::nanoseconds;

/// Since the simulation began. Zero outside of `run`, before the first run.
[[nodiscard]] Nanos now();

/// Runs `call` once, after `delay`. Events of the same instant run in the order of their calls.
void post(Nanos delay, std::function<void()> call);

/// Runs events until `limit`, or until `stop`, or until nothing is left to happen.
void run_until(Nanos limit);
void stop();

/// Throws away what is left to happen, all ns-3 objects, and the time.
void reset_scheduler();

/// ns-3 keeps the memory of packets for later ones, up to a thousand. Fills that up at once, so
/// that what is allocated after a simulation does not depend on how many packets were on their way.
void fill_packet_stores();

/// One event that can be moved.
class Timer {
 public:
  explicit Timer(std::function<void()> fire);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  Timer(Timer&&) = delete;
  Timer& operator=(Timer&&) = delete;

  /// Fires after `delay`; an earlier one that is still to come is replaced.
  void after(Nanos delay);
  /// Likewise, unless it will fire before that anyway.
  void after_at_most(Nanos delay);
  void cancel();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace peersock::sim
