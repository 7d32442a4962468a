// Somebody sets the clock while OpenSSL's QUIC runs.
#include "adapters/openssl_clock.hpp"

#include <chrono>
#include <ctime>

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/time.h>

#include "adapters/openssl_engine.hpp"

namespace {

/// How far somebody has set the system's clock, in seconds.
std::time_t set_by = 0;

}  // namespace

// Before the C library's.
extern "C" int clock_gettime(clockid_t clock, timespec* out) noexcept {
  static auto* const real =
      reinterpret_cast<decltype(&::clock_gettime)>(dlsym(RTLD_NEXT, "clock_gettime"));
  const int result = real(clock, out);
  if (clock == CLOCK_REALTIME) out->tv_sec += set_by;
  return result;
}

namespace peersock::testing {
namespace {

double time_of_day() {
  timeval now{};
  gettimeofday(&now, nullptr);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_usec) / 1e6;
}

TEST(OpenSslClock, GoesOnEvenlyOnceThereIsAnEngine) {
  const double before = time_of_day();
  set_by = 3600;
  EXPECT_GT(time_of_day(), before + 3599) << "nobody has asked for anything yet";
  set_by = 0;
  const auto engine = adapters::make_openssl_engine();
  ASSERT_TRUE(engine);
  for (const std::time_t by : {3600, -3600}) {
    set_by = by;
    EXPECT_NEAR(time_of_day(), before, 60);
  }
  set_by = 0;
  // It still is the day's time, and goes on.
  EXPECT_NEAR(time_of_day(), static_cast<double>(std::time(nullptr)), 60);
  const double now = time_of_day();
  timespec pause{0, 20'000'000};
  nanosleep(&pause, nullptr);
  EXPECT_GE(time_of_day(), now + 0.019);
}

}  // namespace
}  // namespace peersock::testing
