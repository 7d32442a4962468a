#include "app/status_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace peersock::app {
namespace {

LiveStatus busy() {
  LiveStatus status;
  status.path = PathInfo{false, "host", "host", "", "", "udp"};
  status.round_trip = 1200us;
  status.open_connections = 3;
  status.totals = {1536, 64ULL << 20U};
  status.per_second = {100, 3ULL << 20U};
  return status;
}

TEST(StatusLine, SaysItAllWhereThereIsRoom) {
  EXPECT_EQ(format_status(busy(), 120),
            "direct 1.2 ms | 3 open | sent 1.5 KiB at 100 B/s | received 64.0 MiB at 3.0 MiB/s");
}

TEST(StatusLine, SaysLessOnANarrowTerminal) {
  EXPECT_EQ(format_status(busy(), 80),
            "direct 1.2 ms | 3 open | up 1.5 KiB at 100 B/s | down 64.0 MiB at 3.0 MiB/s");
  EXPECT_EQ(format_status(busy(), 60), "direct 1.2 ms | 3 open | up 1.5 KiB | down 64.0 MiB");
  EXPECT_EQ(format_status(busy(), 40), "direct 1.2 ms | 3 open");
  EXPECT_EQ(format_status(busy(), 20), "direct 1.2 ms");
  EXPECT_EQ(format_status(busy(), 19), "");
  EXPECT_EQ(format_status(busy(), 0), "");
}

TEST(StatusLine, FitsEveryWidthWithAnyNumbers) {
  LiveStatus huge = busy();
  huge.path->relayed = true;
  huge.round_trip = 9999999s;
  huge.open_connections = SIZE_MAX;
  huge.totals = {UINT64_MAX, UINT64_MAX};
  huge.per_second = {UINT64_MAX, UINT64_MAX};
  for (std::size_t columns = 0; columns < 200; ++columns) {
    EXPECT_LE(format_status(huge, columns).size(), columns);
    EXPECT_LE(format_status({}, columns).size(), columns);
  }
}

TEST(StatusLine, KnowsRelaysAndTheTimeBeforeAPath) {
  LiveStatus status = busy();
  status.path->relayed = true;
  status.round_trip.reset();
  EXPECT_EQ(format_status(status, 40), "relayed | 3 open");
  EXPECT_EQ(format_status({}, 40), "no path | 0 open | up 0 B | down 0 B");
}

TEST(RateMeter, IsTheDifferenceOverTime) {
  RateMeter meter;
  const Instant start{};
  meter.sample({1000, 0}, start);
  EXPECT_EQ(meter.per_second().sent, 0U) << "one sample is no rate";
  meter.sample({3000, 500}, start + 500ms);
  EXPECT_EQ(meter.per_second().sent, 4000U);
  EXPECT_EQ(meter.per_second().received, 1000U);
  meter.sample({9000, 500}, start + 550ms);
  EXPECT_EQ(meter.per_second().sent, 4000U) << "too soon after the last one";
  meter.sample({9000, 500}, start + 1500ms);
  EXPECT_EQ(meter.per_second().sent, 6000U);
  EXPECT_EQ(meter.per_second().received, 0U);
}

TEST(RateMeter, NeverRunsBackwards) {
  RateMeter meter;
  meter.sample({1000, 1000}, Instant{});
  meter.sample({0, 0}, Instant{} + 1s);
  EXPECT_EQ(meter.per_second().sent, 0U);
  EXPECT_EQ(meter.per_second().received, 0U);
}

}  // namespace
}  // namespace peersock::app
