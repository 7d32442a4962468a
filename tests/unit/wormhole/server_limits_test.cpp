// What a client can not make the rendezvous server do: each limit has a case that meets it and a
// case that exceeds it.
#include <string>

#include <gtest/gtest.h>

#include "server_script.hpp"
#include "wormhole/server.hpp"

namespace peersock::testing {
namespace {

using nlohmann::json;
using wormhole::ClientFrameReceived;
using wormhole::ServerConfig;

std::string say(int who, const json& request) {
  return std::to_string(who) + "> " + request.dump() + "\n";
}
json add(std::size_t octets) {
  return {{"type", "add"}, {"phase", "p"}, {"body", std::string(octets, '0')}};
}

TEST(ServerLimits, LongestFrame) {
  ServerConfig config;
  config.max_frame = 1000;
  ServerScript script(config);
  script.play("1 joins a\n1> {\"type\":\"open\",\"mailbox\":\"m\"}");
  std::string frame = R"({"type":"list"})";
  frame.resize(1000, ' ');
  script.post(ClientFrameReceived{1, frame});
  script.play("1< nameplates");
  script.post(ClientFrameReceived{1, frame + " "});
  script.play("1< error the message is too long\n1 dropped");
  script.play(say(1, {{"type", "list"}}));
  EXPECT_EQ(script.server().counts().connections, 0U);
}

TEST(ServerLimits, TwoMebibytesPassByDefault) {
  ServerScript script;
  script.play("1 joins a\n1> {\"type\":\"open\",\"mailbox\":\"m\"}");
  script.play(say(1, add(2 * 1024 * 1024)) + "1< message a p " + std::string(2 * 1024 * 1024, '0'));
}

TEST(ServerLimits, NestingIsBounded) {
  ServerScript script;
  script.play("1 joins a");
  const auto nested = [](std::size_t depth) {
    return R"({"type":"list","x":)" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  script.play("1> " + nested(20) + "\n1< nameplates");
  for (const std::size_t depth : {40UL, 100UL, 1000UL, 1'000'000UL}) {
    script.play("1> " + nested(depth) + "\n1< error the message is not JSON");
  }
  script.play("1> " + std::string(1'000'000, '[') + "\n1< error the message is not JSON");
}

TEST(ServerLimits, ValuesAreBounded) {
  ServerScript script;
  script.play("1 joins a");
  std::string frame = R"({"type":"list","x":[0)";
  for (int i = 0; i < 100'000; ++i) frame += ",0";
  script.play("1> " + frame + "]}\n1< error the message is not JSON");
}

TEST(ServerLimits, OctetsThatAreNotUtf8) {
  ServerScript script;
  script.play("1 joins a");
  for (const char* frame : {"{\"type\":\"\xff\"}", "\xc0\x80", R"({"type":"\ud800"})"}) {
    script.post(ClientFrameReceived{1, frame});
    script.play("1< error the message is not JSON");
  }
  script.post(ClientFrameReceived{1, std::string("{\"type\":\"list\"}\0", 16)});
  script.play("1< error the message is not JSON");
  script.post(ClientFrameReceived{1, ""});
  script.play("1< error the message is not JSON");
}

TEST(ServerLimits, NamesAreBounded) {
  const std::string longest(512, 'x');
  const std::string longer(513, 'x');
  ServerScript script;
  script.play("1 connects\n1< welcome {}");
  script.play(say(1, {{"type", "bind"}, {"appid", longer}, {"side", "a"}}) +
              "1< error 'appid' must be a string of at most 512 octets");
  script.play(say(1, {{"type", "bind"}, {"appid", "a"}, {"side", longer}}) +
              "1< error 'side' must be a string of at most 512 octets");
  script.play(say(1, {{"type", "bind"}, {"appid", longest}, {"side", longest}}));
  script.play(say(1, {{"type", "open"}, {"mailbox", longer}}) +
              "1< error 'mailbox' must be a string of at most 512 octets");
  script.play(say(1, {{"type", "close"}, {"mailbox", longer}}) +
              "1< error 'mailbox' must be a string of at most 512 octets");
  script.play(say(1, {{"type", "open"}, {"mailbox", longest}}));
  script.play(say(1, {{"type", "add"}, {"phase", longer}, {"body", ""}}) +
              "1< error 'phase' must be a string of at most 512 octets");
  script.play(say(1, {{"type", "add"}, {"phase", longest}, {"body", "0"}}) + "1< message " +
              longest + ' ' + longest + " 0");
}

TEST(ServerLimits, MessagesInAMailbox) {
  ServerConfig config;
  config.max_messages_per_mailbox = 3;
  ServerScript script(config);
  script.play("1 joins a\n1> {\"type\":\"open\",\"mailbox\":\"m\"}");
  for (int i = 0; i < 3; ++i) script.play(say(1, add(1)) + "1< message a p 0");
  script.play(say(1, add(1)) + "1< error the mailbox is full");
  EXPECT_EQ(script.server().counts().messages, 3U);
  script.play("2 joins a\n2> {\"type\":\"open\",\"mailbox\":\"k\"}");
  script.play(say(2, add(1)) + "2< message a p 0");
}

TEST(ServerLimits, OctetsInAMailbox) {
  ServerConfig config;
  config.max_octets_per_mailbox = 10'000;
  ServerScript script(config);
  script.play("1 joins a\n1> {\"type\":\"open\",\"mailbox\":\"m\"}");
  script.play(say(1, add(20'000)) + "1< error the mailbox is full");
  script.play(say(1, add(9000)) + "1< message a p " + std::string(9000, '0'));
  script.play(say(1, add(1000)) + "1< error the mailbox is full");
}

TEST(ServerLimits, Mailboxes) {
  ServerConfig config;
  config.max_mailboxes = 2;
  ServerScript script(config);
  script.play(R"(
    1 joins a
    1> {"type":"open","mailbox":"m"}
    1> {"type":"claim","nameplate":"4"}
    1< claimed $m
    2 joins b
    2> {"type":"open","mailbox":"k"}
    2< error the server is full, try again later
    2> {"type":"allocate"}
    2< error the server is full, try again later
    2> {"type":"claim","nameplate":"5"}
    2< error the server is full, try again later
    2> {"type":"list"}
    2< nameplates 4
    2> {"type":"open","mailbox":"m"}
    1> {"type":"close"}
    1< closed
    2> {"type":"close"}
    2< closed
    2> {"type":"open","mailbox":"k"})");
}

TEST(ServerLimits, OctetsInAll) {
  ServerConfig config;
  config.max_octets = 20'000;
  ServerScript script(config);
  script.play("1 joins a\n1> {\"type\":\"open\",\"mailbox\":\"m\"}");
  script.play(say(1, add(9000)) + "1< message a p " + std::string(9000, '0'));
  script.play("2 joins a\n2> {\"type\":\"open\",\"mailbox\":\"k\"}");
  script.play(say(2, add(9000)) + "2< message a p " + std::string(9000, '0'));
  script.play(say(2, add(2000)) + "2< error the server is full, try again later");
  script.play("3 joins a\n3> {\"type\":\"open\",\"mailbox\":\"" + std::string(500, 'x') + "\"}\n" +
              "3< error the server is full, try again later");
  EXPECT_LE(script.server().counts().octets, config.max_octets);
  script.play("1> {\"type\":\"close\"}\n1< closed");
  script.play(say(2, add(2000)) + "2< message a p " + std::string(2000, '0'));
}

TEST(ServerLimits, RememberedSides) {
  ServerScript script;
  for (wormhole::ConnectionId who = 1; who <= 100; ++who) {
    script.play(std::to_string(who) + " joins s" + std::to_string(who));
    script.post(ClientFrameReceived{who, R"({"type":"claim","nameplate":"4"})"});
    script.inbox(who).clear();
  }
  const auto octets = script.server().counts().octets;
  script.play("200 joins late\n200> {\"type\":\"claim\",\"nameplate\":\"4\"}\n200< error crowded");
  EXPECT_EQ(script.server().counts().octets, octets);
}

TEST(ServerLimits, ListenersOfOneMailbox) {
  ServerConfig config;
  config.max_listeners_per_mailbox = 2;
  ServerScript script(config);
  script.play(R"(
    1 joins a
    1> {"type":"open","mailbox":"m"}
    2 joins a
    2> {"type":"open","mailbox":"m"}
    3 joins a
    3> {"type":"open","mailbox":"m"}
    1 dropped
    3> {"type":"add","phase":"p","body":"00"}
    2< message a p 00
    3< message a p 00
    1> {"type":"list"}
    1 leaves)");
  EXPECT_EQ(script.server().counts().connections, 2U);
}

}  // namespace
}  // namespace peersock::testing
