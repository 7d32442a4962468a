// How connections end: half-closes, resets, and programs that take no more.
#include <functional>

#include <gtest/gtest.h>

#include "rig.hpp"

namespace peersock::tunnel::testing {
namespace {

constexpr std::size_t kLong = 1'000'000;  ///< more than all windows and buffers together

void expect_closed(const Side& side, ConnectionId id, CloseReason reason) {
  const event::ConnectionClosed* const closed = side.closed(id);
  ASSERT_NE(closed, nullptr);
  EXPECT_EQ(to_string(closed->reason), to_string(reason));
}

// In which order the two programs speak, end, and go on speaking.
struct HalfClose {
  const char* name;
  std::vector<std::function<void(Rig::Connection&)>> steps;
};

TEST(TunnelClose, HalfCloseInEveryOrder) {
  const auto near_says = [](Rig::Connection& c) { c.near->input += pattern(200'000, 1); };
  const auto far_says = [](Rig::Connection& c) { c.far->input += pattern(200'000, 2); };
  const auto near_ends = [](Rig::Connection& c) { c.near->ended = true; };
  const auto far_ends = [](Rig::Connection& c) { c.far->ended = true; };
  const HalfClose cases[] = {
      {"near first", {near_says, near_ends, far_says, far_ends}},
      {"far first", {far_says, far_ends, near_says, near_ends}},
      {"near at once", {near_ends, far_says, far_says, far_ends}},
      {"far at once", {far_ends, near_says, near_says, near_ends}},
      {"alternately", {near_says, far_says, near_ends, far_says, far_ends}},
      {"silent", {near_ends, far_ends}},
      {"silent, far first", {far_ends, near_ends}},
  };
  for (const HalfClose& order : cases) {
    SCOPED_TRACE(order.name);
    Rig rig;
    auto c = rig.open();
    std::string near_said;
    std::string far_said;
    for (const auto& step : order.steps) {
      step(c);
      near_said += c.near->input;
      far_said += c.far->input;
      rig.run();
      // Each end is passed on by itself, and after everything that preceded it.
      EXPECT_EQ(c.far->saw_end, c.near->ended);
      EXPECT_EQ(c.near->saw_end, c.far->ended);
      EXPECT_EQ(c.far->output == near_said, true);
      EXPECT_EQ(c.near->output == far_said, true);
    }
    EXPECT_FALSE(c.near->saw_reset);
    EXPECT_FALSE(c.far->saw_reset);
    expect_closed(rig.opener, c.near_id, CloseReason::kFinished);
    expect_closed(rig.acceptor, c.far_id, CloseReason::kFinished);
    EXPECT_TRUE(c.near->closed);
    EXPECT_TRUE(c.far->closed);
    EXPECT_EQ(rig.pair.server().live_streams(), 0U);
  }
}

TEST(TunnelClose, HalfClosesThatCross) {
  Rig rig;
  auto c = rig.open();
  c.near->input = pattern(kLong, 1);
  c.far->input = pattern(kLong, 2);
  c.near->ended = c.far->ended = true;
  rig.run();
  EXPECT_TRUE(c.far->output == pattern(kLong, 1));
  EXPECT_TRUE(c.near->output == pattern(kLong, 2));
  expect_closed(rig.opener, c.near_id, CloseReason::kFinished);
  expect_closed(rig.acceptor, c.far_id, CloseReason::kFinished);
}

// A reset by the near or the far program, at each stage of a connection's life.
struct ResetCase {
  const char* name;
  std::function<void(Rig::Connection&)> before;
};

TEST(TunnelClose, ResetsReachTheOtherProgramAtEveryStage) {
  const ResetCase cases[] = {
      {"at once", [](Rig::Connection&) {}},
      {"after speaking",
       [](Rig::Connection& c) { c.near->input = c.far->input = pattern(100'000); }},
      {"while the other does not read",
       [](Rig::Connection& c) {
         c.near->room = c.far->room = 10;
         c.near->input = c.far->input = pattern(100'000);
       }},
  };
  for (const bool by_near : {true, false}) {
    for (const ResetCase& stage : cases) {
      SCOPED_TRACE(std::string(by_near ? "near, " : "far, ") + stage.name);
      Rig rig;
      auto c = rig.open();
      stage.before(c);
      rig.run();
      (by_near ? c.near : c.far)->reset = "reset";
      rig.run();
      EXPECT_TRUE((by_near ? c.far : c.near)->saw_reset);
      EXPECT_TRUE(c.near->closed);
      EXPECT_TRUE(c.far->closed);
      expect_closed(rig.opener, c.near_id, CloseReason::kAborted);
      expect_closed(rig.acceptor, c.far_id, CloseReason::kAborted);
      EXPECT_EQ(rig.pair.client().live_streams(), 0U);
      EXPECT_EQ(rig.pair.server().live_streams(), 0U);
    }
  }
}

TEST(TunnelClose, AResetAfterTheOtherSideEndedIsPassedOn) {
  for (const bool by_near : {true, false}) {
    SCOPED_TRACE(by_near);
    Rig rig;
    auto c = rig.open();
    const Local& resetting = by_near ? c.near : c.far;
    const Local& other = by_near ? c.far : c.near;
    other->input = "bye";
    other->ended = true;
    rig.run();
    EXPECT_EQ(resetting->output, "bye");
    EXPECT_TRUE(resetting->saw_end);
    resetting->reset = "reset";
    rig.run();
    EXPECT_TRUE(other->saw_reset);
    EXPECT_EQ(rig.pair.server().live_streams(), 0U);
  }
}

TEST(TunnelClose, WhatWasSaidBeforeAResetByItsOwnSpeakerMayArriveFirst) {
  Rig rig;
  auto c = rig.open();
  c.far->input = "last words";
  rig.run();
  c.far->reset = "reset";
  rig.run();
  EXPECT_EQ(c.near->output, "last words");
  EXPECT_TRUE(c.near->saw_reset);
}

// The far program takes no more, as a socket whose peer has closed it: STOP_SENDING.
TEST(TunnelClose, ADeafProgramStopsItsSpeakerAndIsStillHeard) {
  Rig rig;
  auto c = rig.open();
  c.near->input = "request";
  rig.run();
  c.far->deaf = "closed";
  c.far->input = pattern(kLong);
  c.far->ended = true;
  c.near->input = pattern(100'000);
  rig.run();
  EXPECT_TRUE(c.near->output == pattern(kLong));
  EXPECT_TRUE(c.near->saw_end);
  EXPECT_FALSE(c.near->saw_reset);  // closing it in order tells its program soon enough
  EXPECT_TRUE(c.near->closed);
  EXPECT_EQ(c.far->output, "request");
  expect_closed(rig.opener, c.near_id, CloseReason::kAborted);
  expect_closed(rig.acceptor, c.far_id, CloseReason::kAborted);
  EXPECT_EQ(rig.pair.client().live_streams(), 0U);
}

TEST(TunnelClose, AProgramDeafForGoodIsBrokenOffAtOnce) {
  Rig rig;
  auto c = rig.open();
  c.far->deaf = "disk full";
  c.far->deaf_for_good = true;
  c.near->input = "data";
  rig.run();
  EXPECT_TRUE(c.near->saw_reset);
  EXPECT_TRUE(c.far->closed);
  expect_closed(rig.opener, c.near_id, CloseReason::kAborted);
}

TEST(TunnelClose, DeafAfterTheSpeakerEndedIsStillReported) {
  Rig rig;
  auto c = rig.open();
  c.far->room = 10;
  c.near->input = pattern(1000);
  c.near->ended = true;
  rig.run();
  c.far->deaf = "closed";
  c.far->ended = true;
  rig.run();
  expect_closed(rig.acceptor, c.far_id, CloseReason::kAborted);
  expect_closed(rig.opener, c.near_id, CloseReason::kAborted);
}

}  // namespace
}  // namespace peersock::tunnel::testing
