// A leak is found, and what is made once for a process is none.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <glib.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include "libc/allocations.hpp"
#include "memory_base.hpp"
#include "scenarios/scenarios.hpp"

namespace peersock::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

class MemoryBase : public ::testing::Test {
 protected:
  sim::Report leak() {
    kept_.push_back(std::make_unique<char>());
    return {};
  }
  // What holds the blocks is not to count.
  void SetUp() override { kept_.reserve(100); }

  std::vector<std::unique_ptr<char>> kept_;
};

/// How many more octets are in use after `allocate`; it gives them back.
std::int64_t octets_of(const std::function<void*()>& allocate) {
  const auto before = sim::allocated_octets();
  void* const block = allocate();
  const auto octets = sim::allocated_octets() - before;
  std::free(block);
  EXPECT_EQ(sim::allocated_octets(), before);
  return octets;
}

TEST(Allocations, AreCountedWhoeverMakesThem) {
  constexpr std::int64_t kAtLeast = 4096;
  const std::map<std::string, std::function<void*()>> ways = {
      {"malloc", [] { return std::malloc(kAtLeast); }},
      {"calloc", [] { return std::calloc(64, kAtLeast / 64); }},
      {"realloc", [] { return std::realloc(std::malloc(1), kAtLeast); }},
      {"reallocarray", [] { return reallocarray(std::malloc(1), 64, kAtLeast / 64); }},
      {"memalign", [] { return memalign(256, kAtLeast); }},
      {"aligned_alloc", [] { return std::aligned_alloc(256, kAtLeast); }},
      {"posix_memalign",
       [] {
         void* block = nullptr;
         EXPECT_EQ(posix_memalign(&block, 256, kAtLeast), 0);
         return block;
       }},
      {"the C library",
       [] { return static_cast<void*>(strdup(std::string(kAtLeast, 'x').c_str())); }},
      {"GLib", [] { return g_slice_alloc(kAtLeast); }},
  };
  for (const auto& [name, allocate] : ways) {
    const auto octets = octets_of(allocate);
    EXPECT_GE(octets, kAtLeast) << name;
    EXPECT_LT(octets, 2 * kAtLeast) << name;
  }
}

TEST(Allocations, AreRefusedAsTheCLibraryRefusesThem) {
  const auto before = sim::allocated_octets();
  void* block = nullptr;
  EXPECT_EQ(posix_memalign(&block, 3, 8), EINVAL);
  EXPECT_EQ(posix_memalign(&block, 4, 8), EINVAL);
  const volatile std::size_t many = SIZE_MAX / 2;  // or the compiler sees it
  EXPECT_EQ(reallocarray(nullptr, many, 3), nullptr);
  EXPECT_EQ(sim::allocated_octets(), before);
}

TEST(Allocations, OfThreadsAreCountedToo) {
  const auto before = sim::allocated_octets();
  {
    std::array<std::jthread, 4> threads;
    for (auto& thread : threads) {
      thread = std::jthread([] {
        // NOLINTNEXTLINE(clang-analyzer-optin.portability.UnixAPI): none is a number of octets too
        for (int k = 0; k < 20000; ++k) std::free(std::malloc(static_cast<std::size_t>(k % 500)));
      });
    }
  }
  // What the first thread of a process leaves to the next ones is not lost.
  EXPECT_LT(std::abs(sim::allocated_octets() - before), 2048);
}

TEST_F(MemoryBase, FindsALeakOfOneOctetInEachRun) {
  const auto report = sim::run_to_base([this] { return leak(); }, [this] { return leak(); });
  EXPECT_THAT(report.violations, Contains(HasSubstr("octets of memory behind")));
}

TEST_F(MemoryBase, DoesNotCountTheReport) {
  int runs = 0;
  const auto run = [&runs] {
    ++runs;
    sim::Report report;
    report.listener.failure = "a sentence that is too long to be kept inside of a string";
    return report;
  };
  EXPECT_THAT(sim::run_to_base(run, run).violations, IsEmpty());
  EXPECT_EQ(runs, 1);
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

// The last one ends with WebSockets that the server never closes: libsoup leaks when it stops
// waiting.
TEST(Memory, IsBackAtItsBaseAfterASession) {
  const auto all = sim::all_scenarios();
  for (const auto* name :
       {"plain", "plain-openssl", "step/mailbox-gone/listener-wormhole-awaitversion"}) {
    const auto scenario = std::ranges::find(all, name, &sim::Scenario::name);
    ASSERT_NE(scenario, all.end()) << name;
    const auto report = sim::run_to_base(*scenario, {});
    EXPECT_THAT(report.violations, IsEmpty()) << name;
  }
}

// The last test: all the later ones would be slow.
TEST(RememberedBlocks, AreShownWithTheirCallers) {
  EXPECT_FALSE(sim::remembers_blocks());
  sim::remember_blocks();
  const std::unique_ptr<char> earlier(new char);
  const auto first = sim::next_block();
  const std::unique_ptr<char, decltype(&std::free)> block(strdup(std::string(1230, 'x').c_str()),
                                                          &std::free);
  std::free(strdup("given back"));
  const auto end = sim::next_block();
  const std::unique_ptr<char> later(new char);
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* const file = open_memstream(&text, &size);
  sim::print_blocks(first, end, file);
  ASSERT_EQ(std::fclose(file), 0);
  const std::string shown(text, size);
  std::free(text);
  EXPECT_THAT(shown, MatchesRegex("12[0-9]+ octets in 1 blocks, allocated by\n.*"));
  EXPECT_THAT(shown, HasSubstr(" malloc\n"));
  EXPECT_THAT(shown, HasSubstr("sim-memory-test 0x"));
  EXPECT_EQ(shown.find(" octets in "), shown.rfind(" octets in "));
}

}  // namespace
}  // namespace peersock::testing
