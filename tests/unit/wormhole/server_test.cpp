// What the frames of the rendezvous server hold, and how it chooses nameplates and mailbox ids.
#include "wormhole/server.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "server_script.hpp"

namespace peersock::testing {
namespace {

using nlohmann::json;
using wormhole::ClientAddress;
using wormhole::ClientConnected;
using wormhole::ClientFrameReceived;
using wormhole::ServerConfig;

/// The frames that answer `request`, acknowledgement left out.
std::deque<json> ask(ServerScript& script, wormhole::ConnectionId who, const json& request) {
  script.inbox(who).clear();
  script.post(ClientFrameReceived{who, request.dump()});
  return script.inbox(who);
}

TEST(ServerFrames, WelcomeTellsMotdErrorAndAddress) {
  ServerConfig config;
  config.motd = "Hello \"you\"";
  config.welcome_error = "closed for today";
  config.advertised_version = "0.18.0";
  ServerScript script(config);
  script.post(ClientConnected{1, ClientAddress{ClientAddress::Family::kIpv6, "2001:db8::1", 4711}});
  script.post(ClientConnected{2, ClientAddress{ClientAddress::Family::kIpv4, "192.0.2.7", 80}});
  const json first = script.inbox(1).at(0);
  EXPECT_EQ(first.at("type"), "welcome");
  EXPECT_EQ(first.at("welcome"),
            (json{{"motd", "Hello \"you\""},
                  {"error", "closed for today"},
                  {"current_cli_version", "0.18.0"},
                  {"your-address", {{"ipv6", "2001:db8::1"}, {"port", 4711}}}}));
  EXPECT_EQ(script.inbox(2).at(0).at("welcome").at("your-address"),
            (json{{"ipv4", "192.0.2.7"}, {"port", 80}}));
}

TEST(ServerFrames, ErrorsRepeatTheOriginal) {
  ServerScript script;
  script.play("1 joins a");
  const json request = {{"type", "nonsense"}, {"id", 7}, {"extra", {{"x", json::array({1})}}}};
  const auto heard = ask(script, 1, request);
  ASSERT_EQ(heard.size(), 1U);
  EXPECT_EQ(heard[0].at("orig"), request);
}

TEST(ServerFrames, LongOriginalsAreNotRepeated) {
  ServerScript script;
  script.play("1 joins a");
  const auto heard = ask(script, 1, {{"type", "nonsense"}, {"x", std::string(100'000, 'x')}});
  ASSERT_EQ(heard.size(), 1U);
  EXPECT_EQ(heard[0].at("orig"), json::object());
}

TEST(ServerFrames, TimesAreSecondsSinceTheEpoch) {
  ServerScript script;
  script.play(R"(
    1 joins a
    1> {"type":"open","mailbox":"m"})");
  script.pass_time(1500ms);
  auto live = ask(script, 1, {{"type", "add"}, {"phase", "p"}, {"body", "00"}, {"id", "i"}});
  ASSERT_EQ(live.size(), 1U);
  EXPECT_DOUBLE_EQ(live[0].at("server_rx").get<double>(), 1'700'000'001.5);
  EXPECT_DOUBLE_EQ(live[0].at("server_tx").get<double>(), 1'700'000'001.5);
  EXPECT_EQ(live[0].at("id"), "i");
  script.inbox(1).clear();

  script.pass_time(1s);
  script.play("2 joins b");
  auto replayed = ask(script, 2, {{"type", "open"}, {"mailbox", "m"}});
  ASSERT_EQ(replayed.size(), 1U);
  EXPECT_DOUBLE_EQ(replayed[0].at("server_tx").get<double>(), 1'700'000'002.5);
  live[0].erase("server_tx");
  replayed[0].erase("server_tx");
  EXPECT_EQ(replayed[0], live[0]);
}

TEST(ServerFrames, MessageIdMayBeMissing) {
  ServerScript script;
  script.play(R"(
    1 joins a
    1> {"type":"open","mailbox":"m"})");
  const auto heard = ask(script, 1, {{"type", "add"}, {"phase", "p"}, {"body", "00"}});
  EXPECT_TRUE(heard.at(0).at("id").is_null());
}

TEST(ServerFrames, SameConnectionTwiceIsOne) {
  ServerScript script;
  script.play(R"(
    1 connects
    1< welcome {}
    1 connects
    2> {"type":"ping","ping":1}
    2 leaves)");
  EXPECT_EQ(script.server().counts().connections, 1U);
}

// --- nameplates and ids

TEST(ServerNameplates, OnlyAsciiDigitsAreTaken) {
  struct Case {
    std::string nameplate;
    bool good;
  };
  const Case cases[] = {
      {"1", true},
      {"0", true},
      {"007", true},
      {std::string(40, '9'), true},
      {"", false},
      {"1\n", false},
      {"-1", false},
      {std::string(41, '9'), false},
      {"1 ", false},
      {"four", false},
      {"1.0", false},
      {"\u0664\u0662", false},
      {std::string("1\0", 2), false},
      {"\uff11", false},
  };
  for (const Case& c : cases) {
    ServerScript script;
    script.play("1 joins a");
    const auto heard = ask(script, 1, {{"type", "claim"}, {"nameplate", c.nameplate}});
    ASSERT_EQ(heard.size(), 1U);
    EXPECT_EQ(heard[0].at("type") == "claimed", c.good) << heard[0];
  }
  ServerScript script;
  script.play(R"(
    1 joins a
    1> {"type":"claim","nameplate":4}
    1< error 'nameplate' must be a string of 1 to 40 digits)");
}

/// Allocates `count` nameplates, each on a connection of its own.
std::vector<std::string> allocate(ServerScript& script, std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t i = 1; i <= count; ++i) {
    script.play(std::to_string(i) + " joins s" + std::to_string(i));
    const auto heard = ask(script, i, {{"type", "allocate"}});
    names.push_back(heard.at(0).value("nameplate", "(none)"));
    script.inbox(i).clear();
  }
  return names;
}

TEST(ServerNameplates, AllocationTakesTheShortestFreeLength) {
  ServerScript script;
  const auto names = allocate(script, 1010);
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    const int number = std::stoi(names[i]);
    EXPECT_EQ(std::to_string(number), names[i]);
    const int begin = i < 9 ? 1 : i < 99 ? 10 : i < 999 ? 100 : 1000;
    const int end = i < 999 ? begin * 10 : 1000000;
    EXPECT_TRUE(number >= begin && number < end) << i << ": " << number;
  }
}

TEST(ServerNameplates, AllocationIsUniform) {
  std::map<std::string, int> drawn;
  for (std::uint64_t seed = 0; seed < 900; ++seed) {
    ServerScript script({}, seed);
    ++drawn[allocate(script, 1).at(0)];
  }
  EXPECT_EQ(drawn.size(), 9U);
  for (const auto& [name, times] : drawn) {
    // 100 expected; five standard deviations are 47.
    EXPECT_GT(times, 53) << name;
    EXPECT_LT(times, 147) << name;
  }
}

TEST(ServerNameplates, FreedNumbersAreUsedAgain) {
  ServerScript script;
  const auto names = allocate(script, 9);
  script.play("4> {\"type\":\"release\",\"nameplate\":\"" + names[3] + "\"}\n4< released");
  script.play("20 joins x\n20> {\"type\":\"allocate\"}\n20< allocated " + names[3]);
}

TEST(ServerNameplates, LeadingZerosAreOtherNames) {
  ServerScript script;
  script.play(R"(
    101 joins a
    101> {"type":"claim","nameplate":"04"}
    101< claimed $m
    102 joins a
    102> {"type":"claim","nameplate":"4"}
    102< claimed $k
    102> {"type":"list"}
    102< nameplates 04 4)");
  const auto names = allocate(script, 8);
  EXPECT_EQ(std::count(names.begin(), names.end(), "4"), 0);
  EXPECT_TRUE(std::all_of(names.begin(), names.end(),
                          [](const std::string& name) { return name.size() == 1; }));
}

TEST(ServerMailboxes, IdsAreThirteenLettersOfBase32) {
  ServerScript script;
  script.play("1 joins a");
  const auto heard = ask(script, 1, {{"type", "claim"}, {"nameplate", "4"}});
  const auto id = heard.at(0).at("mailbox").get<std::string>();
  EXPECT_EQ(id.size(), 13U);
  EXPECT_EQ(id.find_first_not_of("abcdefghijklmnopqrstuvwxyz234567"), std::string::npos) << id;
}

// --- moods and counts

TEST(ServerCounts, MailboxesEndAsTheirSidesSay) {
  struct Case {
    const char* first;
    const char* second;  ///< null: nobody came
    wormhole::Server::Outcomes expected;
  };
  const Case cases[] = {
      {"happy", "happy", {.happy = 1}},   {"happy", nullptr, {.lonely = 1}},
      {"lonely", "happy", {.lonely = 1}}, {"happy", "errory", {.errory = 1}},
      {"errory", "scary", {.scary = 1}},  {"scary", "errory", {.scary = 1}},
      {"odd", "odd", {.happy = 1}},
  };
  for (const Case& c : cases) {
    ServerScript script;
    script.play("1 joins a\n1> {\"type\":\"open\",\"mailbox\":\"m\"}");
    if (c.second != nullptr) script.play("2 joins b\n2> {\"type\":\"open\",\"mailbox\":\"m\"}");
    (void)ask(script, 1, {{"type", "close"}, {"mood", c.first}});
    if (c.second != nullptr) (void)ask(script, 2, {{"type", "close"}, {"mood", c.second}});
    const auto counts = script.server().counts();
    EXPECT_EQ(counts.mailboxes, 0U);
    EXPECT_EQ(counts.outcomes, c.expected) << c.first;
  }
}

TEST(ServerCounts, PrunedAndCrowdedAreCounted) {
  ServerScript script;
  script.play(R"(
    1 joins a
    1> {"type":"open","mailbox":"idle"}
    2 joins a
    2> {"type":"open","mailbox":"m"}
    3 joins b
    3> {"type":"open","mailbox":"m"}
    4 joins c
    4> {"type":"open","mailbox":"m"}
    4< error crowded
    1 leaves
    2 leaves
    3 leaves
    4 leaves
    after 1200)");
  EXPECT_EQ(script.server().counts().outcomes,
            (wormhole::Server::Outcomes{.pruney = 1, .crowded = 1}));
}

TEST(ServerCounts, NothingRemainsWhenAllHaveLeft) {
  ServerScript script;
  script.play(R"(
    1 joins a
    1> {"type":"claim","nameplate":"4"}
    1< claimed $m
    1> {"type":"open","mailbox":"$m"}
    1> {"type":"add","phase":"p","body":"0001"}
    1< message a p 0001)");
  auto counts = script.server().counts();
  EXPECT_EQ(counts.connections, 1U);
  EXPECT_EQ(counts.nameplates, 1U);
  EXPECT_EQ(counts.mailboxes, 1U);
  EXPECT_EQ(counts.messages, 1U);
  EXPECT_GT(counts.octets, 0U);
  EXPECT_TRUE(script.server().deadline());
  script.play(R"(
    1> {"type":"close"}
    1< closed
    1 leaves)");
  counts = script.server().counts();
  EXPECT_EQ(counts.connections, 0U);
  EXPECT_EQ(counts.nameplates, 0U);
  EXPECT_EQ(counts.mailboxes, 0U);
  EXPECT_EQ(counts.messages, 0U);
  EXPECT_EQ(counts.octets, 0U);
  EXPECT_FALSE(script.server().deadline());
}

TEST(ServerDeadline, AStaleTimerChangesNothing) {
  ServerScript script;
  script.play("1 joins a\n1> {\"type\":\"open\",\"mailbox\":\"m\"}\n1 leaves");
  const auto due = script.server().deadline();
  script.post(DeadlineReached{});
  EXPECT_EQ(script.server().deadline(), due);
  EXPECT_EQ(script.server().counts().mailboxes, 1U);
}

TEST(ServerList, CanBeSwitchedOff) {
  ServerConfig config;
  config.allow_list = false;
  ServerScript script(config);
  script.play(R"(
    1 joins a
    1> {"type":"claim","nameplate":"4"}
    1< claimed $m
    1> {"type":"list"}
    1< nameplates)");
}

}  // namespace
}  // namespace peersock::testing
