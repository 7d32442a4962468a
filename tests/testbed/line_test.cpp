#include "line.hpp"

#include <gtest/gtest.h>

namespace peersock::testbed {
namespace {

using namespace std::chrono_literals;

Line::Frame frame(std::size_t number, std::size_t size = 100) {
  Line::Frame made(size);
  made[0] = static_cast<std::uint8_t>(number);
  made[1] = static_cast<std::uint8_t>(number >> 8U);
  return made;
}

// The numbers of the frames that have come by then.
std::vector<std::size_t> arrived(Line& line, Time now) {
  std::vector<std::size_t> numbers;
  while (const auto one = line.leave(now)) {
    numbers.push_back((*one)[0] + 256U * (*one)[1]);
  }
  return numbers;
}

TEST(Line, DelaysByWhatItWasTold) {
  LineConfig config;
  config.delay = 20ms;
  Line line(config, 1);
  line.enter(frame(1), 5ms);
  EXPECT_EQ(line.next_arrival(), Time(25ms));
  EXPECT_TRUE(arrived(line, 24ms).empty());
  EXPECT_EQ(arrived(line, 25ms).size(), 1);
}

TEST(Line, KeepsTheOrderUnderJitter) {
  LineConfig config;
  config.delay = 20ms;
  config.jitter = 15ms;
  Line line(config, 1);
  for (std::size_t n = 0; n < 500; ++n) line.enter(frame(n), Time(n * 1000));
  const auto numbers = arrived(line, 10s);
  EXPECT_EQ(numbers.size(), 500);
  EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
}

TEST(Line, CarriesNoMoreThanItsRate) {
  LineConfig config;
  config.rate = 800;  // 1,000 octets take 10 ms
  Line line(config, 1);
  for (std::size_t n = 0; n < 100; ++n) line.enter(frame(n, 1000), 0s);
  EXPECT_EQ(arrived(line, 99ms).size(), 9);
  EXPECT_EQ(arrived(line, 10s).size(), 12) << "what queues for longer than 200 ms is dropped";
}

TEST(Line, QueuesAsLongAsItWasTold) {
  LineConfig config;
  config.rate = 800;  // 1,000 octets take 10 ms
  config.queue = 50ms;
  Line line(config, 1);
  for (std::size_t n = 0; n < 100; ++n) line.enter(frame(n, 1000), 0s);
  EXPECT_EQ(arrived(line, 10s).size(), 6) << "one that is sent, five that wait for up to 50 ms";
}

TEST(Line, LosesNoPartOfAMicrosecond) {
  LineConfig config;
  config.rate = 200000;  // 101 octets take 4.04 microseconds
  config.queue = 1s;
  Line line(config, 1);
  for (std::size_t n = 0; n < 1000; ++n) line.enter(frame(n, 101), 0s);
  EXPECT_EQ(arrived(line, 4039us).size(), 999);
  EXPECT_EQ(arrived(line, 4040us).size(), 1);
}

TEST(Line, LosesDuplicatesAndReordersAsOftenAsItWasTold) {
  LineConfig config;
  config.delay = 100ms;
  config.loss = 10;
  config.duplicate = 5;
  config.reorder = 2;
  Line line(config, 1);
  for (std::size_t n = 0; n < 10000; ++n) line.enter(frame(n), Time(n * 100));
  const auto numbers = arrived(line, 100s);
  EXPECT_NEAR(static_cast<double>(numbers.size()), 9450, 200);
  EXPECT_FALSE(std::is_sorted(numbers.begin(), numbers.end()));
}

// Which of so many packets are lost, one after the other.
std::vector<bool> losses(const LineConfig& config, std::size_t count) {
  Line line(config, 1);
  for (std::size_t n = 0; n < count; ++n) line.enter(frame(n), Time(n));
  std::vector<bool> lost(count, true);
  for (const std::size_t number : arrived(line, 100s)) lost[number] = false;
  return lost;
}

struct LossSeen {
  double share = 0;   // of all packets
  double length = 0;  // of what is lost in a row, on average
};

LossSeen seen(const std::vector<bool>& lost) {
  double all = 0;
  double rows = 0;
  for (std::size_t n = 0; n < lost.size(); ++n) {
    if (!lost[n]) continue;
    ++all;
    if (n == 0 || !lost[n - 1]) ++rows;
  }
  return {all / static_cast<double>(lost.size()), all / rows};
}

TEST(Line, LosesInBurstsOfTheLengthThatItWasTold) {
  LineConfig config;
  config.bursts = {.begin = 1, .end = 10};
  const LossSeen bursty = seen(losses(config, 60000));
  EXPECT_NEAR(bursty.share, 1.0 / 11, 0.015);
  EXPECT_NEAR(bursty.length, 10, 1.5);
  // As much of it, one by one.
  LineConfig independent;
  independent.loss = 100.0 / 11;
  const LossSeen single = seen(losses(independent, 60000));
  EXPECT_NEAR(single.share, 1.0 / 11, 0.01);
  EXPECT_NEAR(single.length, 1.1, 0.05);
}

TEST(Line, LosesByTheStateThatItIsIn) {
  LineConfig config;
  config.loss = 2;
  config.bursts = {.begin = 5, .end = 5, .loss = 60};
  // Half of the time in a burst.
  EXPECT_NEAR(seen(losses(config, 60000)).share, 0.31, 0.02);
}

TEST(Line, StaysInABurstThatDoesNotEnd) {
  LineConfig config;
  config.bursts = {.begin = 100, .end = 0};
  EXPECT_EQ(seen(losses(config, 100)).share, 1);
}

TEST(Line, SwallowsLargePacketsAlone) {
  LineConfig config;
  config.black_hole = 1280;
  Line line(config, 1);
  line.enter(frame(1, 1280 + 14), 0s);
  line.enter(frame(2, 1281 + 14), 0s);
  EXPECT_EQ(arrived(line, 1s), std::vector<std::size_t>{1});
}

}  // namespace
}  // namespace peersock::testbed
