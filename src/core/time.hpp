// Time as a value. Nothing below adapters/ reads a clock: the current instant is an argument.
#pragma once

#include <chrono>
#include <cstdint>

namespace peersock {

using Duration = std::chrono::nanoseconds;

/// Names the time base of `Instant`; it has no `now()` on purpose.
struct MonotonicTime {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = Duration;
  using time_point = std::chrono::time_point<MonotonicTime>;
  static constexpr bool is_steady = true;
};

/// Nanoseconds since an arbitrary origin; never goes backwards within one process.
using Instant = MonotonicTime::time_point;

using namespace std::chrono_literals;

}  // namespace peersock
