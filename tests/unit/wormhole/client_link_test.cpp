// The link drops, stays silent, or never comes up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client_driver.hpp"

namespace peersock::wormhole {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr Duration kTimeout = 20s;

TEST(ClientLink, GivesUpWhenNoServerIsReachedInTime) {
  Driver d;
  d.start();
  const Instant started = d.now;
  static_cast<void>(d.take());
  d.lose("connection refused");
  EXPECT_THAT(d.take(), ElementsAre("Warned"));
  while (!d.error) {
    d.sleep_until_deadline();
    d.lose("connection refused");
  }
  EXPECT_EQ(d.now, started + kTimeout);
  EXPECT_EQ(d.error->kind, ErrorKind::kRendezvousUnreachable);
  EXPECT_THAT(d.error->message, HasSubstr("could not be reached within 20 s (connection refused)"));
  EXPECT_THAT(d.error->message, HasSubstr("--rendezvous"));
}

TEST(ClientLink, GivesUpWhenTheFirstAttemptIsNeverAnswered) {
  Driver d;
  d.start();
  static_cast<void>(d.take());
  EXPECT_EQ(d.client.deadline(), d.now + kTimeout);
  d.sleep_until_deadline();
  EXPECT_THAT(d.take(), ElementsAre("CloseLink", "Failed rendezvous"));
}

TEST(ClientLink, GivesUpWhenAStepIsNeverAnswered) {
  for (const Step step : {Step::kClaiming, Step::kOpening}) {
    Driver d;
    FakePeer peer;
    advance(d, peer, step);
    const Instant then = d.now;
    static_cast<void>(d.take());
    d.sleep_until_deadline();
    EXPECT_EQ(d.now, then + kTimeout);
    ASSERT_TRUE(d.error);
    EXPECT_EQ(d.error->kind, ErrorKind::kRendezvousUnreachable);
    EXPECT_THAT(d.error->message, HasSubstr("did not answer within 20 s"));
  }
}

TEST(ClientLink, HasTheWholeTimeAgainAfterEachStep) {
  Driver d(std::nullopt);
  d.start();
  for (const auto& frame : {welcome_frame(), allocated_frame("4"), claimed_frame()}) {
    d.sleep(kTimeout - 1s);
    if (frame == welcome_frame()) d.up();
    d.say(frame);
    EXPECT_EQ(d.client.deadline(), d.now + kTimeout);
  }
}

TEST(ClientLink, LinksThatDropDoNotBuyMoreTime) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kClaiming);
  const Instant then = d.now;
  int links = 0;
  while (!d.error) {
    d.lose("reset");
    d.sleep_until_deadline();
    d.up();
    d.say(welcome_frame());
    ++links;
  }
  EXPECT_EQ(d.now, then + kTimeout);
  // 1 + 1.5 + 2.25 + 3.375 + 5.0625 s: the next one comes too late.
  EXPECT_EQ(links, 6);
}

TEST(ClientLink, TriesWithoutEndOnceThePeerIsAwaited) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kAwaitPake);
  static_cast<void>(d.take());
  d.lose("no route");
  EXPECT_THAT(d.take(), ElementsAre("Warned"));
  Duration expected = kFirstReconnectDelay;
  for (int attempt = 0; attempt < 30; ++attempt) {
    EXPECT_EQ(d.client.deadline(), d.now + expected) << attempt;
    d.sleep_until_deadline();
    EXPECT_THAT(d.take(), ElementsAre("OpenLink"));
    d.lose("no route");
    EXPECT_THAT(d.take(), IsEmpty()) << "one warning an outage";
    expected = std::min<Duration>(expected + expected / 2, kLongestReconnectDelay);
  }
  EXPECT_EQ(expected, kLongestReconnectDelay);
  EXPECT_EQ(d.state(), "AwaitPake");
}

TEST(ClientLink, StartsAgainWithTheShortestDelayAfterAServerThatWorks) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kAwaitPake);
  for (int outage = 0; outage < 3; ++outage) {
    d.lose();
    EXPECT_EQ(d.client.deadline(), d.now + kFirstReconnectDelay);
    static_cast<void>(d.take());
    reconnect(d);
    d.say(claimed_frame());
    d.sleep(kFirstReconnectDelay);
  }
}

TEST(ClientLink, LeavesAServerAloneThatDropsItAgainAndAgain) {
  // It claims and opens each time, and then drops us.
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kAwaitPake);
  Duration expected = kFirstReconnectDelay;
  d.lose();
  for (int outage = 0; outage < 20; ++outage) {
    EXPECT_EQ(d.client.deadline(), d.now + expected) << outage;
    reconnect(d);
    d.say(welcome_frame());
    d.say(claimed_frame());
    d.echo("pake");
    static_cast<void>(d.take());
    d.lose();
    EXPECT_THAT(d.take(), IsEmpty()) << "warned of it before";
    expected = std::min<Duration>(expected + expected / 2, kLongestReconnectDelay);
  }
  EXPECT_EQ(expected, kLongestReconnectDelay);
}

TEST(ClientLink, ALinkThatLastedAsLongAsItWasWaitedForEndsTheOutage) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kAwaitPake);
  for (int attempt = 0; attempt < 5; ++attempt) {
    d.lose();
    reconnect(d);
  }
  d.say(welcome_frame());
  d.say(claimed_frame());
  d.echo("pake");
  d.sleep(6s);  // 1, 1.5, 2.25, 3.375 and 5.0625 s were the delays
  static_cast<void>(d.take());
  d.lose();
  EXPECT_THAT(d.take(), ElementsAre("Warned"));
  EXPECT_EQ(d.client.deadline(), d.now + kFirstReconnectDelay);
}

TEST(ClientLink, AWelcomeAloneDoesNotProveThatAServerWorks) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kAwaitPake);
  d.lose();
  reconnect(d);
  d.say(welcome_frame());
  static_cast<void>(d.take());
  d.lose();
  EXPECT_THAT(d.take(), IsEmpty()) << "warned before";
  EXPECT_EQ(d.client.deadline(), d.now + 1500ms);
}

TEST(ClientLink, TakesASilentLinkDownAndOpensAnother) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kVerified);
  d.echo("version");
  d.say(plain_frame("released"));
  d.queue("unanswered");
  static_cast<void>(d.take());
  EXPECT_EQ(d.client.deadline(), d.now + kTimeout);
  d.sleep_until_deadline();
  EXPECT_THAT(d.take(), ElementsAre("CloseLink", "Warned"));
  reconnect(d);
  EXPECT_THAT(d.take(), ElementsAre("bind", "open mailbox-1", "add 0"));
}

TEST(ClientLink, MoreRequestsDoNotProlongASilence) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kVerified);
  d.queue("first");
  const auto due = d.client.deadline();
  d.now += 5s;
  d.queue("second");
  EXPECT_EQ(d.client.deadline(), due);
}

TEST(ClientLink, AnAttemptThatHangsIsReplaced) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kAwaitPake);
  d.lose();
  d.sleep_until_deadline();
  static_cast<void>(d.take());
  EXPECT_EQ(d.client.deadline(), d.now + kTimeout);
  d.sleep_until_deadline();
  EXPECT_THAT(d.take(), ElementsAre("CloseLink"));
  d.sleep_until_deadline();
  EXPECT_THAT(d.take(), ElementsAre("OpenLink"));
}

TEST(ClientLink, AsksAnIdleLinkWhetherItIsAlive) {
  for (const auto& [step, interval] : {std::pair(Step::kAwaitPake, kMeetingPingInterval),
                                       std::pair(Step::kVerified, kPingInterval)}) {
    Driver d;
    FakePeer peer;
    advance(d, peer, step);
    if (step == Step::kVerified) {
      d.say(plain_frame("released"));
      d.echo("version");
    }
    const std::string state = d.state();
    static_cast<void>(d.take());
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(d.client.deadline(), d.now + interval);
      d.sleep_until_deadline();
      EXPECT_THAT(d.take(), ElementsAre("ping"));
      d.say(R"({"type":"pong","pong":0})");
    }
    d.sleep_until_deadline();
    static_cast<void>(d.take());
    EXPECT_EQ(d.client.deadline(), d.now + kPingPatience);
    d.sleep_until_deadline();
    EXPECT_THAT(d.take(), ElementsAre("CloseLink", "Warned"));
    EXPECT_EQ(d.state(), state);
  }
}

TEST(ClientLink, OnlyTheAnswerToAPingIsAwaitedForLess) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kAwaitPake);
  static_cast<void>(d.take());
  d.sleep_until_deadline();
  d.say(R"({"type":"pong","pong":0})");
  d.lose();
  d.sleep_until_deadline();
  d.up();
  EXPECT_EQ(d.client.deadline(), d.now + kTimeout);
}

TEST(ClientLink, StaleTimersAndFactsHaveNoEffect) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kAwaitPake);
  static_cast<void>(d.take());
  d.sleep(1s);
  d.up();
  d.start();
  EXPECT_THAT(d.take(), IsEmpty());
  d.lose();
  static_cast<void>(d.take());
  d.lose();
  d.up();
  d.say(peer.pake());
  d.sleep(1ns);
  EXPECT_THAT(d.take(), IsEmpty());
  EXPECT_EQ(d.state(), "AwaitPake");
}

TEST(ClientLink, MessagesBeforeTheMailboxIsOpenHaveNoEffect) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kClaiming);
  d.say(message_frame("c0ffee", "pake", "00"));
  EXPECT_EQ(d.state(), "Claiming");
  d.say(claimed_frame());
  peer.meet(d);
  d.say(peer.pake());
  d.say(peer.version());
  EXPECT_EQ(d.state(), "Verified");
}

// ---- links in doubt -----------------------------------------------------------------------------

TEST(ClientLink, ALinkInDoubtIsAskedAndGivenUpSoon) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kVerified);
  d.say(plain_frame("released"));
  static_cast<void>(d.take());
  d.give(LinkDoubted{});
  EXPECT_THAT(d.take(), ElementsAre("ping"));
  d.give(LinkDoubted{});
  EXPECT_THAT(d.take(), IsEmpty()) << "one question at a time";
  const Instant asked = d.now;
  d.sleep_until_deadline();
  EXPECT_EQ(d.now, asked + kDoubtTimeout);
  EXPECT_THAT(d.take(), ElementsAre("CloseLink", "Warned"));
  EXPECT_EQ(d.client.deadline(), d.now) << "no pause before the first attempt";
  d.sleep_until_deadline();
  EXPECT_THAT(d.take(), ElementsAre("OpenLink"));
  // The attempt is not in doubt.
  EXPECT_EQ(d.client.deadline(), d.now + kTimeout);
}

TEST(ClientLink, AMachineThatMovedOpensItsLinkAnewAtOnce) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kVerified);
  static_cast<void>(d.take());
  d.give(LinkDoubted{true});
  EXPECT_THAT(d.take(), ElementsAre("CloseLink", "Warned"));
  d.sleep_until_deadline();
  EXPECT_THAT(d.take(), ElementsAre("OpenLink"));
  d.up();
  EXPECT_THAT(d.take(), ::testing::Contains("open mailbox-1"));
}

TEST(ClientLink, ALinkThatBreaksWhenItIsAskedIsOpenedAnewAtOnce) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kVerified);
  d.give(LinkDoubted{});
  d.lose("reset");
  EXPECT_EQ(d.client.deadline(), d.now);
  static_cast<void>(d.take());
  d.sleep_until_deadline();
  EXPECT_THAT(d.take(), ElementsAre("OpenLink"));
  d.lose("refused");
  EXPECT_GE(d.client.deadline(), d.now + kFirstReconnectDelay) << "once";
}

TEST(ClientLink, ALinkInDoubtThatAnswersStays) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kVerified);
  d.say(plain_frame("released"));
  d.echo("version");
  d.give(LinkDoubted{});
  d.say(plain_frame("pong"));
  EXPECT_EQ(d.client.deadline(), d.now + kPingInterval);
}

TEST(ClientLink, APlannedAttemptDoesNotWaitWhenTheNetworkHasChanged) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kVerified);
  for (int i = 0; i < 10; ++i) {
    d.lose("no route");
    if (i < 9) d.sleep_until_deadline();
  }
  static_cast<void>(d.take());
  EXPECT_GT(d.client.deadline(), d.now + 20s);
  d.give(LinkDoubted{});
  EXPECT_EQ(d.client.deadline(), d.now);
  d.sleep_until_deadline();
  EXPECT_THAT(d.take(), ElementsAre("OpenLink"));
}

}  // namespace
}  // namespace peersock::wormhole
