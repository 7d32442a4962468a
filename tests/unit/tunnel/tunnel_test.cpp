#include "tunnel/tunnel.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rig.hpp"

namespace peersock::tunnel::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::size_t kLong = 1'000'000;  ///< more than all windows and buffers together

void expect_closed(const Side& side, ConnectionId id, CloseReason reason) {
  const event::ConnectionClosed* const closed = side.closed(id);
  ASSERT_NE(closed, nullptr);
  EXPECT_EQ(to_string(closed->reason), to_string(reason));
}

TEST(Tunnel, CarriesBothDirectionsAndCounts) {
  Rig rig;
  auto c = rig.open();
  ASSERT_TRUE(c.far);
  EXPECT_EQ(rig.opener.tunnel().open_connections(), 1U);
  c.near->input = "question";
  c.far->input = pattern(kLong);
  rig.run();
  EXPECT_EQ(c.far->output, "question");
  EXPECT_EQ(c.near->output, pattern(kLong));
  EXPECT_FALSE(c.near->saw_end);
  c.near->ended = c.far->ended = true;
  rig.run();
  const auto* const closed = rig.opener.closed(c.near_id);
  ASSERT_NE(closed, nullptr);
  EXPECT_EQ(closed->bytes_sent, 8U);
  EXPECT_EQ(closed->bytes_received, kLong);
  EXPECT_EQ(rig.acceptor.closed(c.far_id)->bytes_sent, kLong);
  EXPECT_EQ(rig.opener.tunnel().totals().received, kLong);
  EXPECT_EQ(rig.opener.tunnel().totals().opened, 1U);
  EXPECT_EQ(rig.opener.tunnel().open_connections(), 0U);
  EXPECT_THAT(rig.opener.log, ElementsAre("opened 1", "finished 1"));
  EXPECT_THAT(rig.acceptor.log, ElementsAre("opened 1", "connect 1", "finished 1"));
  EXPECT_EQ(rig.pair.client().live_streams(), 0U);
  EXPECT_EQ(rig.pair.server().live_streams(), 0U);
}

TEST(Tunnel, ServerMaySpeakFirst) {
  Rig rig;
  auto c = rig.open();
  c.far->input = "SSH-2.0";
  rig.run();
  EXPECT_EQ(c.near->output, "SSH-2.0");
}

TEST(Tunnel, AnIdleConnectionIsWatchedOnceForReading) {
  Rig rig;
  auto c = rig.open();
  EXPECT_EQ(c.near->watch_calls, 1);
  EXPECT_TRUE(c.near->watch_readable);
  EXPECT_FALSE(c.near->watch_writable);
  c.near->input = c.far->input = "x";
  rig.run();
  EXPECT_EQ(c.near->watch_calls, 1);
  EXPECT_EQ(c.far->watch_calls, 1);
}

// Targets that can not be connected to.
TEST(Tunnel, RefusedAndUnreachableTargets) {
  for (const CloseReason reason : {CloseReason::kRefused, CloseReason::kUnreachable}) {
    SCOPED_TRACE(to_string(reason));
    Rig rig;
    rig.acceptor.hold = true;
    auto c = rig.open();
    c.near->input = "early data";
    rig.run();
    rig.acceptor.fail(1, reason, "nobody there");
    rig.run();
    EXPECT_TRUE(c.near->saw_reset);
    expect_closed(rig.opener, 1, reason);
    expect_closed(rig.acceptor, 1, reason);
    EXPECT_EQ(rig.pair.client().live_streams(), 0U);
    EXPECT_EQ(rig.pair.server().live_streams(), 0U);
    rig.acceptor.hold = false;
    auto next = rig.open();
    next.near->input = "next";
    rig.run();
    EXPECT_EQ(next.far->output, "next");
  }
}

TEST(Tunnel, EarlyDataWaitsInQuicForTheTarget) {
  Rig rig;
  rig.acceptor.hold = true;
  auto c = rig.open();
  c.near->input = pattern(kLong);
  c.near->ended = true;
  rig.run();
  EXPECT_EQ(rig.acceptor.quic().octets_read(), 1U);  // the header
  EXPECT_GT(c.near->input.size(), kLong / 2);
  c.far = std::make_shared<FakeLocal>();
  rig.acceptor.connect(1, c.far);
  rig.run();
  EXPECT_TRUE(c.far->output == pattern(kLong));
  EXPECT_TRUE(c.far->saw_end);
}

TEST(Tunnel, AResetWhileTheTargetIsConnectedToCancelsIt) {
  Rig rig;
  rig.acceptor.hold = true;
  auto c = rig.open();
  c.near->input = "early";
  rig.run();
  c.near->reset = "reset";
  rig.run();
  EXPECT_THAT(rig.acceptor.log, ElementsAre("opened 1", "connect 1", "cancel 1", "aborted 1"));
  // The attempt may have succeeded meanwhile.
  auto late = std::make_shared<FakeLocal>();
  rig.acceptor.connect(1, late);
  EXPECT_TRUE(late->closed);
  rig.acceptor.fail(1, CloseReason::kRefused, "late");
  rig.run();
  EXPECT_EQ(rig.pair.server().live_streams(), 0U);
}

TEST(Tunnel, EitherFrameOfAResetCancelsTheTarget) {
  for (const bool by_reset : {true, false}) {
    SCOPED_TRACE(by_reset);
    Rig rig;
    rig.acceptor.hold = true;
    FakeQuic& client = rig.pair.client();
    const auto stream = client.open_stream();
    ASSERT_TRUE(stream);
    EXPECT_EQ(client.write(*stream, Bytes{0}), 1U);
    rig.run();
    by_reset ? client.reset(*stream, 1) : client.stop_sending(*stream, 1);
    rig.run();
    EXPECT_THAT(rig.acceptor.log, ElementsAre("opened 1", "connect 1", "cancel 1", "aborted 1"));
    EXPECT_EQ(rig.pair.server().live_streams(), 0U);
  }
}

TEST(Tunnel, AStreamResetBeforeItsHeaderIsForgotten) {
  for (const bool by_reset : {true, false}) {
    SCOPED_TRACE(by_reset);
    Rig rig;
    FakeQuic& client = rig.pair.client();
    const auto stream = client.open_stream();
    ASSERT_TRUE(stream);
    EXPECT_EQ(client.write(*stream, Bytes{9, 1}), 2U);
    rig.run();
    by_reset ? client.reset(*stream, 1) : client.stop_sending(*stream, 1);
    rig.run();
    EXPECT_THAT(rig.acceptor.log, IsEmpty());
    EXPECT_EQ(rig.pair.server().live_streams(), 0U);
  }
}

TEST(Tunnel, AStopLooksForAResetBehindOctetsThatNobodyTakes) {
  Rig rig;
  auto c = rig.open();
  c.near->room = 10;
  c.far->input = pattern(1000);
  rig.run();
  c.far->reset = "reset";
  rig.acceptor.step();
  while (rig.pair.carry(rig.pair.server(), rig.pair.client())) {
  }
  rig.opener.tunnel().on_fact(quic::fact::StreamStopped{0, 1});
  EXPECT_TRUE(c.near->saw_reset);
}

TEST(Tunnel, ASenderNeverHasMoreUnderWayThanItsReceiverGranted) {
  Rig rig;
  auto c = rig.open();
  c.far->room = 0;
  c.near->input = pattern(3 * kInitialCredit);
  rig.run();
  EXPECT_EQ(c.near->input.size(), 2 * kInitialCredit);
  EXPECT_EQ(rig.acceptor.kept(), kInitialCredit);
  // What the reader takes is granted anew, in steps of a quarter.
  c.far->room = kInitialCredit / 4;
  rig.run();
  EXPECT_LT(c.near->input.size(), 2 * kInitialCredit);
  c.far->room = FakeLocal::kNoLimit;
  rig.run();
  EXPECT_TRUE(c.far->output == pattern(3 * kInitialCredit));
}

TEST(Tunnel, AStoppedReaderStopsItsSpeakerOnly) {
  Rig rig;
  auto blocked = rig.open();
  auto free = rig.open();
  for (const auto& c : {blocked, free}) c.near->input = c.far->input = pattern(kLong);
  blocked.near->room = blocked.far->room = 1000;
  rig.run();
  EXPECT_TRUE(free.near->output == pattern(kLong));
  EXPECT_TRUE(free.far->output == pattern(kLong));
  EXPECT_EQ(blocked.near->output.size(), 1000U);
  EXPECT_LE(rig.opener.kept(), kMaxPending);
  EXPECT_LE(rig.acceptor.kept(), kMaxPending);
  EXPECT_GT(blocked.near->input.size(), kLong - 500'000);

  blocked.near->room = blocked.far->room = FakeLocal::kNoLimit;
  rig.run();
  EXPECT_TRUE(blocked.near->output == pattern(kLong));
  EXPECT_TRUE(blocked.far->output == pattern(kLong));
  EXPECT_EQ(rig.opener.kept(), 0U);
}

TEST(Tunnel, AReaderThatKeepsUpIsSentWhatAFarLinkHolds) {
  constexpr std::size_t kUnderWay = std::size_t{6} * 1024 * 1024;  // 20 MiB/s for 300 ms
  Rig rig;
  auto c = rig.open();
  c.near->input = pattern(kUnderWay);
  rig.run();
  EXPECT_EQ(c.far->output.size(), kUnderWay);
  // What had been granted before the reader stopped comes all the same.
  c.far->room = 0;
  c.near->input = pattern(kUnderWay);
  rig.run();
  EXPECT_EQ(rig.acceptor.kept(), kUnderWay);
}

TEST(Tunnel, OneTurnIsBounded) {
  Rig rig({.opener = {.send_buffer = 16 * kTurn}});
  auto c = rig.open();
  c.near->input = pattern(10 * kTurn);
  rig.opener.tunnel().local_ready(c.near_id, true, false);
  EXPECT_EQ(c.near->input.size(), 9 * kTurn);
  EXPECT_TRUE(c.near->watch_readable);

  Rig wide({.acceptor = {.stream_window = 16 * kTurn, .connection_window = 32 * kTurn}});
  auto d = wide.open();
  d.near->input = pattern(10 * kTurn);
  while (wide.opener.step() || wide.pair.carry(wide.pair.client(), wide.pair.server())) {
  }
  EXPECT_TRUE(wide.acceptor.facts());
  EXPECT_EQ(d.far->output.size(), kTurn);
  EXPECT_TRUE(d.far->watch_writable);
  wide.run();
  EXPECT_TRUE(d.far->output == pattern(10 * kTurn));
  EXPECT_FALSE(d.far->watch_writable);
}

TEST(Tunnel, FiveHundredConnectionsAtOnce) {
  constexpr std::size_t kCount = 500;
  Rig rig({.acceptor = {.streams = kCount}});
  for (std::size_t i = 0; i < kCount; ++i) {
    EXPECT_EQ(rig.opener.accept(std::make_shared<FakeLocal>()), i + 1);
  }
  rig.run();
  EXPECT_EQ(rig.opener.tunnel().open_connections(), kCount);
  EXPECT_EQ(rig.acceptor.tunnel().open_connections(), kCount);
  const auto said = [](ConnectionId id) { return pattern(5000, static_cast<std::uint32_t>(id)); };
  for (const auto& [id, near] : rig.opener.locals) {
    near->input = said(id);
    near->ended = rig.acceptor.locals.at(id)->ended = true;
  }
  rig.run();
  for (const auto& [id, far] : rig.acceptor.locals) ASSERT_TRUE(far->output == said(id)) << id;
  EXPECT_EQ(rig.acceptor.tunnel().open_connections(), 0U);
  EXPECT_EQ(rig.pair.server().live_streams(), 0U);
}

TEST(Tunnel, ConnectionsWaitForStreamsInOrderAndTheListenerPauses) {
  constexpr std::size_t kStreams = 3;
  Rig rig({.acceptor = {.streams = kStreams}});
  std::vector<Local> locals;
  const auto come = [&] {
    auto local = std::make_shared<FakeLocal>();
    local->input = std::to_string(locals.size());
    locals.push_back(local);
    return rig.opener.accept(local);
  };
  for (std::size_t i = 0; i < kStreams + kMaxWaiting - 1; ++i) EXPECT_EQ(come(), i + 1);
  EXPECT_THAT(rig.opener.log, Not(::testing::Contains("pause")));
  EXPECT_NE(come(), 0U);
  EXPECT_EQ(rig.opener.log.back(), "pause");
  // The listener has heard of it only after it had taken some more.
  while (locals.size() < kStreams + kMostWaiting) EXPECT_NE(come(), 0U);
  EXPECT_EQ(come(), 0U);
  EXPECT_TRUE(locals.back()->saw_reset);
  locals.pop_back();

  rig.run();
  EXPECT_EQ(rig.opener.tunnel().open_connections(), kStreams);
  EXPECT_EQ(rig.acceptor.locals.size(), kStreams);
  // As connections end, others get their turn, in the order in which they came.
  for (std::size_t served = 0; served < locals.size(); ++served) {
    const auto& far = rig.acceptor.locals.at(served + 1);
    EXPECT_EQ(far->output, std::to_string(served));
    locals[served]->ended = far->ended = true;
    rig.run();
    const bool resumed = std::count(rig.opener.log.begin(), rig.opener.log.end(), "resume") > 0;
    EXPECT_EQ(resumed, served + 1 >= kMostWaiting - kMaxWaiting / 2) << served;
  }
  EXPECT_EQ(rig.opener.tunnel().open_connections(), 0U);
  EXPECT_EQ(std::count(rig.opener.log.begin(), rig.opener.log.end(), "pause"), 1);
}

// Stream headers, written by hand.
TEST(Tunnel, HeadersMayComeOctetByOctet) {
  Rig rig;
  FakeQuic& client = rig.pair.client();
  const auto stream = client.open_stream();
  ASSERT_TRUE(stream);
  // An unknown field that may be skipped: type 1, two octets.
  const Bytes header = {4, 1, 2, 7, 7};
  for (const std::uint8_t octet : header) {
    EXPECT_THAT(rig.acceptor.log, IsEmpty());
    EXPECT_EQ(client.write(*stream, Bytes{octet}), 1U);
    rig.run();
  }
  EXPECT_EQ(client.write(*stream, as_bytes("data")), 4U);
  rig.run();
  EXPECT_EQ(rig.acceptor.locals.at(1)->output, "data");
}

TEST(Tunnel, MalformedHeadersAreRefused) {
  const std::pair<const char*, Bytes> cases[] = {
      {"unknown critical field", {2, 0x80, 0}}, {"field longer than the header", {2, 1, 5}},
      {"field without a size", {1, 1}},         {"end before the header", {}},
      {"end inside the header", {3, 1}},
  };
  for (const auto& [name, octets] : cases) {
    SCOPED_TRACE(name);
    Rig rig;
    FakeQuic& client = rig.pair.client();
    const auto stream = client.open_stream();
    ASSERT_TRUE(stream);
    EXPECT_EQ(client.write(*stream, octets), octets.size());
    client.finish(*stream);
    while (rig.pair.carry(client, rig.pair.server())) {
    }
    rig.acceptor.step();
    EXPECT_THAT(rig.acceptor.log, IsEmpty());
    EXPECT_EQ(rig.pair.server().live_streams(), 0U);
    while (rig.pair.carry(rig.pair.server(), client)) {
    }
    Bytes into(10);
    EXPECT_EQ(client.read(*stream, into).reset, 5U);
  }
}

TEST(Tunnel, AnOpenerTakesNoStreams) {
  Rig rig;
  const auto stream = rig.pair.server().open_stream();
  ASSERT_TRUE(stream);
  EXPECT_EQ(rig.pair.server().write(*stream, Bytes{0}), 1U);
  while (rig.pair.carry(rig.pair.server(), rig.pair.client())) {
  }
  rig.opener.step();
  EXPECT_THAT(rig.opener.log, IsEmpty());
  EXPECT_EQ(rig.pair.client().live_streams(), 0U);
}

TEST(Tunnel, ShutDownResetsAndReportsEverything) {
  Rig rig({.acceptor = {.streams = 2}});
  auto a = rig.open();
  rig.acceptor.hold = true;
  auto b = rig.open();
  auto waiting = rig.open();
  a.near->input = "abc";
  rig.run();
  rig.opener.shut_down();
  rig.acceptor.shut_down();
  EXPECT_TRUE(a.near->saw_reset);
  EXPECT_TRUE(a.far->saw_reset);
  EXPECT_TRUE(waiting.near->saw_reset);
  expect_closed(rig.opener, a.near_id, CloseReason::kSessionLost);
  EXPECT_EQ(rig.opener.closed(a.near_id)->bytes_sent, 3U);
  expect_closed(rig.opener, b.near_id, CloseReason::kSessionLost);
  EXPECT_EQ(rig.opener.closed(waiting.near_id), nullptr);  // it had not been opened
  expect_closed(rig.acceptor, 2, CloseReason::kSessionLost);
  EXPECT_THAT(rig.acceptor.log, ::testing::Contains("cancel 2"));
  EXPECT_EQ(rig.opener.tunnel().open_connections(), 0U);

  // Whatever still comes finds nothing.
  auto late = std::make_shared<FakeLocal>();
  EXPECT_EQ(rig.opener.accept(late), 0U);
  EXPECT_TRUE(late->saw_reset);
  rig.opener.tunnel().local_ready(a.near_id, true, true);
  rig.opener.tunnel().on_fact(quic::fact::StreamReadable{0});
  rig.opener.tunnel().shut_down();
  EXPECT_EQ(rig.opener.tunnel().poll_command().has_value(), false);
}

}  // namespace
}  // namespace peersock::tunnel::testing
