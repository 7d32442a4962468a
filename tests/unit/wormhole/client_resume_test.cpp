// What is said again on the link that follows a lost one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client_driver.hpp"

namespace peersock::wormhole {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ClientResume, ClaimsOpensAndAddsAgainWhileThePeerIsAwaited) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kOpening);
  d.lose();
  reconnect(d);
  EXPECT_THAT(d.take(), ElementsAre("bind", "claim 8"));
  d.say(claimed_frame());
  EXPECT_THAT(d.take(), ElementsAre("open mailbox-1", "add pake"));
  d.echo("pake");
  d.lose();
  reconnect(d);
  static_cast<void>(d.take());
  d.say(claimed_frame());
  EXPECT_THAT(d.take(), ElementsAre("open mailbox-1")) << "what was echoed is not added again";
  EXPECT_EQ(d.state(), "AwaitPake");
}

TEST(ClientResume, AddsTheSameOctetsAgain) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kAwaitVersion);
  d.queue("payload");
  const auto before = d.added;
  d.added.clear();
  d.lose();
  reconnect(d);
  EXPECT_THAT(d.take(), ElementsAre("bind", "release 8", "open mailbox-1", "add version", "add 0"));
  EXPECT_EQ(d.body_of("version"), before.at(1).second);
  EXPECT_EQ(d.body_of("0"), before.at(2).second);
}

TEST(ClientResume, NeverClaimsAgainOnceItReleased) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kVerified);
  d.echo("version");
  d.lose();
  reconnect(d);
  EXPECT_THAT(d.take(), ElementsAre("bind", "release 8", "open mailbox-1"));
  d.say(plain_frame("released"));
  d.lose();
  reconnect(d);
  static_cast<void>(d.take());
  d.lose();
  reconnect(d);
  EXPECT_THAT(d.take(), ElementsAre("bind", "open mailbox-1"));
  EXPECT_EQ(d.state(), "Verified");
}

TEST(ClientResume, PayloadsWaitForTheNextLink) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kVerified);
  d.echo("version");
  d.say(plain_frame("released"));
  d.lose();
  static_cast<void>(d.take());
  d.queue("zero");
  d.queue("one");
  EXPECT_THAT(d.take(), IsEmpty());
  reconnect(d);
  EXPECT_THAT(d.take(), ElementsAre("bind", "open mailbox-1", "add 0", "add 1"));
  d.echo("1");
  d.lose();
  reconnect(d);
  EXPECT_THAT(d.take(), ElementsAre("bind", "open mailbox-1", "add 0"));
}

TEST(ClientResume, AllocatesAgainWhenTheAnswerWasLost) {
  Driver d(std::nullopt);
  d.start();
  d.up();
  d.lose();
  reconnect(d);
  EXPECT_THAT(d.take(), ElementsAre("bind", "allocate"));
  d.say(allocated_frame("7"));
  EXPECT_THAT(d.take(), ElementsAre("claim 7", "CodeReady"));
  d.lose();
  reconnect(d);
  EXPECT_THAT(d.take(), ElementsAre("bind", "claim 7")) << "the code stands";
}

TEST(ClientResume, FollowsTheNameplateToANewMailbox) {
  // A server that lost its state knows neither the mailbox nor what we put there.
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kAwaitPake);
  d.lose();
  reconnect(d);
  static_cast<void>(d.take());
  d.say(claimed_frame("mailbox-2"));
  EXPECT_THAT(d.take(), ElementsAre("open mailbox-2", "add pake"));
  d.close();
  EXPECT_THAT(d.take(), ElementsAre("release 8", "close mailbox-2 happy"));
}

TEST(ClientResume, AnEchoWithAnotherBodyConfirmsNothing) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kOpening);
  d.say(message_frame(kOurSide, "pake", "00"));
  d.say(message_frame(kOurSide, "unheard of", "00"));
  EXPECT_EQ(d.state(), "Opening");
  d.echo("pake");
  EXPECT_EQ(d.state(), "AwaitPake");
}

}  // namespace
}  // namespace peersock::wormhole
