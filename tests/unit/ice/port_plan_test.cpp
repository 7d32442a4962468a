#include "ice/port_plan.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/seeded_rng.hpp"

namespace peersock::testing {
namespace {

using namespace ice;  // NOLINT(google-build-using-namespace)
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(LikelyPorts, ArePreservedOnes) {
  const std::vector<SeenPort> seen = {{5000, 5000}, {5001, 5001}, {5007, 5007}};
  const std::vector<std::uint16_t> next = {40000, 40001};
  EXPECT_THAT(likely_ports(seen, next), ElementsAre(40000, 40001));
  EXPECT_EQ(likely_ports(seen, std::vector<std::uint16_t>(100, 9)).size(), kMaxLikelyPorts);
}

TEST(LikelyPorts, FollowThoseThatFollowEachOther) {
  const auto ports = likely_ports(std::vector<SeenPort>{{5000, 700}, {5001, 701}, {5002, 705}}, {});
  ASSERT_GE(ports.size(), 3U);
  EXPECT_EQ(ports[0], 706);
  EXPECT_EQ(ports[1], 707);
  EXPECT_LE(ports.size(), kMaxLikelyPorts);
  EXPECT_EQ(likely_ports(std::vector<SeenPort>{{1, 700}, {2, 702}, {3, 704}}, {})[1], 708);
}

TEST(LikelyPorts, BeginAgainAfterTheLast) {
  const auto ports = likely_ports(std::vector<SeenPort>{{1, 65533}, {2, 65534}}, {});
  EXPECT_EQ(ports[0], 65535);
  EXPECT_EQ(ports[1], 1024);
}

TEST(LikelyPorts, AreUnknownWhenTheyLookRandom) {
  EXPECT_THAT(likely_ports(std::vector<SeenPort>{{1, 60000}, {2, 2000}, {3, 30000}}, {}),
              IsEmpty());
  EXPECT_THAT(likely_ports(std::vector<SeenPort>{{1, 60000}, {2, 60020}}, {}), IsEmpty());
  EXPECT_THAT(likely_ports(std::vector<SeenPort>{{1, 60001}, {2, 60000}}, {}), IsEmpty());
  EXPECT_THAT(likely_ports(std::vector<SeenPort>{{1, 60001}}, {}), IsEmpty());
  EXPECT_THAT(likely_ports({}, {}), IsEmpty());
}

TEST(PortPlan, GoesThroughEveryPortOnce) {
  SeededRng rng(7);
  PortPlan plan({5000, 0, 80}, rng);
  std::vector<std::uint16_t> first;
  for (int i = 0; i < 4; ++i) first.push_back(plan.next().value());
  EXPECT_THAT(first, ElementsAre(5000, 80, 5000, 80));
  std::set<std::uint16_t> rest;
  while (const auto port = plan.next()) {
    EXPECT_GE(*port, kLowestPort);
    EXPECT_TRUE(rest.insert(*port).second) << *port;
  }
  EXPECT_EQ(rest.size(), kPortCount - 1) << "all but the likely one";
  EXPECT_FALSE(rest.contains(5000));
}

TEST(PortPlan, IsSpreadEvenly) {
  SeededRng rng(1);
  PortPlan plan({}, rng);
  int low = 0;
  for (int i = 0; i < 2000; ++i) low += plan.next().value() < kLowestPort + kPortCount / 2 ? 1 : 0;
  EXPECT_NEAR(low, 1000, 100);
}

TEST(PortPlan, ReadsNoMoreLikelyPortsThanItMay) {
  SeededRng rng(1);
  PortPlan plan(std::vector<std::uint16_t>(1000, 4000), rng);
  for (std::size_t i = 0; i < 2 * kMaxLikelyPorts; ++i) EXPECT_EQ(plan.next(), 4000);
  EXPECT_NE(plan.next(), 4000);
}

}  // namespace
}  // namespace peersock::testing
