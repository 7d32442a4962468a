#include "memory_base.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include <fmt/format.h>

#include "libc/allocations.hpp"
#include "stack/scheduler.hpp"

namespace peersock::sim {
namespace {

/// The first run of a process fills every cache, the next one may still fill some.
constexpr int kMostRepeats = 4;

struct Weighed {
  Report report;
  std::int64_t left = 0;  ///< octets more than before, without the report
};

Weighed weigh(const std::function<Report()>& run) {
  const std::int64_t before = allocated_octets();
  Weighed weighed;
  std::int64_t own = 0;
  {
    const Report report = run();
    const std::int64_t with_one = allocated_octets();
    weighed.report = report;
    own = allocated_octets() - with_one;
  }
  weighed.left = allocated_octets() - before - own;
  return weighed;
}

}  // namespace

Report run_to_base(const std::function<Report()>& once, const std::function<Report()>& again) {
  Weighed first = weigh(once);
  std::int64_t least = first.left;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  for (int i = 0; i < kMostRepeats && least > 0; ++i) {
    begin = std::exchange(end, next_block());
    const Weighed next = weigh(again);
    least = std::min(least, next.left);
    if (next.report.digest != first.report.digest) {
      first.report.violations.emplace_back(
          "the same run came to another digest when it was done "
          "again in one process");
      return first.report;
    }
  }
  if (least > 0) {
    first.report.violations.push_back(
        fmt::format("each run leaves {} octets of memory behind at least", least));
    // Of the last run but one: what each run makes anew in the place of the one before is gone.
    print_blocks(begin, end, stderr);
  }
  return first.report;
}

Report run_to_base(const Scenario& scenario, const RunOptions& options) {
  RunOptions silent;
  silent.seed = options.seed;
  static const bool filled = (fill_packet_stores(), true);
  (void)filled;
  return run_to_base([&] { return run(scenario, options); }, [&] { return run(scenario, silent); });
}

}  // namespace peersock::sim
