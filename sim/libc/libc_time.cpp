// Clocks. gettimeofday is the program's own (adapters/openssl_clock.hpp), which asks these.
#include <cstdint>
#include <ctime>

#include <sys/syscall.h>
#include <unistd.h>

#include "host.hpp"
#include "libc/real.hpp"
#include "libc/thread.hpp"
#include "libc/virtual_clock.hpp"

namespace peersock::sim {
namespace {

bool running = false;

// Some time after boot, and some day in 2027: nothing here depends on the real ones.
constexpr std::int64_t kMonotonic = 1'000'000'000'000;
constexpr std::int64_t kRealtime = 1'800'000'000'000'000'000;
constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

std::int64_t virtual_now() {
  return running ? now().count() : 0;
}

std::int64_t virtual_realtime() {
  const Host* host = Host::current();
  return kRealtime + virtual_now() + (host == nullptr ? 0 : host->clock_step().count());
}

}  // namespace

bool in_simulation_thread() {
  static thread_local const bool first = syscall(SYS_gettid) == getpid();
  return first;
}

void start_virtual_clock() {
  running = true;
}

}  // namespace peersock::sim

using namespace peersock::sim;

extern "C" {

int clock_gettime(clockid_t clock, timespec* out) noexcept {
  if (!in_simulation_thread()) return PEERSOCK_REAL(clock_gettime)(clock, out);
  std::int64_t nanos = 0;
  switch (clock) {
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
      nanos = kMonotonic + virtual_now();
      break;
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
      nanos = virtual_realtime();
      break;
    default:
      return PEERSOCK_REAL(clock_gettime)(clock, out);
  }
  out->tv_sec = nanos / kNanosPerSecond;
  out->tv_nsec = nanos % kNanosPerSecond;
  return 0;
}

time_t time(time_t* out) noexcept {
  if (!in_simulation_thread()) return PEERSOCK_REAL(time)(out);
  const auto seen = static_cast<time_t>(virtual_realtime() / kNanosPerSecond);
  if (out != nullptr) *out = seen;
  return seen;
}

}  // extern "C"
