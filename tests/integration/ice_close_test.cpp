// An agent can go at any time: in every stage, from inside its own calls, and without a trace.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ice_world.hpp"
#include "support/forgiven_leaks.hpp"
#include "turn_server.hpp"

namespace peersock::testing {
namespace {

using adapters::TurnTransport;

class IceClosing : public ::testing::Test {
 protected:
  SideOptions with_servers(bool controlling) {
    SideOptions options = Pair::on("127.0.0.1", controlling);
    options.agent.stun = adapters::StunServer{"127.0.0.1", turn.port()};
    options.agent.turn.push_back(turn.server(TurnTransport::kUdp));
    options.agent.turn.push_back(turn.server(TurnTransport::kTcp));
    return options;
  }
  /// Both agents go; the sockets are closed some turns later.
  void expect_clean(Pair& pair, std::size_t before) {
    pair.a.agent.reset();
    pair.b.agent.reset();
    EXPECT_TRUE(pair.until([&] { return open_descriptors() <= before; }));
  }
  TurnProcess turn;

 private:
#ifdef PEERSOCK_LIBNICE_FORGETS
  // An allocation that is being given back (its list `pruning_refreshes`) when the agent goes.
  ForgivenLeaks forgiven_;
#endif
};

TEST_F(IceClosing, BeforeAnything) {
  Pair pair;
  const std::size_t before = open_descriptors();
  expect_clean(pair, before);
}

TEST_F(IceClosing, InEveryTurnOfTheLoopWhileGathering) {
  for (int turns = 0; turns < 30; ++turns) {
    Pair pair(with_servers(true), with_servers(false));
    const std::size_t before = open_descriptors();
    pair.start();
    pair.loop.turns(turns);
    expect_clean(pair, before);
  }
}

TEST_F(IceClosing, InEveryTurnOfTheLoopWhileConnecting) {
  for (int turns = 0; turns < 30; ++turns) {
    Pair pair(with_servers(true), with_servers(false));
    const std::size_t before = open_descriptors();
    pair.start();
    pair.open_channels();
    ASSERT_TRUE(pair.until([&] { return pair.a.credentials_at.has_value(); }));
    for (int i = 0; i < turns; ++i) g_main_context_iteration(pair.loop.context(), TRUE);
    expect_clean(pair, before);
  }
}

TEST_F(IceClosing, WithAllocationsOnTheServer) {
  SideOptions a = with_servers(true);
  SideOptions b = with_servers(false);
  for (SideOptions* each : {&a, &b}) {
    each->agent.relay = ice::RelayPolicy::kOnly;
    each->negotiation.relay = ice::RelayPolicy::kOnly;
  }
  Pair pair(std::move(a), std::move(b));
  const std::size_t before = open_descriptors();
  ASSERT_TRUE(pair.connect());
  expect_clean(pair, before);
}

TEST_F(IceClosing, WhileDatagramsKeepComing) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  const std::size_t before = open_descriptors();
  const Bytes datagrams(std::size_t{50} * 1200, 0x41);
  pair.b.agent.reset();
  bool all_sent = true;
  EXPECT_TRUE(pair.until([&] {
    all_sent = all_sent && pair.a.agent->send_batch({datagrams, 1200}) == quic::SendOutcome::kSent;
    return open_descriptors() < before;
  }));
  EXPECT_TRUE(all_sent);
}

TEST_F(IceClosing, FromInsideTheReportOfAPath) {
  Pair pair;
  const std::size_t before = open_descriptors();
  pair.a.on_pair = [&] { pair.a.agent.reset(); };
  pair.start();
  pair.open_channels();
  ASSERT_TRUE(pair.until([&] { return pair.a.agent == nullptr; }));
  expect_clean(pair, before);
}

TEST_F(IceClosing, FromInsideADelivery) {
  for (const std::size_t count : {std::size_t{1}, std::size_t{200}}) {
    Pair pair;
    const std::size_t before = open_descriptors();
    ASSERT_TRUE(pair.connect());
    int calls = 0;
    pair.b.agent->set_trains_handler([&](std::span<const quic::DatagramTrain>) {
      ++calls;
      pair.b.agent.reset();
    });
    const Bytes datagrams(count * 100, 0x41);
    ASSERT_EQ(pair.a.agent->send_batch({datagrams, 100}), quic::SendOutcome::kSent);
    ASSERT_TRUE(pair.until([&] { return pair.b.agent == nullptr; }));
    expect_clean(pair, before);
    EXPECT_EQ(calls, 1);
  }
}

TEST_F(IceClosing, NothingIsReportedAfterwards) {
  Pair pair(with_servers(true), with_servers(false));
  pair.start();
  pair.a.agent.reset();
  const std::size_t known = pair.a.local_candidates.size();
  ASSERT_TRUE(pair.until([&] { return pair.b.story.size() == 1; }));
  EXPECT_EQ(pair.a.local_candidates.size(), known);
  EXPECT_TRUE(pair.a.story.empty());
}

}  // namespace
}  // namespace peersock::testing
