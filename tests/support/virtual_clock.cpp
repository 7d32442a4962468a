#include "support/virtual_clock.hpp"

#include <algorithm>
#include <atomic>

#include <sys/time.h>

namespace peersock::testing {
namespace {

// Constant-initialised, because library constructors ask before main. The origin is some day in
// 2023 and says on purpose nothing about the real clock.
std::atomic<std::int64_t> virtual_nanoseconds{1'700'000'000'000'000'000};

}  // namespace

Instant VirtualClock::now() {
  return Instant(Duration(virtual_nanoseconds.load()));
}

void VirtualClock::advance_to(Instant instant) {
  virtual_nanoseconds = std::max(virtual_nanoseconds.load(), instant.time_since_epoch().count());
}

}  // namespace peersock::testing

// Default visibility, so that a shared libcrypto finds it before the C library's.
extern "C" __attribute__((visibility("default"))) int gettimeofday(struct timeval* out,
                                                                   void* /*zone*/) noexcept {
  const auto now = peersock::testing::VirtualClock::now().time_since_epoch().count();
  out->tv_sec = now / 1'000'000'000;
  out->tv_usec = now % 1'000'000'000 / 1'000;
  return 0;
}
