// STUN and TURN servers that have names in place of numbers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ice_world.hpp"
#include "turn_server.hpp"

namespace peersock::testing {
namespace {

using adapters::TurnTransport;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using wire::CandidateType;

/// A resolver that answers when the test says so.
struct SlowResolver {
  adapters::Resolver function() {
    return [this](const std::string& host, Duration /*timeout*/, adapters::ResolveHandler handler) {
      hosts.push_back(host);
      handlers.push_back(std::move(handler));
      return std::make_shared<int>(0);
    };
  }
  std::vector<std::string> hosts;
  std::vector<adapters::ResolveHandler> handlers;
};

TEST(IceServers, GatheringWaitsForTheNameOfTheStunServer) {
  SlowResolver resolver;
  SideOptions a = Pair::on("127.0.0.1", true);
  a.agent.stun = adapters::StunServer{"stun.test", 3478};
  a.agent.resolver = resolver.function();
  Pair pair(std::move(a));
  pair.start();
  pair.loop.turns(10);
  EXPECT_THAT(resolver.hosts, ElementsAre("stun.test"));
  EXPECT_THAT(pair.a.local_candidates, IsEmpty());
  resolver.handlers[0](tl::unexpected<std::string>("it is not known"));
  pair.loop.turns(10);
  EXPECT_THAT(pair.a.local_candidates, SizeIs(1));
  EXPECT_THAT(pair.a.warnings, ElementsAre(HasSubstr("stun.test")));
}

// Without STUN there may be no path at all, so what the peer offers meanwhile waits as well.
TEST(IceServers, ThePeersOfferWaitsForTheNameOfTheStunServer) {
  const TurnProcess server;
  SlowResolver resolver;
  SideOptions a = Pair::on("127.0.0.1", true);
  a.agent.stun = adapters::StunServer{"stun.test", server.port()};
  a.agent.resolver = resolver.function();
  Pair pair(std::move(a));
  pair.start();
  pair.open_channels();
  ASSERT_TRUE(pair.until([&] { return pair.a.state() == "Checking"; }));
  pair.loop.turns(10);
  EXPECT_THAT(pair.a.local_candidates, IsEmpty());
  resolver.handlers[0](std::vector<std::string>{"127.0.0.1"});
  EXPECT_TRUE(pair.until([&] { return pair.a.connected() && pair.b.connected(); }));
  EXPECT_THAT(pair.a.warnings, IsEmpty());
}

TEST(IceServers, ATurnServerJoinsWhenItsNameIsKnown) {
  const TurnProcess server;
  SlowResolver resolver;
  SideOptions a = Pair::on("127.0.0.1", true);
  a.agent.turn.push_back(server.server(TurnTransport::kUdp));
  a.agent.turn[0].host = "turn.test";
  a.agent.resolver = resolver.function();
  Pair pair(std::move(a));
  ASSERT_TRUE(pair.connect());
  EXPECT_THAT(pair.a.story, ElementsAre("connected"));
  resolver.handlers[0](std::vector<std::string>{"::1", "127.0.0.1"});
  ASSERT_TRUE(pair.until([&] { return pair.a.story.size() >= 2; }));
  ASSERT_THAT(pair.a.local_candidates, SizeIs(2));
  EXPECT_EQ(pair.a.local_candidates[1].type, CandidateType::kRelayed);
  EXPECT_THAT(pair.a.warnings, IsEmpty());
}

TEST(IceServers, ATurnServerOfAnyNameIsReachedOverTcpAndTls) {
  const TurnProcess server;
  for (const TurnTransport transport : {TurnTransport::kTcp, TurnTransport::kTls}) {
    SideOptions a = Pair::on("127.0.0.1", true);
    a.agent.relay = ice::RelayPolicy::kOnly;
    a.agent.trusted = server.trusted();
    a.agent.turn.push_back(server.server(transport));
    a.agent.turn[0].host = "localhost";  // ::1 as well, where nobody listens
    Pair pair(std::move(a));
    pair.start();
    ASSERT_TRUE(pair.until([&] { return !pair.a.local_candidates.empty(); }));
    EXPECT_EQ(pair.a.local_candidates[0].type, CandidateType::kRelayed);
  }
}

TEST(IceServers, ACertificateForAnotherNameIsAWarning) {
  const TurnProcess server(true);  // on 127.0.0.2 as well
  SideOptions a = Pair::on("127.0.0.1", true);
  a.agent.trusted = server.trusted();
  a.agent.turn.push_back(server.server(TurnTransport::kTls));
  a.agent.turn[0].host = "127.0.0.2";
  Pair pair(std::move(a));
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.until([&] { return !pair.a.warnings.empty(); }));
  EXPECT_THAT(pair.a.warnings,
              ElementsAre(HasSubstr("can not be trusted: it is for another name")));
}

TEST(IceServers, ATurnServerWithoutAUsableAddressIsAWarning) {
  SlowResolver resolver;
  SideOptions a = Pair::on("127.0.0.1", true);
  adapters::TurnServer turn;
  turn.host = "turn.test";
  a.agent.turn.push_back(std::move(turn));
  a.agent.resolver = resolver.function();
  Pair pair(std::move(a));
  ASSERT_TRUE(pair.connect());
  resolver.handlers[0](std::vector<std::string>{"2001:db8::1"});
  ASSERT_TRUE(pair.until([&] { return pair.a.story.size() >= 2; }));
  EXPECT_THAT(pair.a.warnings, ElementsAre(HasSubstr("no address that this machine can reach")));
}

}  // namespace
}  // namespace peersock::testing
