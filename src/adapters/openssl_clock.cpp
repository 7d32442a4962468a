#include "adapters/openssl_clock.hpp"

#include <atomic>
#include <cstdint>
#include <ctime>

#include <sys/time.h>

namespace peersock::adapters {
namespace {

constexpr std::int64_t kPerSecond = 1'000'000'000;

/// Of the whole process, as the function is. Library constructors call it before main.
std::atomic<std::int64_t> ahead_of_monotonic{0};
std::atomic<bool> is_even{false};

std::int64_t nanoseconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return now.tv_sec * kPerSecond + now.tv_nsec;
}

}  // namespace

void keep_time_of_day_even() {
  if (is_even) return;
  ahead_of_monotonic = nanoseconds(CLOCK_REALTIME) - nanoseconds(CLOCK_MONOTONIC);
  is_even = true;
}

}  // namespace peersock::adapters

extern "C" __attribute__((weak, visibility("default"))) int gettimeofday(timeval* out,
                                                                         void* /*zone*/) noexcept {
  using namespace peersock::adapters;
  const std::int64_t now =
      is_even ? nanoseconds(CLOCK_MONOTONIC) + ahead_of_monotonic : nanoseconds(CLOCK_REALTIME);
  out->tv_sec = now / kPerSecond;
  out->tv_usec = now % kPerSecond / 1000;
  return 0;
}
