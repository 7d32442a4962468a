// What a run says of times and throughput is what the network allows.
#include <stdexcept>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenarios/scenarios.hpp"

namespace peersock::testing {
namespace {

using std::chrono::milliseconds;

sim::Scenario over_lines(const testbed::LineConfig& line, adapters::QuicEngine engine) {
  const sim::SiteSpec site{.nats = {{}}, .up = line, .down = line};
  return {.name = "figures",
          .listener = site,
          .connector = site,
          .engine = engine,
          .octets = std::uint64_t{4} << 20};
}

class Figures : public ::testing::TestWithParam<adapters::QuicEngine> {};

TEST_P(Figures, GoodputIsWhatTheLineCarries) {
  // A megabyte a second, of which headers and acknowledgements take some.
  const auto report =
      sim::run(over_lines({.delay = milliseconds(5), .rate = 8000}, GetParam()), {});
  ASSERT_EQ(report.outcome, sim::Outcome::kDirect);
  ASSERT_TRUE(report.octets_per_second);
  EXPECT_LT(*report.octets_per_second, 1e6);
  EXPECT_GT(*report.octets_per_second, 0.7e6);
}

TEST_P(Figures, TheFirstOctetComesAfterTheListeningSocket) {
  const auto near = sim::run(over_lines({.delay = milliseconds(5)}, GetParam()), {});
  const auto far = sim::run(over_lines({.delay = milliseconds(50)}, GetParam()), {});
  ASSERT_TRUE(near.first_octet_seconds && near.connect_seconds);
  ASSERT_TRUE(far.first_octet_seconds && far.connect_seconds);
  EXPECT_GT(*near.first_octet_seconds, *near.connect_seconds);
  // The service is told of the connection, and answers: a round trip over two lines.
  EXPECT_GE(*far.first_octet_seconds, *far.connect_seconds + 0.2);
  EXPECT_LE(*far.first_octet_seconds, *far.connect_seconds + 0.5);
  EXPECT_GT(*far.first_octet_seconds, *near.first_octet_seconds + 0.3);
}

INSTANTIATE_TEST_SUITE_P(Engines, Figures,
                         ::testing::Values(adapters::QuicEngine::kOpenSsl,
                                           adapters::QuicEngine::kNgtcp2));

TEST(NoFigures, AreSaidOfASessionWithoutAPath) {
  auto scenario = over_lines({}, adapters::QuicEngine::kOpenSsl);
  scenario.listener.nats.front().udp = false;
  const auto report = sim::run(scenario, {});
  EXPECT_EQ(report.outcome, sim::Outcome::kNoPath);
  EXPECT_FALSE(report.octets_per_second);
  EXPECT_FALSE(report.first_octet_seconds);
}

}  // namespace
}  // namespace peersock::testing
