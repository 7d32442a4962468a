// What scenarios say is what happens.
#include <map>

#include <gmock/gmock.h>

#include "scenarios/scenarios.hpp"
#include "servers.hpp"

namespace peersock::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

const sim::SiteSpec kHome{.nats = {{.ports = testbed::Ports::Random}}};

TEST(Scenarios, HaveNamesOfTheirOwnAndATime) {
  std::map<std::string, int> names;
  for (const auto& scenario : sim::all_scenarios()) {
    ++names[scenario.name];
    EXPECT_GT(scenario.bound, scenario.idle) << scenario.name;
  }
  for (const auto& [name, count] : names) EXPECT_EQ(count, 1) << name;
}

TEST(Scenarios, UseTheSocketBesideLibnicesUnlessToldOtherwise) {
  for (const auto policy : {adapters::PathPolicy::kAuto, adapters::PathPolicy::kNice}) {
    for (const bool ipv6 : {false, true}) {
      const sim::SiteSpec site{.nats = kHome.nats, .ipv6 = ipv6};
      const sim::Scenario scenario{
          .name = "paths", .listener = site, .connector = site, .path = policy, .octets = 20000};
      const auto report = sim::run(scenario, {});
      EXPECT_TRUE(sim::passed(scenario, report));
      EXPECT_EQ(report.listener.split, policy == adapters::PathPolicy::kAuto) << ipv6;
      EXPECT_EQ(report.connector.split, policy == adapters::PathPolicy::kAuto) << ipv6;
    }
  }
}

TEST(Scenarios, LeaveRelayedPathsToLibnice) {
  const sim::SiteSpec hard{
      .nats = {{.mapping = testbed::Dependence::AddressAndPort, .ports = testbed::Ports::Random}}};
  const sim::Scenario scenario{.name = "relayed",
                               .listener = hard,
                               .connector = hard,
                               .octets = 20000,
                               .relay = true,
                               .expected = {sim::Outcome::kRelayed}};
  const auto report = sim::run(scenario, {});
  EXPECT_TRUE(sim::passed(scenario, report));
  EXPECT_FALSE(report.listener.split);
  EXPECT_FALSE(report.connector.split);
}

TEST(Scenarios, AreSilentForAsLongAsTheySay) {
  const auto report = sim::run(
      {.name = "silent", .listener = kHome, .connector = kHome, .idle = 60s, .bound = 120s}, {});
  EXPECT_EQ(report.outcome, sim::Outcome::kDirect);
  EXPECT_GT(report.virtual_seconds, 60);
  EXPECT_LT(report.virtual_seconds, 65);
}

TEST(Scenarios, FailWhenAStepDoesNotCome) {
  const sim::Scenario scenario{
      .name = "no-such-step",
      .listener = kHome,
      .connector = kHome,
      .happenings = {{.what = sim::What::kListenerInterrupted,
                      .when = sim::When::kStep,
                      .step = {sim::Who::kListener, "wormhole", "Dreaming"}}}};
  const auto report = sim::run(scenario, {});
  EXPECT_FALSE(sim::passed(scenario, report));
  EXPECT_THAT(report.violations,
              ElementsAre("the machine wormhole of the listener was never in the state Dreaming"));
}

TEST(Scenarios, FailWhenNobodySaysWhatHasToBeSaid) {
  const sim::Scenario scenario{.name = "silent",
                               .listener = kHome,
                               .connector = kHome,
                               .octets = 1000,
                               .names = {{.name = sim::kStunName}},
                               .says = "the moon is full"};
  const auto report = sim::run(scenario, {});
  EXPECT_THAT(
      report.violations,
      ElementsAre(StartsWith("nobody said \"the moon is full\", but \"The name of the STUN")));
}

TEST(Scenarios, HappenAtTheirStep) {
  const sim::Scenario scenario{
      .name = "interrupted-early",
      .listener = kHome,
      .connector = kHome,
      .happenings = {{.what = sim::What::kConnectorInterrupted,
                      .when = sim::When::kStep,
                      .step = {sim::Who::kConnector, "wormhole", "Opening"}}},
      .expected = {sim::Outcome::kLost},
      .bound = 300s};
  const auto report = sim::run(scenario, {});
  EXPECT_TRUE(sim::passed(scenario, report));
  EXPECT_EQ(report.connector.exit, 130);
  EXPECT_FALSE(report.connector.authenticated);
}

TEST(Scenarios, RunSeveralSessionsBesideEachOther) {
  const sim::Scenario scenario{.name = "crowd",
                               .listener = kHome,
                               .connector = kHome,
                               .octets = 20000,
                               .pairs = 2,
                               .sessions = 2};
  const auto report = sim::run(scenario, {});
  EXPECT_TRUE(sim::passed(scenario, report));
  EXPECT_THAT(report.violations, IsEmpty());
}

TEST(Scenarios, JudgeEverySessionOfACrowd) {
  // The other pairs go on when the first one is interrupted, and that was not expected.
  const sim::Scenario scenario{
      .name = "crowd",
      .listener = kHome,
      .connector = kHome,
      .pairs = 2,
      .happenings = {{.what = sim::What::kListenerInterrupted, .when = sim::When::kAuthenticated}},
      .expected = {sim::Outcome::kLost}};
  const auto report = sim::run(scenario, {});
  EXPECT_EQ(report.outcome, sim::Outcome::kDirect);
  EXPECT_FALSE(sim::passed(scenario, report));
}

TEST(Scenarios, KeepASessionWhenAHostMoves) {
  const sim::Scenario scenario{
      .name = "moves",
      .listener = kHome,
      .connector = kHome,
      .happenings = {{.what = sim::What::kConnectorMoves, .when = sim::When::kHalfWay}},
      .idle = 20s};
  const auto report = sim::run(scenario, {});
  EXPECT_TRUE(sim::passed(scenario, report)) << sim::to_string(report.outcome);
}

}  // namespace
}  // namespace peersock::testing
