#include <iostream>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ice_world.hpp"

namespace peersock::testing {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

/// `count` datagrams of `segment` octets, the last one shorter, no two alike.
Bytes train_of(std::size_t count, std::size_t segment, std::size_t last) {
  Bytes bytes((count - 1) * segment + last);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{1});
  for (std::size_t i = 0; i < count; ++i) bytes[i * segment] = static_cast<std::uint8_t>(0x40 + i);
  return bytes;
}

void report_time(const Side& side, const std::string& name) {
  const auto took =
      std::chrono::duration<double, std::milli>(*side.connected_at - *side.credentials_at);
  ::testing::Test::RecordProperty(name + "_ms", std::to_string(took.count()));
  std::cout << "[          ] " << name << ": " << took.count()
            << " ms from the peer's credentials to the first path\n";
}

class IceOnLoopback : public ::testing::TestWithParam<std::string> {};

TEST_P(IceOnLoopback, ConnectsHostToHost) {
  Pair pair(Pair::on(GetParam(), true), Pair::on(GetParam(), false));
  ASSERT_TRUE(pair.connect());
  for (const Side* side : {&pair.a, &pair.b}) {
    ASSERT_THAT(side->paths, SizeIs(1));
    EXPECT_FALSE(side->paths[0].relayed);
    EXPECT_EQ(side->paths[0].local_type, "host");
    EXPECT_EQ(side->paths[0].remote_type, "host");
    EXPECT_EQ(side->paths[0].transport, "udp");
    EXPECT_THAT(side->warnings, IsEmpty());
  }
  EXPECT_EQ(pair.a.paths[0].local_address, pair.b.paths[0].remote_address);
  EXPECT_EQ(pair.a.paths[0].remote_address, pair.b.paths[0].local_address);
  report_time(pair.a, "controlling");
  report_time(pair.b, "controlled");
}

TEST_P(IceOnLoopback, CarriesBatchesBothWays) {
  Pair pair(Pair::on(GetParam(), true), Pair::on(GetParam(), false));
  pair.a.take_trains();
  pair.b.take_trains();
  ASSERT_TRUE(pair.connect());
  const Bytes there = train_of(50, 1200, 700);
  const Bytes back = train_of(20, 1000, 1000);
  EXPECT_EQ(pair.a.agent->send_batch({there, 1200}), quic::SendOutcome::kSent);
  EXPECT_EQ(pair.b.agent->send_batch({back, 1000}), quic::SendOutcome::kSent);
  ASSERT_TRUE(pair.until([&] {
    return pair.b.received.size() >= there.size() && pair.a.received.size() >= back.size();
  }));
  EXPECT_EQ(pair.b.received, there);
  EXPECT_EQ(pair.a.received, back);
  EXPECT_THAT(pair.b.train_sizes, ElementsAre(50)) << "one train, one run of the QUIC side";
  EXPECT_EQ(pair.b.deliveries, 1U);
  EXPECT_EQ(pair.a.agent->statistics().datagrams_sent, 50U);
  EXPECT_EQ(pair.a.agent->statistics().send_calls, 1U) << "one system call";
  EXPECT_EQ(pair.b.agent->statistics().datagrams_received, 50U);
  for (const Side* side : {&pair.a, &pair.b}) EXPECT_TRUE(side->paths.back().split);
}

TEST_P(IceOnLoopback, LibniceAloneCarriesThemOnEitherSide) {
  for (const bool both : {true, false}) {
    SideOptions a = Pair::on(GetParam(), true);
    SideOptions b = Pair::on(GetParam(), false);
    a.agent.path = adapters::PathPolicy::kNice;
    if (both) b.agent.path = adapters::PathPolicy::kNice;
    Pair pair(std::move(a), std::move(b));
    pair.a.take_trains();
    pair.b.take_trains();
    ASSERT_TRUE(pair.connect());
    const Bytes train = train_of(20, 1200, 700);
    EXPECT_EQ(pair.a.agent->send_batch({train, 1200}), quic::SendOutcome::kSent);
    EXPECT_EQ(pair.b.agent->send_batch({train, 1200}), quic::SendOutcome::kSent);
    ASSERT_TRUE(pair.until([&] {
      return pair.b.received.size() >= train.size() && pair.a.received.size() >= train.size();
    }));
    EXPECT_EQ(pair.b.received, train);
    EXPECT_EQ(pair.a.received, train);
    EXPECT_FALSE(pair.a.paths.back().split);
    EXPECT_EQ(pair.b.paths.back().split, !both);
  }
}

INSTANTIATE_TEST_SUITE_P(Addresses, IceOnLoopback, ::testing::ValuesIn(loopback_addresses()));

TEST(Ice, FindsAPathWithTheInterfacesOfThisMachine) {
  SideOptions a;
  a.agent.controlling = true;
  Pair pair(std::move(a), SideOptions{});
  ASSERT_TRUE(pair.connect());
  EXPECT_THAT(pair.a.warnings, IsEmpty());
}

TEST(Ice, HostCandidatesAreThereAtOnce) {
  Pair pair;
  pair.start();
  EXPECT_THAT(pair.a.local_candidates, IsEmpty()) << "never from inside a call";
  pair.loop.turns(1);
  ASSERT_THAT(pair.a.local_candidates, SizeIs(1));
  EXPECT_EQ(pair.a.local_candidates[0].address, "127.0.0.1");
  EXPECT_EQ(pair.a.local_candidates[0].type, wire::CandidateType::kHost);
}

TEST(Ice, ARoleConflictIsResolved) {
  for (const bool controlling : {true, false}) {
    Pair pair(Pair::on("127.0.0.1", controlling), Pair::on("127.0.0.1", controlling));
    EXPECT_TRUE(pair.connect());
  }
}

TEST(Ice, ChecksThatComeBeforeTheCredentialsAreRemembered) {
  Pair pair(Pair::on("127.0.0.1", false), Pair::on("127.0.0.1", true));
  pair.b.filter = [&](wire::IceMessage& message) {
    pair.b.withheld.push_back(message);
    return false;
  };
  pair.a.take_trains();
  pair.start();
  pair.open_channels();
  // B knows A, checks and is content, while A has not heard of B.
  ASSERT_TRUE(pair.until([&] { return pair.b.connected(); }));
  EXPECT_EQ(pair.a.state(), "Exchanging");
  const Bytes datagram = train_of(1, 100, 100);
  EXPECT_EQ(pair.b.agent->send_batch({datagram, 100}), quic::SendOutcome::kSent);
  pair.b.filter = nullptr;
  for (const auto& message : pair.b.withheld) pair.b.send_to_peer(message);
  EXPECT_TRUE(pair.until([&] { return pair.a.connected() && !pair.a.received.empty(); }));
}

TEST(Ice, NothingIsSentBeforeAPathIsThere) {
  Pair pair;
  const Bytes datagram = train_of(1, 100, 100);
  EXPECT_EQ(pair.a.agent->send_batch({datagram, 100}), quic::SendOutcome::kError);
  pair.start();
  pair.loop.turns(3);
  EXPECT_EQ(pair.a.agent->send_batch({datagram, 100}), quic::SendOutcome::kError);
}

TEST(Ice, DatagramsThatComeEarlyAreKept) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  const Bytes datagrams = train_of(3, 100, 100);
  ASSERT_EQ(pair.a.agent->send_batch({datagrams, 100}), quic::SendOutcome::kSent);
  ASSERT_TRUE(pair.until([&] { return pair.b.agent->statistics().datagrams_received == 3; }));
  pair.loop.turns(3);
  pair.b.take_trains();
  EXPECT_THAT(pair.b.received, IsEmpty()) << "never from inside a call";
  ASSERT_TRUE(pair.until([&] { return !pair.b.received.empty(); }));
  EXPECT_EQ(pair.b.received, datagrams);
}

TEST(Ice, TooManyEarlyDatagramsAreDroppedAndCounted) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  const Bytes datagrams = train_of(40, 100, 100);
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(pair.a.agent->send_batch({datagrams, 100}), quic::SendOutcome::kSent);
  }
  ASSERT_TRUE(pair.until([&] { return pair.b.agent->statistics().datagrams_received == 80; }));
  EXPECT_EQ(pair.b.agent->statistics().datagrams_dropped, 16U);
}

TEST(Ice, WrongCredentialsEndInAFailureWithASentence) {
  Pair pair;
  pair.a.filter = [](wire::IceMessage& message) {
    if (message.password) message.password = "wrongwrongwrongwrongwrong";
    return true;
  };
  pair.b.filter = pair.a.filter;
  pair.start();
  pair.open_channels();
  ASSERT_TRUE(pair.until([&] { return !pair.a.story.empty() && pair.a.story.back() == "failed"; }));
  pair.a.run_machine();
  EXPECT_EQ(pair.a.state(), "Checking");
  pair.a.advance(ice::kLastChance);
  pair.a.run_machine();
  ASSERT_TRUE(pair.a.failure);
  EXPECT_EQ(pair.a.failure->kind, ErrorKind::kNoPath);
  EXPECT_THAT(pair.a.failure->message, HasSubstr("no relay is configured"));
}

TEST(Ice, WithoutCandidatesTheSearchEndsInTime) {
  SideOptions a = Pair::on("127.0.0.1", true);
  SideOptions b = Pair::on("127.0.0.1", false);
  for (SideOptions* side : {&a, &b}) {
    side->agent.relay = ice::RelayPolicy::kOnly;
    side->negotiation.relay = ice::RelayPolicy::kOnly;
  }
  Pair pair(std::move(a), std::move(b));
  pair.start();
  pair.open_channels();
  ASSERT_TRUE(pair.until([&] { return pair.a.state() == "Checking"; }));
  EXPECT_THAT(pair.a.local_candidates, IsEmpty());
  pair.a.advance(ice::kPathTimeout);
  pair.a.run_machine();
  ASSERT_TRUE(pair.a.failure);
  EXPECT_EQ(pair.a.failure->kind, ErrorKind::kNoPath);
}

TEST(Ice, AMachineWithoutInterfacesSaysSo) {
  SideOptions a;
  a.agent.interfaces.emplace();
  Pair pair(std::move(a));
  pair.a.start();
  ASSERT_TRUE(pair.until([&] { return !pair.a.story.empty(); }));
  EXPECT_THAT(pair.a.story, ElementsAre("gathered"));
  EXPECT_THAT(pair.a.warnings, Contains(HasSubstr("no network interface")));
}

}  // namespace
}  // namespace peersock::testing
