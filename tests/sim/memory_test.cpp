// A leak is found, and what is made once for a process is none.
#include <cstdlib>
#include <memory>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "memory_base.hpp"
#include "scenarios/scenarios.hpp"

namespace peersock::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::size_t kMuch = 16384;

class MemoryBase : public ::testing::Test {
 protected:
  sim::Report leak() {
    kept_.push_back(std::make_unique<char[]>(kMuch));
    return {};
  }
  std::vector<std::unique_ptr<char[]>> kept_;
};

TEST_F(MemoryBase, CountsWhatIsAllocated) {
  const auto before = sim::allocated_octets();
  (void)leak();
  EXPECT_GE(sim::allocated_octets(), before + static_cast<std::int64_t>(kMuch));
  kept_.clear();
  EXPECT_LT(sim::allocated_octets(), before + static_cast<std::int64_t>(kMuch));
}

TEST_F(MemoryBase, FindsALeakOfEachRun) {
  const auto report = sim::run_to_base([this] { return leak(); }, [this] { return leak(); });
  EXPECT_THAT(report.violations, Contains(HasSubstr("octets of memory behind")));
}

TEST_F(MemoryBase, ForgivesWhatIsMadeOnce) {
  const auto report = sim::run_to_base([this] { return leak(); }, [] { return sim::Report{}; });
  EXPECT_THAT(report.violations, IsEmpty());
}

TEST_F(MemoryBase, RunsOnlyOnceWhenNothingIsLeft) {
  int runs = 0;
  const auto run = [&runs] {
    ++runs;
    return sim::Report{};
  };
  (void)sim::run_to_base(run, run);
  EXPECT_EQ(runs, 1);
}

TEST_F(MemoryBase, TellsADigestThatIsNotTheSame) {
  const auto other = [] {
    sim::Report report;
    report.digest = 1;
    return report;
  };
  const auto report = sim::run_to_base([this] { return leak(); }, other);
  EXPECT_THAT(report.violations, Contains(HasSubstr("another digest")));
}

TEST(Memory, IsBackAtItsBaseAfterASession) {
  for (const auto& scenario : sim::all_scenarios()) {
    if (!scenario.name.starts_with("plain")) continue;
    const auto report = sim::run_to_base(scenario, {});
    EXPECT_THAT(report.violations, IsEmpty()) << scenario.name;
  }
}

}  // namespace
}  // namespace peersock::testing
