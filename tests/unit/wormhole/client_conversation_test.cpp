// Conversations that go well, step by step: what leaves in which flight.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client_driver.hpp"

namespace peersock::wormhole {
namespace {

using nlohmann::json;
using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

TEST(ClientConversation, WithAGivenCodeTakesTwoFlightsToTheMailbox) {
  Driver d;
  d.start();
  EXPECT_THAT(d.take(), ElementsAre("CodeReady", "OpenLink"));
  EXPECT_EQ(d.code, kTestCode);
  d.up();
  EXPECT_THAT(d.take(), ElementsAre("bind", "claim 8"));
  EXPECT_EQ(json::parse(d.frames.front()),
            (json{{"type", "bind"}, {"appid", kTestAppId}, {"side", kOurSide}}));
  d.say(welcome_frame());
  EXPECT_THAT(d.take(), ElementsAre("Joined"));
  EXPECT_EQ(d.state(), "Claiming");
  d.say(claimed_frame());
  EXPECT_THAT(d.take(), ElementsAre("open mailbox-1", "add pake"));
  EXPECT_EQ(d.state(), "Opening");
  d.echo("pake");
  EXPECT_THAT(d.take(), IsEmpty());
  EXPECT_EQ(d.state(), "AwaitPake");
}

TEST(ClientConversation, MakesACodeFromTheAllocatedNameplate) {
  Driver d(std::nullopt);
  d.start();
  EXPECT_THAT(d.take(), ElementsAre("OpenLink"));
  d.up();
  EXPECT_THAT(d.take(), ElementsAre("bind", "allocate"));
  EXPECT_EQ(d.state(), "Allocating");
  d.say(welcome_frame());
  d.say(allocated_frame("42"));
  EXPECT_THAT(d.take(), ElementsAre("Joined", "claim 42", "CodeReady"));
  EXPECT_THAT(d.code, MatchesRegex("42-[a-z]+-[a-z]+-[a-z]+"));
  EXPECT_EQ(d.state(), "Claiming");
  d.say(claimed_frame());
  EXPECT_THAT(d.take(), ElementsAre("open mailbox-1", "add pake"));

  FakePeer peer(d.code);
  peer.meet(d);
  d.say(peer.pake());
  d.say(peer.version());
  EXPECT_EQ(d.state(), "Verified");
}

TEST(ClientConversation, DrawsAnotherCodeEachTime) {
  std::vector<std::string> codes;
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    Driver d(std::nullopt, seed);
    d.start();
    d.up();
    d.say(allocated_frame("42"));
    codes.push_back(d.code);
  }
  EXPECT_NE(codes[0], codes[1]);
}

TEST(ClientConversation, AnswersThePeersPakeInOneFlightWithEverythingThatWaits) {
  Driver d;
  FakePeer peer;
  d.queue("zero");
  d.queue("one");
  advance(d, peer, Step::kAwaitPake);
  static_cast<void>(d.take());
  d.say(peer.pake());
  EXPECT_THAT(d.take(), ElementsAre("add version", "add 0", "add 1", "release 8", "PeerSeen"));
  EXPECT_EQ(d.peer_side, kPeerSide);
  EXPECT_EQ(d.state(), "AwaitVersion");
  EXPECT_EQ(json::parse(peer.read(d, "version").value()),
            (json{{"app_versions", {{"name", "alice"}}}}));
  EXPECT_EQ(peer.read(d, "0"), "zero");
  EXPECT_EQ(peer.read(d, "1"), "one");
}

TEST(ClientConversation, VerifiesThePeerAndDeliversItsMessages) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kAwaitVersion);
  static_cast<void>(d.take());
  d.say(peer.version({{"name", "bob"}, {"more", {1, 2}}}));
  EXPECT_THAT(d.take(), ElementsAre("PeerVerified"));
  EXPECT_EQ(d.peer_versions, (json{{"name", "bob"}, {"more", {1, 2}}}));
  EXPECT_EQ(d.smp_key, peer.smp_key());
  d.say(peer.sealed("0", "hello"));
  d.say(peer.sealed("1", ""));
  EXPECT_THAT(d.payloads, ElementsAre("hello", ""));
  d.queue("late");
  EXPECT_THAT(d.take(), ElementsAre("PayloadReceived", "PayloadReceived", "add 0"));
  EXPECT_EQ(peer.read(d, "0"), "late");
}

TEST(ClientConversation, FindsThePeersWholeHistoryOnOpening) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kOpening);
  d.say(peer.pake());
  d.echo("pake");
  d.say(peer.version());
  EXPECT_EQ(d.state(), "Verified");
}

TEST(ClientConversation, HoldsWhatComesTooEarly) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kOpening);
  d.say(peer.sealed("1", "second"));
  d.say(peer.version());
  d.say(peer.sealed("0", "first"));
  static_cast<void>(d.take());
  EXPECT_EQ(d.state(), "Opening");
  d.say(peer.pake());
  EXPECT_THAT(d.take(), ElementsAre("add version", "release 8", "PeerSeen", "PeerVerified",
                                    "PayloadReceived", "PayloadReceived"));
  EXPECT_THAT(d.payloads, ElementsAre("first", "second"));
}

TEST(ClientConversation, DeliversNothingBeforeTheVersion) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kAwaitVersion);
  d.say(peer.sealed("0", "early"));
  EXPECT_THAT(d.payloads, IsEmpty());
  d.say(peer.version());
  EXPECT_THAT(d.payloads, ElementsAre("early"));
}

TEST(ClientConversation, TakesEachMessageOnceAndInOrder) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kVerified);
  const auto zero = peer.sealed("0", "zero");
  for (const auto& frame : {peer.sealed("2", "two"), zero, zero, peer.pake(), peer.version(),
                            peer.sealed("2", "two again"), peer.sealed("1", "one"), zero}) {
    d.say(frame);
  }
  EXPECT_THAT(d.payloads, ElementsAre("zero", "one", "two"));
  EXPECT_EQ(d.state(), "Verified");
}

TEST(ClientConversation, IgnoresPhasesThatItDoesNotKnow) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kVerified);
  static_cast<void>(d.take());
  for (const char* phase : {"dilate-0", "00", "01", "-1", "+1", "1.0", "", "pake2", "\u0661"}) {
    d.say(message_frame(kPeerSide, phase, "not hexadecimal"));
  }
  EXPECT_THAT(d.take(), IsEmpty());
  EXPECT_EQ(d.state(), "Verified");
}

TEST(ClientConversation, IgnoresAcksListsAndUnknownTypes) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kAwaitPake);
  static_cast<void>(d.take());
  for (const char* type : {"ack", "pong", "closed", "released", "some news"}) {
    d.say(plain_frame(type));
  }
  d.say(R"({"type":"nameplates","nameplates":[{"id":"1"}]})");
  d.say(claimed_frame("unasked"));
  d.say(allocated_frame("9"));
  d.say(welcome_frame());
  EXPECT_THAT(d.take(), IsEmpty());
  EXPECT_EQ(d.state(), "AwaitPake");
}

TEST(ClientConversation, AcceptsAVersionWithoutAppVersions) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kAwaitVersion);
  d.say(peer.sealed("version", R"({"abilities":[]})"));
  EXPECT_EQ(d.state(), "Verified");
  EXPECT_EQ(d.peer_versions, json::object());
}

TEST(ClientConversation, ShowsTheMessageOfTheDayOnce) {
  Driver d;
  d.start();
  d.up();
  const auto outputs = d.client.handle(
      FrameReceived{R"({"type":"welcome","welcome":{"motd":"tea\u001b[2J at five"}})"}, d.now);
  ASSERT_EQ(outputs.size(), 1U);
  EXPECT_EQ(std::get<Joined>(outputs[0]).motd, "tea[2J at five");
}

// ---- leaving ----

TEST(ClientClosing, ReleasesClosesAndWaitsForBothAnswers) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kAwaitPake);
  static_cast<void>(d.take());
  d.close(wire::Mood::kLonely);
  EXPECT_THAT(d.take(), ElementsAre("release 8", "close mailbox-1 lonely"));
  EXPECT_EQ(d.state(), "Closing");
  d.say(plain_frame("released"));
  EXPECT_THAT(d.take(), IsEmpty());
  d.say(plain_frame("closed"));
  EXPECT_THAT(d.take(), ElementsAre("CloseLink", "Closed"));
  EXPECT_EQ(d.state(), "Done");
  EXPECT_EQ(d.client.deadline(), std::nullopt);
}

TEST(ClientClosing, DoesNotReleaseTwice) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kVerified);
  d.say(plain_frame("released"));
  static_cast<void>(d.take());
  d.close();
  EXPECT_THAT(d.take(), ElementsAre("close mailbox-1 happy"));
  d.say(plain_frame("closed"));
  EXPECT_THAT(d.take(), ElementsAre("CloseLink", "Closed"));
}

TEST(ClientClosing, EndsAtOnceBeforeAnythingWasAskedFor) {
  Driver idle;
  idle.close();
  EXPECT_THAT(idle.take(), ElementsAre("Closed"));

  Driver connecting;
  connecting.start();
  static_cast<void>(connecting.take());
  connecting.close();
  EXPECT_THAT(connecting.take(), ElementsAre("CloseLink", "Closed"));

  Driver allocating(std::nullopt);
  allocating.start();
  allocating.up();
  static_cast<void>(allocating.take());
  allocating.close();
  EXPECT_THAT(allocating.take(), ElementsAre("CloseLink", "Closed"));
}

TEST(ClientClosing, ClosesAMailboxThatItLearnsOfTooLate) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kClaiming);
  static_cast<void>(d.take());
  d.close(wire::Mood::kErrory);
  EXPECT_THAT(d.take(), ElementsAre("release 8"));
  d.say(claimed_frame());
  EXPECT_THAT(d.take(), ElementsAre("close mailbox-1 errory"));
  d.say(plain_frame("released"));
  EXPECT_EQ(d.state(), "Closing");
  d.say(plain_frame("closed"));
  EXPECT_THAT(d.take(), ElementsAre("CloseLink", "Closed"));
}

TEST(ClientClosing, WaitsNoLongerThanItsTime) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kAwaitPake);
  d.close();
  static_cast<void>(d.take());
  EXPECT_EQ(d.client.deadline(), d.now + kCloseTimeout);
  d.sleep(kCloseTimeout - 1ns);
  EXPECT_THAT(d.take(), IsEmpty());
  d.sleep(1ns);
  EXPECT_THAT(d.take(), ElementsAre("CloseLink", "Closed"));
}

TEST(ClientClosing, SaysGoodbyeOnANewLinkWhenTheOldOneIsDown) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kAwaitPake);
  d.lose();
  static_cast<void>(d.take());
  d.close();
  EXPECT_THAT(d.take(), ElementsAre("OpenLink"));
  d.up();
  EXPECT_THAT(d.take(), ElementsAre("bind", "release 8", "close mailbox-1 happy"));
  d.say(welcome_frame());
  d.say(plain_frame("released"));
  d.say(plain_frame("closed"));
  EXPECT_THAT(d.take(), ElementsAre("CloseLink", "Closed"));
}

TEST(ClientClosing, RepeatsAnUnansweredReleaseOnANewLink) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kAwaitVersion);
  d.lose();
  d.close();
  static_cast<void>(d.take());
  d.up();
  EXPECT_THAT(d.take(), ElementsAre("bind", "release 8", "close mailbox-1 happy"));
}

TEST(ClientClosing, EndsWhenTheLinkIsLostOrTheServerObjects) {
  for (const bool lost : {true, false}) {
    Driver d;
    FakePeer peer;
    advance(d, peer, Step::kAwaitPake);
    d.close();
    static_cast<void>(d.take());
    if (lost) {
      d.lose();
      EXPECT_THAT(d.take(), ElementsAre("Closed"));
    } else {
      d.say(error_frame("crowded", "close"));
      EXPECT_THAT(d.take(), ElementsAre("CloseLink", "Closed"));
    }
  }
}

TEST(ClientClosing, IsDeafToMessagesAndToMoreOfTheSame) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kAwaitVersion);
  d.close();
  static_cast<void>(d.take());
  d.say(peer.version());
  d.queue("x");
  d.close(wire::Mood::kScary);
  d.start();
  EXPECT_THAT(d.take(), IsEmpty());
}

}  // namespace
}  // namespace peersock::wormhole
