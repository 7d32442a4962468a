// Networks as JSON: nothing is lost on the way there and back, and nothing wrong is taken.
#include "scenario_json.hpp"

#include <stdexcept>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "scenarios/scenarios.hpp"

namespace peersock::testing {
namespace {

using nlohmann::ordered_json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

sim::Scenario read_one(ordered_json scenario) {
  auto all = sim::read_scenarios(ordered_json::array({std::move(scenario)}).dump());
  if (all.size() != 1) throw std::logic_error("not one scenario");
  return std::move(all.front());
}

std::string complaint_about(const std::string& text) {
  try {
    (void)sim::read_scenarios(text);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return {};
}

TEST(ScenarioJson, WhatIsWrittenIsReadAgain) {
  auto all = sim::all_scenarios();
  // Those that use every member.
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    for (auto chaos : sim::chaos_scenarios()) {
      chaos.vary(chaos, seed);
      all.push_back(chaos);
    }
  }
  for (const auto& scenario : all) {
    auto network = sim::network_json(scenario);
    network["name"] = scenario.name;
    EXPECT_EQ(sim::network_json(read_one(network)), sim::network_json(scenario)) << scenario.name;
  }
}

TEST(ScenarioJson, EachMemberGetsItsPlace) {
  const auto scenario = read_one(ordered_json::parse(R"({
    "name": "x", "engine": "openssl", "path": "nice", "octets": 77, "relay": true, "expected": ["no_path", "lost"],
    "bound_ms": 1500,
    "listener": {"ipv4": false, "ipv6": true,
      "up": {"delay_ms": 1.5, "jitter_ms": 0.25, "rate_kbit": 3, "queue_ms": 4},
      "down": {"loss": 5.5, "duplicate": 6, "reorder": 7, "black_hole": 1280}},
    "connector": {"nats": [{}, {"mapping": "address-dependent", "filtering": "endpoint-independent",
      "port": "sequential", "hairpin": true, "addresses": 4, "paired": false, "timeout_ms": 30000,
      "udp": false}]}})"));
  EXPECT_EQ(scenario.engine, adapters::QuicEngine::kOpenSsl);
  EXPECT_EQ(scenario.path, adapters::PathPolicy::kNice);
  EXPECT_EQ(scenario.octets, 77U);
  EXPECT_TRUE(scenario.relay);
  EXPECT_THAT(scenario.expected, ElementsAre(sim::Outcome::kNoPath, sim::Outcome::kLost));
  EXPECT_EQ(scenario.bound, std::chrono::milliseconds(1500));
  EXPECT_FALSE(scenario.listener.ipv4);
  EXPECT_TRUE(scenario.listener.ipv6);
  EXPECT_EQ(scenario.listener.up.delay, std::chrono::microseconds(1500));
  EXPECT_EQ(scenario.listener.up.jitter, std::chrono::microseconds(250));
  EXPECT_EQ(scenario.listener.up.rate, 3U);
  EXPECT_EQ(scenario.listener.up.queue, std::chrono::milliseconds(4));
  EXPECT_EQ(scenario.listener.down.loss, 5.5);
  EXPECT_EQ(scenario.listener.down.duplicate, 6);
  EXPECT_EQ(scenario.listener.down.reorder, 7);
  EXPECT_EQ(scenario.listener.down.black_hole, 1280U);
  ASSERT_THAT(scenario.connector.nats, SizeIs(2));
  EXPECT_EQ(scenario.connector.nats[0].filtering, testbed::Dependence::AddressAndPort);
  const sim::NatSpec& nat = scenario.connector.nats[1];
  EXPECT_EQ(nat.mapping, testbed::Dependence::Address);
  EXPECT_EQ(nat.filtering, testbed::Dependence::Independent);
  EXPECT_EQ(nat.ports, testbed::Ports::Sequential);
  EXPECT_TRUE(nat.hairpin);
  EXPECT_EQ(nat.addresses, 4);
  EXPECT_FALSE(nat.paired);
  EXPECT_EQ(nat.timeout, std::chrono::seconds(30));
  EXPECT_FALSE(nat.udp);
}

TEST(ScenarioJson, ExpectsAnythingUnlessItIsSaid) {
  EXPECT_THAT(read_one({{"name", "x"}}).expected, IsEmpty());
}

TEST(ScenarioJson, SaysWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "an array"},
      {"{}", "an array"},
      {"[1]", "not an object"},
      {"[{}]", "has no name"},
      {R"([{"name": ""}])", "name of a scenario cannot be \"\""},
      {R"([{"name": "x"}, {"name": "x"}])", "two scenarios have the name x"},
      {R"([{"name": "x", "delay": 1}])", "a scenario has no delay"},
      {R"([{"name": "x", "octets": -1}])", "octets of a scenario cannot be -1"},
      {R"([{"name": "x", "relay": 1}])", "relay of a scenario cannot be 1"},
      {R"([{"name": "x", "expected": ["fine"]}])", "cannot be \"fine\""},
      {R"([{"name": "x", "expected": [1]}])", "cannot be 1"},
      {R"([{"name": "x", "listener": {"up": {"loss": 101}}}])",
       "loss of up of listener of a scenario cannot be 101"},
      {R"([{"name": "x", "listener": {"up": {"delay_ms": -1}}}])", "cannot be -1"},
      {R"([{"name": "x", "listener": {"up": {"rate_kbit": 1.5}}}])", "cannot be 1.5"},
      {R"([{"name": "x", "listener": {"up": {"speed": 1}}}])", "has no speed"},
      {R"([{"name": "x", "listener": {"nats": [{"mapping": "symmetric"}]}}])",
       "cannot be \"symmetric\""},
      {R"([{"name": "x", "listener": {"nats": [{"mapping": 1}]}}])", "cannot be 1"},
      {R"([{"name": "x", "listener": {"nats": [{"addresses": 0}]}}])", "cannot be 0"},
      {R"([{"name": "x", "listener": {"nats": [{}, {}, {}]}}])", "nats of listener"},
  };
  for (const auto& [text, part] : cases)
    EXPECT_THAT(complaint_about(text), HasSubstr(part)) << text;
}

}  // namespace
}  // namespace peersock::testing
