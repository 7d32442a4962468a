// A session outlives its path: paths that break, addresses that change, a rendezvous server that
// is away, both sides at once, a peer that dies. In virtual time, with the real engines.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ice/restarts.hpp"
#include "support/session_pair.hpp"

namespace peersock::testing {
namespace {

constexpr std::size_t kUpload = 3'000'000;
constexpr std::size_t kDownload = 2'000'000;

std::size_t count(const VirtualHost& host, std::string_view event) {
  return static_cast<std::size_t>(std::ranges::count(host.events(), event));
}

PairOptions options_with(std::uint64_t seed) {
  PairOptions options;
  options.seed = seed;
  options.path = {20ms, 5ms, 0.01, 0.01};
  options.mailbox = {25ms, 10ms, 0, 0};
  options.target_sends = pattern(kDownload, 1);
  return options;
}

/// A session with a connection that has begun to carry data both ways.
class Restart : public ::testing::Test {
 protected:
  void start(PairOptions options) {
    pair = std::make_unique<SessionPair>(std::move(options));
    pair->start();
    ASSERT_TRUE(pair->until_authenticated()) << pair->story();
    pair->world.run_for(500ms);
    began = pair->world.now();
  }
  void transfer() {
    program = pair->connect(pattern(kUpload));
    ASSERT_TRUE(pair->until([&] { return !program->received.empty(); })) << pair->story();
  }
  [[nodiscard]] std::size_t moved() const {
    return program->received.size() +
           (pair->targets().empty() ? 0 : pair->targets()[0]->received.size());
  }
  /// Every octet arrives, both ways.
  void expect_everything() {
    ASSERT_TRUE(pair->until([&] { return program->saw_end && pair->targets()[0]->saw_end; }, 60s))
        << pair->story();
    EXPECT_EQ(pair->targets()[0]->received, pattern(kUpload));
    EXPECT_EQ(program->received, pattern(kDownload, 1));
    EXPECT_FALSE(pair->a->exit_code() || pair->b->exit_code()) << pair->story();
  }
  /// From now until data moves again.
  Duration interruption() {
    const Instant broken = pair->world.now();
    // What is on its way still arrives.
    pair->world.run_for(50ms);
    const std::size_t before = moved();
    EXPECT_TRUE(pair->until([&] { return moved() > before; }, 30s)) << pair->story();
    return pair->world.now() - broken;
  }

  std::unique_ptr<SessionPair> pair;
  std::shared_ptr<LocalProgram> program;
  Instant began;
};

TEST_F(Restart, ABrokenPathIsReplacedAndNothingIsLost) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    start(options_with(seed));
    transfer();
    pair->world.run_for(random_below(pair->world.rng(), 150) * 1ms);
    ASSERT_LT(moved(), kUpload + kDownload) << "nothing was left to be interrupted";
    pair->path.break_found();
    EXPECT_LE(interruption(), 6s);
    expect_everything();
    EXPECT_EQ(count(*pair->a, "path_restarted"), 1U) << pair->story();
    EXPECT_EQ(count(*pair->b, "path_restarted"), 1U) << pair->story();
    EXPECT_EQ(count(*pair->a, "path_chosen"), 2U);
    EXPECT_EQ(count(*pair->b, "path_chosen"), 2U);
    EXPECT_EQ(pair->a->generation(), pair->b->generation());
    EXPECT_FALSE(pair->a->saw("warning"));
    pair->world.run_for(5s);
    EXPECT_EQ(pair->a->agents(), 1U);
    EXPECT_EQ(pair->b->agents(), 1U);
  }
}

TEST_F(Restart, AnIdleSessionIsMendedBeforeItIsNeeded) {
  start(options_with(1));
  pair->path.break_found();
  pair->world.run_for(10s);
  EXPECT_EQ(count(*pair->a, "path_chosen"), 2U) << pair->story();
  transfer();
  expect_everything();
}

TEST_F(Restart, HappensAsOftenAsThePathBreaks) {
  start(options_with(3));
  for (int round = 1; round <= 6; ++round) {
    SCOPED_TRACE(round);
    pair->path.break_found();
    ASSERT_TRUE(pair->until(
        [&] { return count(*pair->a, "path_chosen") == static_cast<std::size_t>(round) + 1; }, 30s))
        << pair->story();
    pair->world.run_for(90s);
  }
  transfer();
  expect_everything();
}

TEST_F(Restart, AnotherNetworkTakesOverWithoutAnInterruption) {
  for (const bool both : {false, true}) {
    SCOPED_TRACE(both ? "both sides at once" : "one side");
    start(options_with(2));
    transfer();
    pair->a->change_network();
    if (both) pair->b->change_network();
    ASSERT_TRUE(pair->until([&] { return pair->a->generation() > 0; }, 2s)) << pair->story();
    pair->path.break_found();
    // Nothing but the new generation carries data now.
    ASSERT_TRUE(pair->until([&] { return pair->b->generation() > 0; }, 1s)) << pair->story();
    EXPECT_EQ(pair->a->generation(), 1U);
    EXPECT_EQ(pair->b->generation(), 1U);
  }
}

TEST_F(Restart, TheControlStreamIsEnoughWhileTheOldPathWorks) {
  start(options_with(4));
  pair->mailbox.drop_all(600s);
  pair->a->change_network();
  ASSERT_TRUE(
      pair->until([&] { return pair->a->generation() > 0 && pair->b->generation() > 0; }, 2s))
      << pair->story();
  pair->path.break_found();
  pair->world.run_for(1s);
  EXPECT_FALSE(pair->a->exit_code()) << pair->story();
}

TEST_F(Restart, AnAbsentRendezvousServerIsWaitedForAndNobodyIsToldOfIt) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    start(options_with(seed));
    transfer();
    pair->path.break_found();
    pair->mailbox.drop_all(5s);
    expect_everything();
    EXPECT_FALSE(pair->a->saw("warning")) << pair->story();
  }
}

TEST_F(Restart, ALostMailboxIsNoErrorAsLongAsThePathWorks) {
  start(options_with(5));
  pair->mailbox.refuse_all();
  pair->mailbox.drop_all(3600s);
  pair->world.run_for(1800s);
  transfer();
  expect_everything();
  EXPECT_FALSE(pair->a->saw("warning")) << pair->story();
}

TEST_F(Restart, ADeadPeerIsNoticedInFifteenSecondsAsBefore) {
  for (const Duration into : {Duration{0s}, Duration{3s}, Duration{4100ms}, Duration{4300ms}}) {
    SCOPED_TRACE(into.count());
    start(options_with(6));
    // It dies while the path is being replaced.
    if (into > 0s) pair->path.cut();
    pair->world.run_for(into);
    const Instant died = pair->world.now();
    pair->b->kill();
    ASSERT_TRUE(pair->until([&] { return pair->a->exit_code().has_value(); }, 30s))
        << pair->story();
    EXPECT_LE(pair->world.now() - died, 15s);
    EXPECT_EQ(pair->a->exit_code(), ExitCode::kConnectionLost);
  }
}

TEST_F(Restart, APeerThatLivesIsAwaitedForThirtySeconds) {
  start(options_with(7));
  transfer();
  pair->path.cut();
  pair->world.run_for(20s);
  ASSERT_FALSE(pair->a->exit_code()) << pair->story();
  ASSERT_FALSE(pair->b->exit_code()) << pair->story();
  pair->path.restore();
  expect_everything();

  start(options_with(7));
  pair->path.cut();
  const Instant cut = pair->world.now();
  ASSERT_TRUE(pair->until_ended(60s)) << pair->story();
  EXPECT_GE(pair->world.now() - cut, 25s);
  EXPECT_LE(pair->world.now() - cut, 35s);
  EXPECT_EQ(pair->a->exit_code(), ExitCode::kConnectionLost);
  EXPECT_EQ(pair->b->exit_code(), ExitCode::kConnectionLost);
}

TEST_F(Restart, AnAgentThatReportsTheEndOfItsPathIsBelieved) {
  start(options_with(8));
  transfer();
  pair->path.break_found();
  pair->a->agent_broke();
  EXPECT_LE(interruption(), 2s);
  expect_everything();
}

TEST_F(Restart, APathThatComesBackIsNoticedAtOnce) {
  start(options_with(10));
  transfer();
  pair->path.cut();
  pair->world.run_for(11s);
  pair->path.restore();
  // QUIC's timer has grown as long as the outage, and its window is full.
  const std::size_t before = moved();
  EXPECT_TRUE(pair->until([&] { return moved() > before; }, 1s)) << pair->story();
  expect_everything();
}

TEST_F(Restart, TheMailboxIsLeftWhenTheSessionEnds) {
  start(options_with(9));
  pair->a->interrupt();
  ASSERT_TRUE(pair->until_ended(10s)) << pair->story();
  pair->world.run_for(1s);
  EXPECT_TRUE(pair->mailbox.server().state().mailboxes.empty());
}

TEST(SecondSearch, FindsThePathThatTheFirstCouldNot) {
  SessionPair pair(options_with(7));
  pair.path.forbid_connectivity(1);
  const Instant began = pair.world.now();
  pair.start();
  ASSERT_TRUE(pair.until_authenticated()) << pair.story();
  EXPECT_GE(pair.world.now() - began, ice::kSecondSearchAfter);
  EXPECT_LE(pair.world.now() - began, ice::kSecondSearchAfter + 2s);
  EXPECT_EQ(pair.a->generation(), 1U);
  EXPECT_EQ(pair.b->generation(), 1U);
  const auto program = pair.connect(pattern(1000));
  ASSERT_TRUE(pair.until([&] { return program->saw_end; })) << pair.story();
  EXPECT_EQ(pair.targets()[0]->received, pattern(1000));
  pair.world.run_for(ice::kLinger);
  EXPECT_EQ(pair.a->agents(), 1U);
  EXPECT_EQ(pair.b->agents(), 1U);
}

}  // namespace
}  // namespace peersock::testing
