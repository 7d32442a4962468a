// Two agents where UDP does not get through, and what strangers may do to the ports that are open.
#include <array>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "adapters/clock.hpp"
#include "adapters/socket_address.hpp"
#include "adapters/tcp_paths.hpp"
#include "ice_world.hpp"
#include "turn_server.hpp"
#include "wire/stun_check.hpp"

namespace peersock::testing {
namespace {

using adapters::TurnTransport;
using adapters::UniqueFd;
using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using wire::CandidateTransport;

bool is_tcp(const wire::Candidate& candidate) {
  return candidate.transport != CandidateTransport::kUdp;
}

SideOptions side(bool controlling, const std::string& address = "127.0.0.1") {
  SideOptions options = Pair::on(address, controlling);
  options.agent.tcp_anywhere = true;
  return options;
}

/// As where UDP is blocked: of the direct candidates only those over TCP arrive.
bool without_udp(wire::IceMessage& message) {
  std::erase_if(message.candidates, [](const wire::Candidate& candidate) {
    return !is_tcp(candidate) && candidate.type != wire::CandidateType::kRelayed;
  });
  return true;
}

bool without_any(wire::IceMessage& message) {
  message.candidates.clear();
  return true;
}

/// `count` datagrams of `segment` octets, no two alike.
Bytes train_of(std::size_t count, std::size_t segment, std::uint8_t first = 0) {
  Bytes bytes(count * segment);
  std::iota(bytes.begin(), bytes.end(), first);
  for (std::size_t i = 0; i < count; ++i) bytes[i * segment] = static_cast<std::uint8_t>(0x40 + i);
  return bytes;
}

bool is_over_tcp(const Side& side) {
  return !side.paths.empty() && side.paths.back().transport == "tcp";
}

/// The port at which a side lets its peer in.
std::uint16_t tcp_port(const Side& side) {
  const auto& all = side.local_candidates;
  const auto found = std::find_if(all.begin(), all.end(), is_tcp);
  return found == all.end() ? std::uint16_t{0} : found->port;
}

UniqueFd connect_to(std::uint16_t port) {
  const auto address = adapters::numeric_address("127.0.0.1", port);
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(fd.get(), address->get(), address->size) != 0) fd.reset();
  return fd;
}

/// The other side has ended the connection.
bool is_ended(const UniqueFd& fd) {
  std::array<std::uint8_t, 64> octets{};
  const ssize_t got = ::recv(fd.get(), octets.data(), octets.size(), MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN);
}

void send_text(const UniqueFd& fd, std::string_view text) {
  EXPECT_EQ(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(text.size()));
}

/// Runs the loop for about so long.
void pass(Pair& pair, Duration span) {
  const Instant until = adapters::monotonic_now() + span;
  adapters::Wakeup tick(pair.loop.context(), [] {});
  tick.after(span);
  EXPECT_TRUE(pair.until([&] { return adapters::monotonic_now() >= until; }));
}

/// Waits until the port of a side is open to everybody.
bool until_it_listens(Pair& pair, const Side& side) {
  for (int i = 0; i < 100; ++i) {
    if (tcp_port(side) != 0 && connect_to(tcp_port(side))) return true;
    pass(pair, 20ms);
  }
  return false;
}

void expect_data_both_ways(Pair& pair) {
  pair.a.take_trains();
  pair.b.take_trains();
  const Bytes there = train_of(50, 1200);
  const Bytes back = train_of(20, 1000);
  EXPECT_EQ(pair.a.agent->send_batch({there, 1200}), quic::SendOutcome::kSent);
  EXPECT_EQ(pair.b.agent->send_batch({back, 1000}), quic::SendOutcome::kSent);
  EXPECT_TRUE(pair.until([&] { return pair.b.received == there && pair.a.received == back; }));
  EXPECT_EQ(std::accumulate(pair.b.train_sizes.begin(), pair.b.train_sizes.end(), std::size_t{0}),
            50U)
      << "datagrams, not octets";
}

// ---- paths --------------------------------------------------------------------------------------

class IceTcpOnLoopback : public ::testing::TestWithParam<std::string> {};

TEST_P(IceTcpOnLoopback, ConnectsWhereNoUdpGetsThrough) {
  Pair pair(side(true, GetParam()), side(false, GetParam()));
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
    Pair pair(side(controlling), side(!controlling));
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
    pair = std::make_unique<Pair>(side(true), side(false));
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
  Pair pair(side(true), side(false));
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
  SideOptions a = side(true);
  a.agent.relay = ice::RelayPolicy::kOnly;
  Pair pair(std::move(a), side(false));
  pair.start();
  ASSERT_TRUE(pair.until([&] { return ::testing::Matches(Contains("gathered"))(pair.a.story); }));
  EXPECT_THAT(pair.a.local_candidates, IsEmpty());
}

TEST(IceTcp, TakesOverFromARelayAndGivesWayToUdp) {
  const TurnProcess turn;
  SideOptions options[] = {side(true), side(false)};
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
  Pair pair(side(true), side(false));
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
  Pair pair(side(true), side(false));
  pair.a.filter = pair.b.filter = without_udp;
  ASSERT_TRUE(pair.connect());
  pair.b.agent.reset();
  ASSERT_TRUE(pair.until([&] { return pair.a.state() == "Broken"; }));
  const Bytes datagram = train_of(1, 100);
  EXPECT_EQ(pair.a.agent->send_batch({datagram, 100}), quic::SendOutcome::kError);
}

// ---- data ---------------------------------------------------------------------------------------

TEST(IceTcp, APathThatIsFullBlocksAndGoesOn) {
  Pair pair(side(true), side(false));
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
  Pair pair(side(true), side(false));
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
  Pair pair(side(true), side(false));
  pair.a.filter = pair.b.filter = without_udp;
  ASSERT_TRUE(pair.connect());
  const Bytes long_one(wire::kMaxTcpFrame + 1, 0x41);
  EXPECT_EQ(pair.a.agent->send_batch({long_one, long_one.size()}), quic::SendOutcome::kTooBig);
  const Bytes longest(wire::kMaxTcpFrame, 0x41);
  EXPECT_EQ(pair.a.agent->send_batch({longest, longest.size()}), quic::SendOutcome::kSent);
  EXPECT_EQ(pair.a.agent->statistics().send_losses, 1U);
}

// ---- strangers ----------------------------------------------------------------------------------

/// A listens, and the peer is kept from knowing where.
class IceTcpStrangers : public ::testing::Test {
 protected:
  void SetUp() override {
    pair.a.filter = [this](wire::IceMessage& message) {
      pair.a.withheld.push_back(message);
      message.end_of_candidates = false;
      return without_any(message);
    };
    pair.b.filter = without_any;
    pair.start();
    pair.open_channels();
    ASSERT_TRUE(until_it_listens(pair, pair.a));
  }
  void let_the_peer_in() {
    pair.a.filter = nullptr;
    for (auto& message : pair.a.withheld) {
      without_udp(message);
      pair.a.send_to_peer(message);
    }
    ASSERT_TRUE(pair.until([&] { return pair.a.connected() && pair.b.connected(); }));
    EXPECT_TRUE(is_over_tcp(pair.a));
    expect_data_both_ways(pair);
  }
  Pair pair{side(true), side(false)};
};

TEST_F(IceTcpStrangers, AreSentAwayForWhatTheySay) {
  wire::CheckKey wrong{};
  Bytes check;
  wire::append_tcp_frame(check, wire::encode(wire::StunCheck{}, wrong));
  for (const std::string& text : {std::string("GET / HTTP/1.1\r\n\r\n"), std::string("\xff\xff"),
                                  std::string("\0\1x", 3), std::string(as_text(check))}) {
    const UniqueFd stranger = connect_to(tcp_port(pair.a));
    ASSERT_TRUE(stranger);
    const Instant began = adapters::monotonic_now();
    send_text(stranger, text);
    EXPECT_TRUE(pair.until([&] { return is_ended(stranger); })) << text;
    EXPECT_LT(adapters::monotonic_now() - began, adapters::kTcpProofLimit / 2) << "at once";
  }
  let_the_peer_in();
}

TEST_F(IceTcpStrangers, WhoSayNothingAreFewAndKeepNobodyOut) {
  const std::size_t before = open_descriptors();
  std::vector<UniqueFd> strangers;
  for (int i = 0; i < 40; ++i) {
    strangers.push_back(connect_to(tcp_port(pair.a)));
    ASSERT_TRUE(strangers.back()) << i;
    // Half a frame, which must not meet another connection's octets.
    send_text(strangers.back(), std::string_view("\0\x40half", 6));
    pass(pair, 5ms);
  }
  EXPECT_LE(open_descriptors(), before + strangers.size() + adapters::kMaxTcpStrangers);
  EXPECT_TRUE(is_ended(strangers.front()));
  EXPECT_FALSE(is_ended(strangers.back()));
  let_the_peer_in();
  pass(pair, adapters::kTcpProofLimit + 100ms);
  EXPECT_TRUE(is_ended(strangers.back())) << "their time is over";
  EXPECT_TRUE(pair.a.connected());
}

TEST_F(IceTcpStrangers, NobodyIsLetInAfterTheSearch) {
  pass(pair, adapters::kTcpSearch);
  EXPECT_FALSE(connect_to(tcp_port(pair.a)));
}

// ---- the end ------------------------------------------------------------------------------------

TEST(IceTcpClosing, AtAnyTime) {
  // From before the search to after it has found a path.
  for (Duration when = 0ms; when < 2 * adapters::kTcpHeadStart; when += 10ms) {
    Pair pair(side(true), side(false));
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
  Pair pair(side(true), side(false));
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
  Pair pair(side(true), side(false));
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
