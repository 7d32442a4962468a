// With a real TURN server on loopback, and with servers that are silent, wrong or unknown.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "adapters/clock.hpp"
#include "ice_world.hpp"
#include "support/glib_loop.hpp"
#include "support/tcp_peer.hpp"
#include "turn_server.hpp"
#include "udp_gate.hpp"

namespace peersock::testing {
namespace {

using adapters::TurnTransport;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using wire::CandidateType;

/// A UDP port on loopback where nobody answers.
class SilentServer {
 public:
  SilentServer() : socket_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length), 0);
    port_ = ntohs(address.sin_port);
  }
  ~SilentServer() { close(socket_); }
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;
  SilentServer(SilentServer&&) = delete;
  SilentServer& operator=(SilentServer&&) = delete;
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  int socket_;
  std::uint16_t port_ = 0;
};

/// A check is sent this often before it has failed.
constexpr int kTries = 4;

/// Leaves the relayed candidates in the message, which then is not the last one.
std::vector<wire::Candidate> take_direct(wire::IceMessage& message) {
  const auto direct = std::stable_partition(
      message.candidates.begin(), message.candidates.end(),
      [](const wire::Candidate& candidate) { return candidate.type == CandidateType::kRelayed; });
  std::vector<wire::Candidate> taken(direct, message.candidates.end());
  message.candidates.erase(direct, message.candidates.end());
  message.end_of_candidates = false;
  return taken;
}

class IceRelay : public ::testing::TestWithParam<TurnTransport> {
 protected:
  SideOptions side(bool controlling, ice::RelayPolicy relay, const std::string& password = "p") {
    SideOptions options = Pair::on("127.0.0.1", controlling);
    options.agent.relay = relay;
    options.negotiation.relay = relay;
    options.negotiation.has_relay = true;
    options.agent.turn.push_back(turn.server(GetParam(), password));
    options.agent.trusted = turn.trusted();
    return options;
  }
  TurnProcess turn;
};

TEST_P(IceRelay, OnlyRelayedPathsAreUsedWhenOnlyTheyAreAllowed) {
  Pair pair(side(true, ice::RelayPolicy::kOnly), side(false, ice::RelayPolicy::kOnly));
  pair.a.take_trains();
  pair.b.take_trains();
  ASSERT_TRUE(pair.connect());
  for (const Side* each : {&pair.a, &pair.b}) {
    ASSERT_THAT(each->local_candidates, SizeIs(1));
    EXPECT_EQ(each->local_candidates[0].type, CandidateType::kRelayed);
    EXPECT_TRUE(each->paths.back().relayed);
    EXPECT_EQ(each->paths.back().local_type, "relay");
    EXPECT_EQ(each->paths.back().relay_transport, adapters::to_string(GetParam()));
  }
  const Bytes datagrams(std::size_t{20} * 1200, 0x41);
  ASSERT_EQ(pair.a.agent->send_batch({datagrams, 1200}), quic::SendOutcome::kSent);
  ASSERT_EQ(pair.b.agent->send_batch({datagrams, 1200}), quic::SendOutcome::kSent);
  EXPECT_TRUE(
      pair.until([&] { return pair.a.received == datagrams && pair.b.received == datagrams; }));
}

TEST_P(IceRelay, TheDirectPathIsUsedWhenBothWork) {
  Pair pair(side(true, ice::RelayPolicy::kAuto), side(false, ice::RelayPolicy::kAuto));
  ASSERT_TRUE(pair.connect());
  EXPECT_FALSE(pair.a.paths.back().relayed);
  EXPECT_TRUE(pair.until(
      [&] { return pair.a.local_candidates.size() == 2 && pair.b.local_candidates.size() == 2; }));
}

TEST_P(IceRelay, NoRelayIsAskedWhenNoneIsAllowed) {
  Pair pair(side(true, ice::RelayPolicy::kNever), side(false, ice::RelayPolicy::kAuto));
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.until([&] { return ::testing::Matches(Contains("gathered"))(pair.a.story); }));
  EXPECT_THAT(pair.a.local_candidates, SizeIs(1));
}

TEST_P(IceRelay, ADirectPathTakesOverFromARelayedOne) {
  Pair pair(side(true, ice::RelayPolicy::kAuto), side(false, ice::RelayPolicy::kAuto));
  for (Side* each : {&pair.a, &pair.b}) {
    each->filter = [each](wire::IceMessage& message) {
      wire::IceMessage direct;
      direct.candidates = take_direct(message);
      each->withheld.push_back(direct);
      return true;
    };
  }
  // Of two relays, each side pairs its host address with the other's relay first; both are paths
  // through a relay.
  ASSERT_TRUE(pair.connect());
  EXPECT_TRUE(pair.a.paths.front().relayed);
  for (Side* each : {&pair.a, &pair.b}) {
    each->filter = nullptr;
    for (const auto& message : each->withheld) each->send_to_peer(message);
  }
  EXPECT_TRUE(
      pair.until([&] { return !pair.a.paths.back().relayed && !pair.b.paths.back().relayed; }));
}

TEST_P(IceRelay, AnAddressFirstSeenThroughTheRelayIsTriedDirectly) {
  Pair pair(side(true, ice::RelayPolicy::kAuto), Pair::on("127.0.0.1", false));
  const UdpGate closed(pair.loop.context());
  // A tells of its relay alone, so the first that A sees of B is a check that comes through it. To
  // let that in, and to be busy with other checks, A is told of a place where nobody answers.
  pair.a.filter = [](wire::IceMessage& message) {
    take_direct(message);
    return true;
  };
  pair.b.filter = [&](wire::IceMessage& message) {
    pair.b.withheld.push_back(message);
    for (auto& candidate : message.candidates) candidate.port = closed.port();
    message.end_of_candidates = false;
    return true;
  };
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.a.paths.back().relayed);
  ASSERT_EQ(pair.a.paths.back().remote_type, "prflx");
  pair.b.filter = nullptr;
  for (const auto& message : pair.b.withheld) pair.b.send_to_peer(message);
  EXPECT_TRUE(
      pair.until([&] { return !pair.a.paths.back().relayed && !pair.b.paths.back().relayed; }));
  EXPECT_EQ(pair.a.paths.back().remote_type, "host") << "what B calls it";
  EXPECT_LT(closed.refused(), kTries) << "before the other checks are over";
}

TEST_P(IceRelay, APathThatOpensLaterIsFound) {
  Pair pair(side(true, ice::RelayPolicy::kAuto), side(false, ice::RelayPolicy::kAuto));
  UdpGate gate(pair.loop.context());
  pair.b.filter = [&](wire::IceMessage& message) {
    for (auto& candidate : message.candidates) {
      if (candidate.type == CandidateType::kRelayed) continue;
      gate.lead_to(candidate.port);
      candidate.port = gate.port();
    }
    message.end_of_candidates = false;
    return true;
  };
  // A's address stays unknown to B, or B would reach it past the gate.
  pair.a.filter = [](wire::IceMessage& message) {
    take_direct(message);
    return true;
  };
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.until([&] { return gate.refused() >= kTries; }));
  ASSERT_TRUE(pair.a.paths.back().relayed);
  gate.open();
  EXPECT_TRUE(
      pair.until([&] { return !pair.a.paths.back().relayed && !pair.b.paths.back().relayed; }));
}

TEST_P(IceRelay, AWrongPasswordIsAWarning) {
  Pair pair(side(true, ice::RelayPolicy::kAuto, "wrong"), side(false, ice::RelayPolicy::kAuto));
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.until([&] { return !pair.a.warnings.empty(); }));
  EXPECT_THAT(pair.a.warnings, ElementsAre(HasSubstr("check the user name and password")));
  EXPECT_THAT(pair.a.warnings[0], Not(HasSubstr("wrong")));
}

INSTANTIATE_TEST_SUITE_P(Transports, IceRelay,
                         ::testing::Values(TurnTransport::kUdp, TurnTransport::kTcp,
                                           TurnTransport::kTls),
                         [](const auto& tested) {
                           return std::string(adapters::to_string(tested.param));
                         });

TEST(IceServers, SilentOnesDelayNothing) {
  const SilentServer silent;
  SideOptions a = Pair::on("127.0.0.1", true);
  a.agent.stun = adapters::StunServer{"127.0.0.1", silent.port()};
  SideOptions b = Pair::on("127.0.0.1", false);
  adapters::TurnServer turn;
  turn.host = "127.0.0.1";
  turn.port = silent.port();
  b.agent.turn.push_back(std::move(turn));
  Pair pair(std::move(a), std::move(b));
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.until([&] { return pair.a.story.size() >= 2 && pair.b.story.size() >= 2; }));
  EXPECT_THAT(pair.a.story, ElementsAre("connected", "gathered"));
  EXPECT_THAT(pair.b.story, ElementsAre("connected", "gathered"));
  EXPECT_THAT(pair.a.warnings, ElementsAre(HasSubstr("STUN server 127.0.0.1:")));
  EXPECT_THAT(pair.b.warnings, ElementsAre(HasSubstr("gave no relay")));
}

TEST(IceServers, AStunServerThatAnswersIsNoReasonForAWarning) {
  const TurnProcess server;
  SideOptions a = Pair::on("127.0.0.1", true);
  a.agent.stun = adapters::StunServer{"127.0.0.1", server.port()};
  a.agent.turn.push_back(server.server(TurnTransport::kUdp));
  Pair pair(std::move(a));
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.until([&] { return pair.a.story.size() >= 2; }));
  EXPECT_THAT(pair.a.warnings, IsEmpty());
  EXPECT_THAT(pair.a.local_candidates, SizeIs(2))
      << "host and relay; the reflexive one is the host";
}

TEST(IceServers, ARefusedTcpConnectionIsAWarning) {
  const SilentServer only_udp;
  SideOptions a = Pair::on("127.0.0.1", true);
  adapters::TurnServer turn;
  turn.host = "127.0.0.1";
  turn.port = only_udp.port();
  turn.transport = TurnTransport::kTcp;
  a.agent.turn.push_back(std::move(turn));
  Pair pair(std::move(a));
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.until([&] { return pair.a.story.size() >= 2; }));
  EXPECT_THAT(pair.a.warnings, ElementsAre(HasSubstr("TURN server")));
}

TEST(IceServers, ACertificateThatNobodyTrustsIsAWarningThatNamesIt) {
  const TurnProcess server;
  SideOptions a = Pair::on("127.0.0.1", true);
  a.agent.turn.push_back(server.server(TurnTransport::kTls));
  Pair pair(std::move(a));
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.until([&] { return pair.a.story.size() >= 2; }));
  EXPECT_THAT(pair.a.warnings,
              ElementsAre(HasSubstr("can not be trusted: this machine does not know its issuer; "
                                    "going on without a relay")));
  EXPECT_THAT(pair.a.local_candidates, SizeIs(1));
}

// ---- several ways to one server -----------------------------------------------------------------

/// Over UDP from `udp` on, and later over TCP from `tcp` on.
SideOptions two_ways(const TurnProcess& server, std::uint16_t udp, std::uint16_t tcp) {
  SideOptions options = Pair::on("127.0.0.1", true);
  options.agent.relay = ice::RelayPolicy::kOnly;
  options.agent.turn.push_back(server.server(TurnTransport::kUdp));
  options.agent.turn.push_back(server.server(TurnTransport::kTcp));
  options.agent.turn[0].port = udp;
  options.agent.turn[1].port = tcp;
  options.agent.turn[1].later = true;
  return options;
}

TEST(TurnWays, TcpGivesTheRelayWhenUdpIsSilent) {
  const TurnProcess server;
  const SilentServer silent;
  Pair pair(two_ways(server, silent.port(), server.port()));
  const Instant began = adapters::monotonic_now();
  pair.start();
  ASSERT_TRUE(pair.until([&] { return !pair.a.local_candidates.empty(); }));
  EXPECT_LT(adapters::monotonic_now() - began, 1500ms) << "raced, not one after the other";
  EXPECT_EQ(pair.a.local_candidates[0].type, CandidateType::kRelayed);
  ASSERT_TRUE(pair.until([&] { return ::testing::Matches(Contains("gathered"))(pair.a.story); }));
  EXPECT_THAT(pair.a.warnings, IsEmpty());
}

TEST(TurnWays, TcpIsLeftAloneWhenUdpGivesARelay) {
  const TurnProcess server;
  GlibLoop loop;
  int connections = 0;
  const TcpListener tcp(loop.context(), [&](TcpPeer&) { ++connections; });
  Pair pair(two_ways(server, server.port(), tcp.port()));
  pair.start();
  ASSERT_TRUE(pair.until([&] { return ::testing::Matches(Contains("gathered"))(pair.a.story); }));
  loop.turn(10);
  EXPECT_EQ(connections, 0);
  EXPECT_THAT(pair.a.local_candidates, SizeIs(1));
}

TEST(TurnWays, EveryFailureIsInTheOneWarning) {
  const TurnProcess server;
  const SilentServer silent;
  Pair pair(two_ways(server, silent.port(), silent.port()));
  pair.start();
  ASSERT_TRUE(pair.until([&] { return ::testing::Matches(Contains("gathered"))(pair.a.story); }));
  ASSERT_THAT(pair.a.warnings, SizeIs(1));
  EXPECT_THAT(pair.a.warnings[0], HasSubstr("over UDP: it does not answer"));
  EXPECT_THAT(pair.a.warnings[0], HasSubstr(", over TCP: 127.0.0.1:"));
  EXPECT_THAT(pair.a.warnings[0], HasSubstr("refused the connection; going on without a relay"));
}

}  // namespace
}  // namespace peersock::testing
