#include "app/render_json.hpp"

#include <map>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support/vectors.hpp"

namespace peersock::app {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const PathInfo kPath{.relayed = true,
                     .local_type = "relay",
                     .remote_type = "host",
                     .local_address = "192.0.2.9:5",
                     .remote_address = "[2001:db8::1]:6",
                     .transport = "udp",
                     .reason = RelayReason::kUdpBlockedHere,
                     .split = false,
                     .relay_transport = "tls"};

struct Line {
  Event event;
  std::string json;
};

/// One of each kind, and its line as docs/spec/events.md shows it.
std::vector<Line> all_lines() {
  std::vector<Line> lines;
  const auto add = [&](Event event, std::string json) {
    lines.push_back({std::move(event), std::move(json)});
  };
  add(event::CodeMade{Secret(std::string_view("8-lab-name-blanket"))},
      R"({"v":1,"event":"code_made","code":"8-lab-name-blanket"})");
  add(event::RendezvousJoined{"ws://h/v1"},
      R"({"v":1,"event":"rendezvous_joined","url":"ws://h/v1"})");
  add(event::Motd{"hello"}, R"({"v":1,"event":"motd","text":"hello"})");
  add(event::PeerArrived{"connect"}, R"({"v":1,"event":"peer_arrived","mode":"connect"})");
  add(event::PathChosen{kPath, 1234567ns},
      R"({"v":1,"event":"path_chosen","kind":"relayed","local_type":"relay","remote_type":"host",)"
      R"("local_address":"192.0.2.9:5","remote_address":"[2001:db8::1]:6","transport":"udp",)"
      R"("relay_transport":"tls","datagram_path":"nice","reason":"udp_blocked_here",)"
      R"("round_trip_ms":1.235})");
  add(event::PathRestarted{RestartReason::kSilent},
      R"({"v":1,"event":"path_restarted","reason":"silent"})");
  add(event::Authenticated{"ngtcp2"}, R"({"v":1,"event":"authenticated","engine":"ngtcp2"})");
  add(event::Listening{"127.0.0.1:80"}, R"({"v":1,"event":"listening","address":"127.0.0.1:80"})");
  add(event::ConnectionOpened{3}, R"({"v":1,"event":"connection_opened","id":3})");
  add(event::ConnectionClosed{3, CloseReason::kSessionLost, 5, UINT64_MAX},
      R"({"v":1,"event":"connection_closed","id":3,"reason":"session_lost","bytes_sent":5,)"
      R"("bytes_received":18446744073709551615})");
  add(event::PeerLeft{}, R"({"v":1,"event":"peer_left"})");
  add(event::Warning{"slow"}, R"({"v":1,"event":"warning","message":"slow"})");
  add(event::Failed{{ErrorKind::kNoPath, "no"}},
      R"({"v":1,"event":"error","kind":"no_path","message":"no"})");
  add(event::Ended{ExitCode::kInterrupted}, R"({"v":1,"event":"ended","exit_code":130})");
  add(event::MailboxListening{"ws://127.0.0.1:4000/v1"},
      R"({"v":1,"event":"mailbox_listening","url":"ws://127.0.0.1:4000/v1"})");
  return lines;
}

TEST(RenderJson, EveryEventHasItsLine) {
  const auto lines = all_lines();
  ASSERT_EQ(lines.size(), std::variant_size_v<Event>);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(lines[i].event.index(), i) << "a kind of event is left out";
    EXPECT_EQ(render_json(lines[i].event), lines[i].json);
  }
}

TEST(RenderJson, TheSpecificationNamesEveryEventAndMember) {
  const std::string text = peersock::testing::read_specification("events.md");
  for (const Line& line : all_lines()) {
    const auto json = nlohmann::json::parse(line.json);
    for (const auto& [member, value] : json.items()) {
      EXPECT_THAT(text, HasSubstr("`" + member + "`"));
      if (member != "event") continue;
      EXPECT_THAT(text, HasSubstr("`" + value.get<std::string>() + "`"));
    }
  }
  for (int kind = 0; kind <= static_cast<int>(ErrorKind::kInterrupted); ++kind) {
    EXPECT_THAT(text, HasSubstr("`" + std::string(to_string(ErrorKind(kind))) + "`"));
  }
  for (int reason = 0; reason <= static_cast<int>(CloseReason::kSessionLost); ++reason) {
    EXPECT_THAT(text, HasSubstr("`" + std::string(to_string(CloseReason(reason))) + "`"));
  }
}

/// The members of each event, by name.
std::map<std::string, std::set<std::string>> members_by_event() {
  std::map<std::string, std::set<std::string>> members;
  for (const Line& line : all_lines()) {
    const auto json = nlohmann::json::parse(line.json);
    for (const auto& item : json.items()) members[json.at("event")].insert(item.key());
  }
  return members;
}

TEST(RenderJson, TheExampleInTheSpecificationIsTrue) {
  const auto members = members_by_event();
  std::istringstream text(peersock::testing::read_specification("events.md"));
  int examples = 0;
  for (std::string line; std::getline(text, line);) {
    if (!line.starts_with(R"(    {"v":1)") || line.ends_with("…}")) continue;
    const auto json = nlohmann::json::parse(line);
    std::set<std::string> shown;
    for (const auto& item : json.items()) shown.insert(item.key());
    EXPECT_EQ(shown, members.at(json.at("event"))) << line;
    ++examples;
  }
  EXPECT_GT(examples, 8);
}

TEST(RenderJson, ADirectPathAndAnUnknownRoundTrip) {
  PathInfo direct = kPath;
  direct.relayed = false;
  direct.split = true;
  const std::string line = render_json(event::PathChosen{direct, std::nullopt});
  EXPECT_THAT(line, HasSubstr(R"("kind":"direct")"));
  EXPECT_THAT(line, HasSubstr(R"("datagram_path":"split")"));
  EXPECT_THAT(line, HasSubstr(R"("round_trip_ms":null)"));
}

TEST(RenderJson, TellsWhyAPathIsReplaced) {
  EXPECT_THAT(render_json(event::PathRestarted{RestartReason::kBroken}), HasSubstr(R"("broken")"));
  EXPECT_THAT(render_json(event::PathRestarted{RestartReason::kNetwork}),
              HasSubstr(R"("network")"));
  EXPECT_THAT(render_json(event::PathRestarted{RestartReason::kPeer}), HasSubstr(R"("peer")"));
}

TEST(RenderJson, AnyOctetsStayOneLineOfValidJson) {
  std::string octets;
  for (int octet = 0; octet < 256; ++octet) octets.push_back(static_cast<char>(octet));
  PathInfo path{false, octets, octets, octets, octets, octets};
  path.relay_transport = octets;
  std::vector<Event> events;
  events.emplace_back(event::CodeMade{Secret(std::string_view(octets))});
  events.emplace_back(event::RendezvousJoined{octets});
  events.emplace_back(event::Motd{octets});
  events.emplace_back(event::PeerArrived{octets});
  events.emplace_back(event::PathChosen{path, 1ms});
  events.emplace_back(event::Listening{octets});
  events.emplace_back(event::Warning{octets});
  events.emplace_back(event::Failed{{ErrorKind::kInternal, octets}});
  events.emplace_back(event::MailboxListening{octets});
  for (const Event& event : events) {
    const std::string line = render_json(event);
    EXPECT_THAT(line, Not(HasSubstr("\n")));
    EXPECT_TRUE(nlohmann::json::accept(line)) << line;
    EXPECT_THAT(line, HasSubstr("\uFFFD"));
  }
}

TEST(RenderJson, TracesAreEventsToo) {
  const std::vector<std::string_view> outputs{"SendMessage", "Succeeded"};
  EXPECT_EQ(render_json(TraceStep{"auth", "AwaitThird", "MessageReceived", "Proven", outputs}),
            R"({"v":1,"event":"trace","machine":"auth","state":"AwaitThird",)"
            R"("input":"MessageReceived","next":"Proven","outputs":["SendMessage","Succeeded"]})");
  EXPECT_THAT(render_json(TraceStep{"auth", "Idle", "Started", "AwaitFirst", {}}),
              HasSubstr(R"("outputs":[])"));
}

}  // namespace
}  // namespace peersock::app
