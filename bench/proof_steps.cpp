// What each step of the proof costs: both sides in one thread, without anything between.
//
//   proof-steps [runs]      prints a row of docs/performance.md: milliseconds of CPU time, the best
//                           of the runs (40)
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <numeric>
#include <string_view>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "adapters/otr_smp.hpp"

namespace {

using namespace peersock;

constexpr int kRuns = 40;
constexpr std::string_view kSecret = "0123456789abcdef0123456789abcdef";
/// The first two are over before there is a path.
constexpr std::size_t kAhead = 2;
using Steps = std::array<double, 6>;

double cpu_milliseconds() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) * 1e3 + static_cast<double>(used.tv_nsec) / 1e6;
}

template <typename T>
T expect(Result<T> result) {
  if (!result) {
    fmt::print(stderr, "{}\n", result.error().message);
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) {
    return std::move(*result);
  }
}

/// How long each step took; the end of one is the beginning of the next.
Steps run() {
  const Secret secret(kSecret);
  const auto alice = adapters::make_otr_smp_engine();
  const auto bob = adapters::make_otr_smp_engine();
  Steps took{};
  std::size_t step = 0;
  double since = cpu_milliseconds();
  const auto done = [&] {
    const double now = cpu_milliseconds();
    took.at(step++) = now - since;
    since = now;
  };
  const Bytes first = expect(alice->start());
  done();
  expect(bob->check1(first));
  expect(bob->prepare1());
  done();
  const Bytes second = expect(bob->answer1(secret));
  done();
  const Bytes third = expect(alice->answer2(secret, second));
  done();
  const auto verdict = expect(bob->answer3(third));
  done();
  const bool equal = expect(alice->check4(verdict.reply));
  done();
  if (!equal || !verdict.equal) {
    fmt::print(stderr, "the proof of equal secrets has failed\n");
    std::exit(1);
  }
  return took;
}

}  // namespace

int main(int argc, char** argv) {
  const int runs = argc > 1 ? std::atoi(argv[1]) : kRuns;
  Steps best;
  best.fill(std::numeric_limits<double>::max());
  for (int i = 0; i < std::max(runs, 1); ++i) {
    const Steps took = run();
    for (std::size_t step = 0; step < best.size(); ++step) {
      best.at(step) = std::min(best.at(step), took.at(step));
    }
  }
  const double waiting = std::accumulate(best.begin() + kAhead, best.end(), 0.0);
  fmt::print("| {:.1f} | {:.0f} |\n", fmt::join(best, " | "), waiting);
}
