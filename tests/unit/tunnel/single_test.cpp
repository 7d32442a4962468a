// Tunnels that serve one connection: standard streams and --once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rig.hpp"

namespace peersock::tunnel::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

RigConfig single() {
  return {.single = true};
}

void expect_failed(const Side& side, ErrorKind kind, const std::string& words) {
  ASSERT_TRUE(side.finished);
  ASSERT_TRUE(side.finished->failed);
  EXPECT_EQ(to_string(side.finished->failed->kind), to_string(kind));
  EXPECT_THAT(side.finished->failed->message, HasSubstr(words));
}

TEST(SingleTunnel, FinishesWhenBothDirectionsHaveEnded) {
  Rig rig(single());
  auto c = rig.open();
  c.near->input = "to the far side";
  c.near->ended = true;
  rig.run();
  EXPECT_FALSE(rig.opener.finished);
  EXPECT_FALSE(rig.acceptor.finished);
  c.far->input = "to the near side";
  c.far->ended = true;
  rig.run();
  ASSERT_TRUE(rig.opener.finished);
  ASSERT_TRUE(rig.acceptor.finished);
  EXPECT_FALSE(rig.opener.finished->failed);
  EXPECT_FALSE(rig.acceptor.finished->failed);
  EXPECT_THAT(rig.opener.log, ElementsAre("opened 1", "finished 1", "finished"));
}

TEST(SingleTunnel, IsNotFinishedBeforeTheTailIsDelivered) {
  Rig rig(single());
  auto c = rig.open();
  c.far->room = 100;
  c.near->input = pattern(1000);
  c.near->ended = c.far->ended = true;
  rig.run();
  // The opener has had everything; the acceptor holds the tail that its program does not read.
  EXPECT_TRUE(rig.opener.finished);
  EXPECT_FALSE(rig.acceptor.finished);
  EXPECT_EQ(c.far->output, pattern(1000).substr(0, 100));
  c.far->room = FakeLocal::kNoLimit;
  rig.run();
  EXPECT_EQ(c.far->output, pattern(1000));
  ASSERT_TRUE(rig.acceptor.finished);
  EXPECT_FALSE(rig.acceptor.finished->failed);
}

TEST(SingleTunnel, AFullDiskIsReportedWithItsReason) {
  Rig rig(single());
  auto c = rig.open();
  c.far->deaf = "standard output can not be written: no space left on device";
  c.far->deaf_for_good = true;
  c.near->input = pattern(1000);
  rig.run();
  expect_failed(rig.acceptor, ErrorKind::kLocalEndpoint, "no space left");
  expect_failed(rig.opener, ErrorKind::kConnectionLost, "broke the connection off");
}

TEST(SingleTunnel, AFullDiskInTheTailIsReported) {
  Rig rig(single());
  auto c = rig.open();
  c.far->room = 100;
  c.far->ended = true;
  c.near->input = pattern(1000);
  c.near->ended = true;
  rig.run();
  c.far->deaf = "standard output can not be written: no space left on device";
  c.far->deaf_for_good = true;
  rig.run();
  expect_failed(rig.acceptor, ErrorKind::kLocalEndpoint, "no space left");
}

TEST(SingleTunnel, TheFirstCauseIsTheOneReported) {
  Rig rig(single());
  auto c = rig.open();
  c.far->deaf = "the local program closed the connection";
  c.near->input = "data";
  rig.run();
  EXPECT_FALSE(rig.acceptor.finished);
  c.near->reset = "reset";
  c.near->room = 0;
  c.far->reset = "reset as well";
  rig.run();
  expect_failed(rig.acceptor, ErrorKind::kLocalEndpoint, "closed the connection");
}

TEST(SingleTunnel, ALocalResetIsAnErrorOnBothSides) {
  Rig rig(single());
  auto c = rig.open();
  c.near->reset = "the local program reset the connection";
  rig.run();
  expect_failed(rig.opener, ErrorKind::kLocalEndpoint, "local program");
  expect_failed(rig.acceptor, ErrorKind::kConnectionLost, "broke the connection off");
}

TEST(SingleTunnel, ARefusedTargetIsAnErrorOnBothSides) {
  struct Case {
    CloseReason reason;
    const char* words;
  };
  for (const Case& refused : {Case{CloseReason::kRefused, "refused"},
                              Case{CloseReason::kUnreachable, "could not reach"}}) {
    Rig rig(single());
    rig.acceptor.hold = true;
    auto c = rig.open();
    rig.acceptor.fail(1, refused.reason, "nobody at localhost:1");
    rig.run();
    expect_failed(rig.acceptor, ErrorKind::kLocalEndpoint, "nobody at localhost:1");
    expect_failed(rig.opener, ErrorKind::kLocalEndpoint, refused.words);
    EXPECT_TRUE(c.near->saw_reset);
  }
}

TEST(SingleTunnel, AnOpenerTurnsFurtherConnectionsAway) {
  Rig rig(single());
  auto c = rig.open();
  auto second = std::make_shared<FakeLocal>();
  EXPECT_EQ(rig.opener.accept(second), 0U);
  EXPECT_TRUE(second->saw_reset);
  EXPECT_TRUE(second->closed);
  c.near->ended = c.far->ended = true;
  rig.run();
  EXPECT_TRUE(rig.opener.finished);
  auto third = std::make_shared<FakeLocal>();
  EXPECT_EQ(rig.opener.accept(third), 0U);
}

TEST(SingleTunnel, AnAcceptorIsBusyForFurtherConnections) {
  Rig rig({.acceptor_single = true});
  auto first = rig.open();
  auto second = rig.open();
  EXPECT_TRUE(second.near->saw_reset);
  ASSERT_NE(rig.opener.closed(second.near_id), nullptr);
  EXPECT_EQ(rig.opener.closed(second.near_id)->reason, CloseReason::kRefused);
  first.near->input = "goes on";
  rig.run();
  EXPECT_EQ(first.far->output, "goes on");
  first.near->ended = first.far->ended = true;
  rig.run();
  EXPECT_TRUE(rig.acceptor.finished);
  auto third = rig.open();
  EXPECT_TRUE(third.near->saw_reset);
}

TEST(SingleTunnel, ABusyPeerIsSaidToBeBusy) {
  Rig rig({.single = true});
  // Something else has taken the acceptor's only place.
  const auto stream = rig.pair.client().open_stream();
  ASSERT_TRUE(stream);
  EXPECT_EQ(rig.pair.client().write(*stream, Bytes{0}), 1U);
  rig.run();
  rig.open();
  expect_failed(rig.opener, ErrorKind::kConnectionLost, "single connection");
}

TEST(SingleTunnel, AMalformedHeaderEndsIt) {
  Rig rig({.acceptor_single = true});
  const auto stream = rig.pair.client().open_stream();
  ASSERT_TRUE(stream);
  rig.pair.client().finish(*stream);
  rig.run();
  expect_failed(rig.acceptor, ErrorKind::kConnectionLost, "same version");
}

TEST(SingleTunnel, TheFirstConnectionMayHaveToWaitForAStream) {
  Rig rig({.single = true, .acceptor = {.streams = 1}});
  const auto stream = rig.pair.client().open_stream();
  auto c = rig.open();
  EXPECT_EQ(c.far, nullptr);
  // The peer allows another stream once the first is over.
  rig.pair.client().reset(*stream, 1);
  rig.pair.client().stop_sending(*stream, 1);
  rig.run();
  ASSERT_TRUE(rig.acceptor.finished);
}

}  // namespace
}  // namespace peersock::tunnel::testing
