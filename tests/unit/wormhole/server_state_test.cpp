// What the rendezvous server asks to be stored, and what a server that is made of it does.
#include <string>

#include <gtest/gtest.h>

#include "server_script.hpp"
#include "support/state_model.hpp"

namespace peersock::testing {
namespace {

using namespace peersock::wormhole;  // NOLINT(google-build-using-namespace)

ServerConfig storing() {
  ServerConfig config;
  config.store_changes = true;
  return config;
}

ServerState stored(const ServerScript& script) {
  StateModel model;
  for (const StateChange& change : script.changes()) EXPECT_TRUE(model.apply(change));
  return model.state();
}

/// Two sides in the middle of an exchange: claimed, opened, one message each, one has released.
constexpr const char* kExchange = R"(
  1 joins a
  1> {"type":"claim","nameplate":"4"}
  1< claimed $m
  1> {"type":"open","mailbox":"$m"}
  1> {"type":"add","phase":"pake","body":"aa","id":"i"}
  1< message a pake aa
  2 joins b
  2> {"type":"claim","nameplate":"4"}
  2< claimed $m
  2> {"type":"open","mailbox":"$m"}
  2< message a pake aa
  2> {"type":"add","phase":"pake","body":"bb","id":2}
  1< message b pake bb
  2< message b pake bb
  2> {"type":"release"}
  2< released)";

TEST(ServerState, ChangesLeadToTheState) {
  ServerScript script(storing());
  script.play(kExchange);
  const ServerState state = script.server().state();
  EXPECT_EQ(stored(script), state);
  ASSERT_EQ(state.mailboxes.size(), 1U);
  const StoredMailbox& mailbox = state.mailboxes.front();
  EXPECT_EQ(mailbox.nameplate, "4");
  EXPECT_EQ(mailbox.sides.size(), 2U);
  ASSERT_EQ(mailbox.messages.size(), 2U);
  EXPECT_EQ(mailbox.messages[0].id, "i");
  EXPECT_EQ(mailbox.messages[1].id, 2);
  ASSERT_EQ(state.nameplates.size(), 1U);
  EXPECT_EQ(state.nameplates.front().claims, (std::vector<StoredClaim>{{"a", true}, {"b", false}}));
}

TEST(ServerState, NothingIsSaidUnlessAskedFor) {
  ServerScript script;
  script.play(kExchange);
  EXPECT_TRUE(script.changes().empty());
}

TEST(ServerState, AnEndLeavesNothing) {
  ServerScript script(storing());
  script.play(std::string(kExchange) + R"(
  1> {"type":"close","mood":"happy"}
  1< closed
  2> {"type":"close","mood":"scary"}
  2< closed)");
  EXPECT_EQ(script.server().state(), ServerState{});
  EXPECT_EQ(stored(script), ServerState{});
}

TEST(ServerState, APrunedMailboxIsErased) {
  ServerScript script(storing());
  script.play(std::string(kExchange) + R"(
  1 leaves
  2 leaves
  after 1200)");
  EXPECT_EQ(stored(script), ServerState{});
}

TEST(ServerState, ARestartedServerGoesOnInTheMiddle) {
  ServerScript before(storing());
  before.play(kExchange);
  ServerScript after(storing(), before.server().state());
  EXPECT_EQ(after.server().state(), before.server().state());
  EXPECT_EQ(after.server().counts().octets, before.server().counts().octets);
  after.play(R"(
    11 joins a
    11> {"type":"claim","nameplate":"4"}
    11< claimed $m
    11> {"type":"open","mailbox":"$m"}
    11< message a pake aa
    11< message b pake bb
    12 joins b
    12> {"type":"claim","nameplate":"4"}
    12< error reclaimed
    12> {"type":"open","mailbox":"$m"}
    12< message a pake aa
    12< message b pake bb
    12> {"type":"add","phase":"version","body":"cc"}
    11< message b version cc
    12< message b version cc
    11> {"type":"release"}
    11< released
    11> {"type":"close"}
    11< closed
    12> {"type":"close"}
    12< closed)");
  EXPECT_EQ(after.server().state(), ServerState{});
  EXPECT_EQ(after.server().counts().octets, 0U);
  EXPECT_FALSE(after.server().deadline());
}

TEST(ServerState, CrowdingOutlivesARestart) {
  ServerScript before(storing());
  before.play(R"(
    1 joins a
    1> {"type":"open","mailbox":"m"}
    2 joins b
    2> {"type":"open","mailbox":"m"}
    3 joins c
    3> {"type":"open","mailbox":"m"}
    3< error crowded)");
  ServerScript after(storing(), before.server().state());
  after.play(R"(
    1 joins a
    1> {"type":"open","mailbox":"m"}
    1< error crowded
    1 leaves
    after 600
    2 joins a
    2> {"type":"open","mailbox":"m"}
    2< error crowded
    2 leaves
    after 1200
    3 joins a
    3> {"type":"open","mailbox":"m"})");
}

// Clients need the time to come back, however long the server was away.
TEST(ServerState, IdleTimeBeginsAnewWithARestart) {
  ServerScript before(storing());
  before.play(R"(
    1 joins a
    1> {"type":"open","mailbox":"m"}
    1 leaves
    after 500)");
  ServerScript after(storing(), before.server().state());
  after.play("after 600");
  EXPECT_EQ(after.server().counts().mailboxes, 1U);
  after.play("after 600");
  EXPECT_EQ(after.server().counts().mailboxes, 0U);
}

TEST(ServerState, RestoredNameplatesAreTaken) {
  ServerScript before(storing());
  before.play("1 joins a");
  for (int i = 1; i <= 8; ++i) {
    const std::string who = std::to_string(i + 1);
    before.play(who + " joins s" + who + "\n" + who + "> {\"type\":\"claim\",\"nameplate\":\"" +
                std::to_string(i) + "\"}\n" + who + "< claimed $m" + who);
  }
  ServerScript after(storing(), before.server().state());
  after.play("1 joins x\n1> {\"type\":\"allocate\"}\n1< allocated 9");
}

TEST(ServerState, WhatDoesNotFitTogetherIsLeftOut) {
  ServerState odd;
  odd.mailboxes = {{"m", "app", "1", {{"a", true, std::nullopt}}, {}},
                   {"m", "other", std::nullopt, {}, {}}};
  odd.nameplates = {
      {"app", "1", "m", {{"a", true}}},  // good
      {"app", "1", "m", {{"b", true}}},  // twice
      {"app", "2", "gone", {{"a", true}}},
      {"app", "3", "m", {{"a", false}}},  // nobody holds it
      {"app", "4", "m", {}},
      {"app", "x", "m", {{"a", true}}},
  };
  const ServerScript script(storing(), odd);
  const ServerState state = script.server().state();
  EXPECT_EQ(state.mailboxes, (std::vector<StoredMailbox>{odd.mailboxes[0]}));
  EXPECT_EQ(state.nameplates, (std::vector<StoredNameplate>{odd.nameplates[0]}));
}

TEST(ServerState, ALowerLimitLosesNothingThatIsThere) {
  ServerScript before(storing());
  before.play(kExchange);
  ServerConfig config = storing();
  config.max_octets = 1;
  config.max_mailboxes = 0;
  config.max_messages_per_mailbox = 1;
  ServerScript after(config, before.server().state());
  EXPECT_EQ(after.server().state(), before.server().state());
  const std::string id = before.server().state().mailboxes.front().id;
  after.play("1 joins a\n1> {\"type\":\"open\",\"mailbox\":\"" + id +
             "\"}\n1< message a pake aa\n1< message b pake bb\n"
             "1> {\"type\":\"add\",\"phase\":\"p\",\"body\":\"\"}\n1< error the mailbox is full\n"
             "2 joins b\n2> {\"type\":\"open\",\"mailbox\":\"new\"}\n"
             "2< error the server is full, try again later");
}

// --- nameplates of one origin

/// Connection `who` from `origin` claims `nameplate`; what it hears.
std::string claim(ServerScript& script, ConnectionId who, const std::string& origin,
                  const std::string& nameplate) {
  script.post(ClientConnected{who, std::nullopt, origin});
  const std::string side = "s" + std::to_string(who);
  script.post(ClientFrameReceived{who, R"({"type":"bind","appid":"app","side":")" + side + "\"}"});
  script.inbox(who).clear();
  script.post(ClientFrameReceived{who, R"({"type":"claim","nameplate":")" + nameplate + "\"}"});
  const std::string heard = brief(script.inbox(who).at(0));
  script.inbox(who).clear();
  return heard;
}

TEST(ServerOrigins, OneCanNotHoldAllNameplates) {
  ServerConfig config = storing();
  config.max_nameplates_per_origin = 2;
  ServerScript script(config);
  const std::string full = "error your address holds too many nameplates, try again later";
  EXPECT_TRUE(claim(script, 1, "here", "1").starts_with("claimed"));
  EXPECT_TRUE(claim(script, 2, "here", "2").starts_with("claimed"));
  EXPECT_EQ(claim(script, 3, "here", "3"), full);
  // One that is there costs nothing; others have their own; who is not known is not counted.
  EXPECT_TRUE(claim(script, 4, "here", "1").starts_with("claimed"));
  EXPECT_TRUE(claim(script, 5, "there", "5").starts_with("claimed"));
  for (ConnectionId who = 6; who < 10; ++who) {
    EXPECT_TRUE(claim(script, who, "", std::to_string(who)).starts_with("claimed"));
  }
  // The refused claim left nothing, and a released nameplate makes room.
  EXPECT_EQ(script.server().counts().nameplates, 7U);
  script.play("2> {\"type\":\"release\"}\n2< released");
  EXPECT_TRUE(claim(script, 10, "here", "10").starts_with("claimed"));
  EXPECT_EQ(claim(script, 11, "here", "11"), full);
}

TEST(ServerOrigins, AnAllocationThatWasRefusedMayBeTriedAgain) {
  ServerConfig config;
  config.max_nameplates_per_origin = 1;
  ServerScript script(config);
  EXPECT_TRUE(claim(script, 1, "here", "1").starts_with("claimed"));
  script.post(ClientConnected{2, std::nullopt, "here"});
  script.inbox(2).clear();
  script.play(R"(
    2> {"type":"bind","appid":"app","side":"b"}
    2> {"type":"allocate"}
    2< error your address holds too many nameplates, try again later
    1> {"type":"release"}
    1< released
    2> {"type":"allocate"}
    2< allocated $n)");
}

}  // namespace
}  // namespace peersock::testing
