// Two agents where UDP does not get through.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapters/clock.hpp"
#include "adapters/tcp_paths.hpp"
#include "ice_tcp_world.hpp"
#include "turn_server.hpp"

namespace peersock::testing {
namespace {

using adapters::TurnTransport;
using ::testing::Contains;
using ::testing::IsEmpty;

// ---- paths --------------------------------------------------------------------------------------

class IceTcpOnLoopback : public ::testing::TestWithParam<std::string> {};

TEST_P(IceTcpOnLoopback, ConnectsWhereNoUdpGetsThrough) {
  Pair pair(tcp_side(true, GetParam()), tcp_side(false, GetParam()));
  pair.a.filter = pair.b.filter = without_udp;
  ASSERT_TRUE(pair.connect());
  // Each connects to the other, and both use the same of the two connections in the end.
  ASSERT_TRUE(pair.until([&] {
    return pair.a.paths.back().local_address == pair.b.paths.back().remote_address &&
           pair.a.paths.back().remote_address == pair.b.paths.back().local_address;
  }));
  for (const Side* each : {&pair.a, &pair.b}) {
    EXPECT_EQ(each->paths.back().transport, "tcp");
    EXPECT_FALSE(each->paths.back().relayed);
    EXPECT_FALSE(each->paths.back().split);
    EXPECT_THAT(each->warnings, IsEmpty());
    EXPECT_EQ(each->local_candidates.size(), 2U);
  }
  expect_data_both_ways(pair);
}

INSTANTIATE_TEST_SUITE_P(Addresses, IceTcpOnLoopback, ::testing::ValuesIn(loopback_addresses()));

TEST(IceTcp, OneSideThatCanBeReachedIsEnough) {
  for (const bool controlling : {true, false}) {
    Pair pair(tcp_side(controlling), tcp_side(!controlling));
    pair.a.filter = without_udp;
    pair.b.filter = without_any;
    ASSERT_TRUE(pair.connect());
    EXPECT_EQ(pair.a.paths.back().remote_type, "prflx");
    EXPECT_EQ(pair.b.paths.back().remote_type, "host");
    EXPECT_EQ(pair.a.paths.back().local_address, pair.b.paths.back().remote_address);
    EXPECT_EQ(pair.a.paths.back().remote_address, pair.b.paths.back().local_address);
    EXPECT_EQ(pair.b.agent->statistics().datagrams_sent, 0U);
    expect_data_both_ways(pair);
    EXPECT_EQ(pair.a.agent->statistics().datagrams_sent, 50U);
    EXPECT_EQ(pair.a.agent->statistics().datagrams_received, 20U);
  }
}

TEST(IceTcp, WhereUdpWorksNobodyListens) {
  const auto in_time = [](const Side& side) {
    return *side.connected_at - *side.credentials_at < adapters::kTcpHeadStart / 2;
  };
  // UDP takes some milliseconds, but for a machine that is busy with something else.
  std::unique_ptr<Pair> pair;
  for (int attempt = 0; attempt < 10; ++attempt) {
    pair = std::make_unique<Pair>(tcp_side(true), tcp_side(false));
    ASSERT_TRUE(pair->connect());
    if (in_time(pair->a) && in_time(pair->b)) break;
  }
  ASSERT_TRUE(in_time(pair->a) && in_time(pair->b));
  ASSERT_NE(tcp_port(pair->a), 0);
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(connect_to(tcp_port(pair->a)));
    EXPECT_FALSE(connect_to(tcp_port(pair->b)));
    pass(*pair, adapters::kTcpHeadStart / 5);
  }
  EXPECT_FALSE(is_over_tcp(pair->a));
  EXPECT_FALSE(is_over_tcp(pair->b));
}

TEST(IceTcp, NobodyListensBeforeThePeerIsThere) {
  Pair pair(tcp_side(true), tcp_side(false));
  pair.a.start();
  pass(pair, 2 * adapters::kTcpHeadStart);
  ASSERT_NE(tcp_port(pair.a), 0);
  EXPECT_FALSE(connect_to(tcp_port(pair.a)));
}

TEST(IceTcp, PrivateAddressesAreNotOffered) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  EXPECT_EQ(tcp_port(pair.a), 0);
}

TEST(IceTcp, NothingIsOfferedWhereOnlyRelaysAreAllowed) {
  SideOptions a = tcp_side(true);
  a.agent.relay = ice::RelayPolicy::kOnly;
  Pair pair(std::move(a), tcp_side(false));
  pair.start();
  ASSERT_TRUE(pair.until([&] { return ::testing::Matches(Contains("gathered"))(pair.a.story); }));
  EXPECT_THAT(pair.a.local_candidates, IsEmpty());
}

TEST(IceTcp, TakesOverFromARelayAndGivesWayToUdp) {
  const TurnProcess turn;
  SideOptions options[] = {tcp_side(true), tcp_side(false)};
  for (SideOptions& each : options) {
    each.agent.turn.push_back(turn.server(TurnTransport::kUdp));
    each.negotiation.has_relay = true;
  }
  Pair pair(std::move(options[0]), std::move(options[1]));
  for (Side* each : {&pair.a, &pair.b}) {
    each->filter = [each](wire::IceMessage& message) {
      wire::IceMessage direct = message;
      std::erase_if(direct.candidates, [](const auto& candidate) {
        return is_tcp(candidate) || candidate.type == wire::CandidateType::kRelayed;
      });
      direct.ufrag.reset();
      direct.password.reset();
      each->withheld.push_back(direct);
      message.end_of_candidates = false;
      return without_udp(message);
    };
  }
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.until([&] { return is_over_tcp(pair.a) && is_over_tcp(pair.b); }));
  EXPECT_TRUE(pair.a.paths.front().relayed);
  expect_data_both_ways(pair);
  for (Side* each : {&pair.a, &pair.b}) {
    each->filter = nullptr;
    for (const auto& message : each->withheld) each->send_to_peer(message);
  }
  EXPECT_TRUE(pair.until([&] {
    return !pair.a.paths.back().relayed && !is_over_tcp(pair.a) && !pair.b.paths.back().relayed &&
           !is_over_tcp(pair.b);
  }));
  pair.a.received.clear();
  pair.b.received.clear();
  pair.b.train_sizes.clear();
  expect_data_both_ways(pair);
}

TEST(IceTcp, APeerWithOtherCredentialsIsNotLetIn) {
  Pair pair(tcp_side(true), tcp_side(false));
  pair.a.filter = pair.b.filter = [](wire::IceMessage& message) {
    if (message.password) message.password = "wrongwrongwrongwrongwrong";
    return without_udp(message);
  };
  pair.start();
  pair.open_channels();
  ASSERT_TRUE(pair.until([&] { return pair.a.state() == "Checking"; }));
  pass(pair, 2s);
  EXPECT_EQ(pair.a.state(), "Checking");
  EXPECT_EQ(pair.b.state(), "Checking");
}

TEST(IceTcp, ThePathIsBrokenWhenThePeerGoes) {
  Pair pair(tcp_side(true), tcp_side(false));
  pair.a.filter = pair.b.filter = without_udp;
  ASSERT_TRUE(pair.connect());
  pair.b.agent.reset();
  ASSERT_TRUE(pair.until([&] { return pair.a.state() == "Broken"; }));
  const Bytes datagram = train_of(1, 100);
  EXPECT_EQ(pair.a.agent->send_batch({datagram, 100}), quic::SendOutcome::kError);
}

// ---- data ---------------------------------------------------------------------------------------

TEST(IceTcp, APathThatIsFullBlocksAndGoesOn) {
  Pair pair(tcp_side(true), tcp_side(false));
  pair.a.filter = pair.b.filter = without_udp;
  pair.b.take_trains();
  ASSERT_TRUE(pair.connect());
  const Bytes train = train_of(50, 1200);
  std::size_t sent = 0;
  pair.a.writable = false;
  // The loop does not run, so that nobody reads.
  for (; sent < 5000; ++sent) {
    const auto outcome = pair.a.agent->send_batch({train, 1200});
    if (outcome == quic::SendOutcome::kWouldBlock) break;
    ASSERT_EQ(outcome, quic::SendOutcome::kSent);
  }
  ASSERT_LT(sent, 5000U);
  ASSERT_TRUE(pair.until([&] { return pair.a.writable; }));
  EXPECT_EQ(pair.a.agent->send_batch({train, 1200}), quic::SendOutcome::kSent);
  ++sent;
  ASSERT_TRUE(pair.until([&] { return pair.b.received.size() >= sent * train.size(); }));
  ASSERT_EQ(pair.b.received.size(), sent * train.size());
  for (std::size_t i = 0; i < sent; ++i) {
    const auto from = pair.b.received.begin() + static_cast<std::ptrdiff_t>(i * train.size());
    ASSERT_TRUE(std::equal(train.begin(), train.end(), from)) << i;
  }
  EXPECT_GT(pair.a.agent->statistics().would_block, 0U);
}

TEST(IceTcp, ManySmallDatagramsArriveEachOnItsOwn) {
  Pair pair(tcp_side(true), tcp_side(false));
  pair.a.filter = pair.b.filter = without_udp;
  pair.b.take_trains();
  ASSERT_TRUE(pair.connect());
  const Bytes train = train_of(180, 30);
  ASSERT_EQ(pair.a.agent->send_batch({train, 30}), quic::SendOutcome::kSent);
  ASSERT_TRUE(pair.until([&] { return pair.b.received.size() >= train.size(); }));
  EXPECT_EQ(pair.b.received, train);
  EXPECT_EQ(pair.b.agent->statistics().datagrams_received, 180U);
}

TEST(IceTcp, ADatagramThatFitsNoFrameIsALoss) {
  Pair pair(tcp_side(true), tcp_side(false));
  pair.a.filter = pair.b.filter = without_udp;
  ASSERT_TRUE(pair.connect());
  const Bytes long_one(wire::kMaxTcpFrame + 1, 0x41);
  EXPECT_EQ(pair.a.agent->send_batch({long_one, long_one.size()}), quic::SendOutcome::kTooBig);
  const Bytes longest(wire::kMaxTcpFrame, 0x41);
  EXPECT_EQ(pair.a.agent->send_batch({longest, longest.size()}), quic::SendOutcome::kSent);
  EXPECT_EQ(pair.a.agent->statistics().send_losses, 1U);
}

// ---- the end ------------------------------------------------------------------------------------

TEST(IceTcpClosing, AtAnyTime) {
  // From before the search to after it has found a path.
  for (Duration when = 0ms; when < 2 * adapters::kTcpHeadStart; when += 10ms) {
    Pair pair(tcp_side(true), tcp_side(false));
    pair.a.filter = pair.b.filter = without_udp;
    const std::size_t before = open_descriptors();
    pair.start();
    pair.open_channels();
    ASSERT_TRUE(pair.until([&] { return pair.a.credentials_at.has_value(); }));
    pass(pair, when);
    pair.a.agent.reset();
    pair.b.agent.reset();
    EXPECT_TRUE(pair.until([&] { return open_descriptors() <= before; }));
  }
}

TEST(IceTcpClosing, FromInsideADelivery) {
  Pair pair(tcp_side(true), tcp_side(false));
  pair.a.filter = pair.b.filter = without_udp;
  ASSERT_TRUE(pair.connect());
  bool gone = false;
  pair.b.agent->set_trains_handler([&](std::span<const quic::DatagramTrain>) {
    pair.b.agent.reset();
    gone = true;
  });
  const Bytes train = train_of(180, 30);
  EXPECT_EQ(pair.a.agent->send_batch({train, 30}), quic::SendOutcome::kSent);
  EXPECT_TRUE(pair.until([&] { return gone; }));
  pair.loop.turns(20);
}

TEST(IceTcpClosing, WhatWasSentLastStillArrives) {
  Pair pair(tcp_side(true), tcp_side(false));
  pair.a.filter = pair.b.filter = without_udp;
  pair.a.take_trains();
  pair.b.take_trains();
  ASSERT_TRUE(pair.connect());
  const Bytes unread = train_of(10, 1200);
  ASSERT_EQ(pair.b.agent->send_batch({unread, 1200}), quic::SendOutcome::kSent);
  const Bytes last = train_of(20, 1200);
  ASSERT_EQ(pair.a.agent->send_batch({last, 1200}), quic::SendOutcome::kSent);
  pair.a.agent.reset();
  EXPECT_TRUE(pair.until([&] { return pair.b.received == last; }));
}

}  // namespace
}  // namespace peersock::testing
