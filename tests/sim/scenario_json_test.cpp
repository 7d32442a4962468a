// Networks as JSON: nothing is lost on the way there and back, and nothing wrong is taken.
#include "scenario_json.hpp"

#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "scenarios/scenarios.hpp"

namespace peersock::testing {
namespace {

using nlohmann::ordered_json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

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

/// Those of the tables, and what 200 seeds make of those that depend on one.
std::vector<sim::Scenario> everything() {
  auto all = sim::all_scenarios();
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    for (auto varied : sim::chaos_scenarios()) {
      varied.vary(varied, seed);
      varied.name += fmt::format("/{}", seed);
      all.push_back(std::move(varied));
    }
  }
  for (auto& scenario : all) scenario.vary = nullptr;  // a file has no code
  return all;
}

TEST(ScenarioJson, WhatIsWrittenIsReadAgain) {
  const auto all = everything();
  auto written = ordered_json::array();
  for (const auto& scenario : all) written.push_back(sim::scenario_json(scenario));
  const auto read = sim::read_scenarios(written.dump());
  ASSERT_EQ(read.size(), all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_TRUE(read[i] == all[i]) << written[i].dump() << "\n" << sim::scenario_json(read[i]);
  }
}

TEST(ScenarioJson, RunsAgainAsItWasRun) {
  std::set<std::string> chosen = {"plain",
                                  "plain-openssl",
                                  "bursts-long",
                                  "many/relayed",
                                  "relay-tcp/lossy",
                                  "step/pauses/connector-ice-checking",
                                  "roams/to-relay",
                                  "roams/apart-3",
                                  "clock/listener/half-way/years-back",
                                  "mapping-timeout/5-random",
                                  "turmoil/3",
                                  "turmoil/11",
                                  "chaos/5"};
  for (const auto& scenario : everything()) {
    if (chosen.erase(scenario.name) == 0) continue;
    const sim::RunOptions options{.seed = 11, .pcap_folder = {}};
    const auto from_table = sim::run(scenario, options);
    const auto from_file = sim::run(read_one(sim::scenario_json(scenario)), options);
    EXPECT_EQ(from_file.digest, from_table.digest) << scenario.name;
    EXPECT_EQ(from_file.outcome, from_table.outcome) << scenario.name;
    EXPECT_EQ(from_file.virtual_seconds, from_table.virtual_seconds) << scenario.name;
  }
  EXPECT_THAT(chosen, IsEmpty());
}

TEST(ScenarioJson, EachMemberGetsItsPlace) {
  const auto scenario = read_one(ordered_json::parse(R"({
    "name": "x", "first": "connector", "engine": "openssl", "path": "nice", "octets": 77, "relay": true, "relay_tcp": true, "pairs": 2,
    "sessions": 3, "idle_ms": 0.25, "expected": ["no_path", "lost"], "bound_ms": 1500,
    "listener": {"ipv4": false, "ipv6": true,
      "up": {"delay_ms": 1.5, "jitter_ms": 0.25, "rate_kbit": 3, "queue_ms": 4,
             "bursts": {"begin": 11, "end": 12, "loss": 13}},
      "down": {"loss": 5.5, "duplicate": 6, "reorder": 7, "black_hole": 1280}},
    "connector": {"nats": [{}, {"mapping": "address-dependent", "filtering": "endpoint-independent",
      "port": "sequential", "hairpin": true, "addresses": 4, "paired": false, "timeout_ms": 30000,
      "udp": false}]},
    "listener_next": {"ipv6": true}, "connector_next": {"nats": [{"addresses": 9}]},
    "happenings": [
      {"what": "mailbox-down", "when": "step", "delay_ms": 3, "lasts_ms": 86400000,
       "step": {"who": "connector", "machine": "ice", "state": "Checking"}},
      {"what": "connector-clock-jumps", "when": "half-way", "lasts_ms": -1000}]})"));
  using namespace std::chrono_literals;
  const sim::Scenario wanted{
      .name = "x",
      .listener =
          {.up = {.delay = 1500us,
                  .jitter = 250us,
                  .rate = 3,
                  .queue = 4ms,
                  .bursts = {.begin = 11, .end = 12, .loss = 13}},
           .down = {.delay = 10ms, .loss = 5.5, .duplicate = 6, .reorder = 7, .black_hole = 1280},
           .ipv4 = false,
           .ipv6 = true},
      .connector = {.nats = {{},
                             {.mapping = testbed::Dependence::Address,
                              .filtering = testbed::Dependence::Independent,
                              .ports = testbed::Ports::Sequential,
                              .hairpin = true,
                              .addresses = 4,
                              .paired = false,
                              .timeout = 30s,
                              .udp = false}}},
      .first = sim::Who::kConnector,
      .engine = adapters::QuicEngine::kOpenSsl,
      .path = adapters::PathPolicy::kNice,
      .octets = 77,
      .relay = true,
      .relay_tcp = true,
      .pairs = 2,
      .sessions = 3,
      .happenings = {{.what = sim::What::kMailboxDown,
                      .when = sim::When::kStep,
                      .step = {sim::Who::kConnector, "ice", "Checking"},
                      .delay = 3ms,
                      .lasts = sim::kForEver},
                     {.what = sim::What::kConnectorClockJumps,
                      .when = sim::When::kHalfWay,
                      .lasts = -1s}},
      .listener_next = sim::SiteSpec{.ipv6 = true},
      .connector_next = sim::SiteSpec{.nats = {{.addresses = 9}}},
      .idle = 250us,
      .expected = {sim::Outcome::kNoPath, sim::Outcome::kLost},
      .bound = 1500ms};
  EXPECT_TRUE(scenario == wanted) << sim::scenario_json(scenario) << "\n"
                                  << sim::scenario_json(wanted);
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
      {R"([{"name": "x", "listener": {"nats": [{"addresses": 251}]}}])", "cannot be 251"},
      {R"([{"name": "x", "listener": {"nats": [{},{},{},{},{},{},{},{},{}]}}])",
       "nats of listener of a scenario cannot be more than 8"},
      {R"([{"name": "x", "listener": {"up": {"bursts": {"end": 101}}}}])",
       "end of bursts of up of listener of a scenario cannot be 101"},
      {R"([{"name": "x", "listener": null}])", "listener of a scenario is not an object"},
      {R"([{"name": "x", "listener_next": []}])", "listener_next of a scenario is not an object"},
      {R"([{"name": "x", "sessions": 0}])", "sessions of a scenario cannot be 0"},
      {R"([{"name": "x", "pairs": 51}])", "pairs of a scenario cannot be 51"},
      {R"([{"name": "x", "pairs": 2.5}])", "pairs of a scenario cannot be 2.5"},
      {R"([{"name": "x", "octets": 18446744073709551615}])", "octets of a scenario cannot be 1844"},
      {R"([{"name": "x", "idle_ms": 1e300}])", "idle_ms of a scenario cannot be 1e+300"},
      {R"([{"name": "x", "octets": [1]}])", "octets of a scenario cannot be an array"},
      {R"([{"name": "x", "octets": {}}])", "octets of a scenario cannot be an object"},
      {R"([{"name": "x", "happenings": {}}])", "happenings of a scenario cannot be an object"},
      {R"([{"name": "x", "happenings": [{"what": "rain"}]}])",
       "what of happenings of a scenario cannot be \"rain\""},
      {R"([{"name": "x", "happenings": [{"what": "mailbox-down", "lasts_ms": -1}]}])",
       "lasts_ms of happenings of a scenario cannot be less than 0 for mailbox-down"},
      {R"([{"name": "x", "happenings": [{"when": "step"}]}])", "exactly when it is at a step"},
      {R"([{"name": "x", "happenings": [{"when": "step", "step": {"machine": "ice"}}]}])",
       "exactly when it is at a step"},
      {R"([{"name": "x", "happenings": [{"step": {"machine": "ice", "state": "Checking"}}]}])",
       "exactly when it is at a step"},
  };
  for (const auto& [text, part] : cases)
    EXPECT_THAT(complaint_about(text), HasSubstr(part)) << text;
}

TEST(ScenarioJson, SaysItOfSomethingThatHasNoEnd) {
  const std::string deep(1'000'000, '[');
  EXPECT_THAT(complaint_about(deep), HasSubstr("an array"));
  EXPECT_THAT(complaint_about(R"([{"name": )" + deep + std::string(deep.size(), ']') + "}]"),
              HasSubstr("name of a scenario cannot be an array"));
  std::string many = R"([{"name": "x", "happenings": [{})";
  for (int i = 0; i < 100; ++i) many += ",{}";
  EXPECT_THAT(complaint_about(many + "]}]"),
              HasSubstr("happenings of a scenario cannot be more than 100"));
}

}  // namespace
}  // namespace peersock::testing
