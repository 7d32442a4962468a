// Tunnels over real QUIC connections in virtual time.
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quic_fixture.hpp"
#include "support/tunnel_side.hpp"

namespace peersock::testing {
namespace {

using tunnel::ConnectionId;

constexpr std::size_t kLong = 3'000'000;      ///< many windows of the first round trip
constexpr std::size_t kEndless = 14'000'000;  ///< more than windows and buffers together

class TunnelOverQuic : public ::testing::TestWithParam<bool> {
 protected:
  explicit TunnelOverQuic(const LinkProfile& profile = {.delay = 10ms})
      : client_engine_(make_engine(quic::Role::kClient)),
        server_engine_(make_engine(quic::Role::kServer)),
        pair_(profile, 1) {
    pair_.server.connection =
        connect(*server_engine_, config_for(quic::Role::kServer, *client_engine_));
    pair_.client.connection =
        connect(*client_engine_, config_for(quic::Role::kClient, *server_engine_));
    const auto is_up = [&] {
      return pair_.client.count<Established>() > 0 && pair_.server.count<Established>() > 0;
    };
    EXPECT_TRUE(pair_.run_until(is_up));
    QuicEnd& opens = GetParam() ? pair_.client : pair_.server;
    QuicEnd& accepts = GetParam() ? pair_.server : pair_.client;
    opener_ = std::make_unique<TunnelSide>(tunnel::TunnelConfig{.opener = true}, *opens.connection);
    acceptor_ = std::make_unique<TunnelSide>(tunnel::TunnelConfig{}, *accepts.connection);
    opens.on_fact = [this](const auto& fact) { opener_->fact(fact); };
    accepts.on_fact = [this](const auto& fact) { acceptor_->fact(fact); };
  }
  ~TunnelOverQuic() override {
    EXPECT_EQ(opener_->misuse(), "");
    EXPECT_EQ(acceptor_->misuse(), "");
  }

  template <typename Done>
  [[nodiscard]] bool run_until(Done&& done) {
    return pair_.run_until([&] {
      for (bool busy = true; busy;) {
        busy = opener_->ready();
        busy = acceptor_->ready() || busy;
        busy = carry_credit(*opener_, *acceptor_) || busy;
        busy = carry_credit(*acceptor_, *opener_) || busy;
        if (busy) pair_.settle();
      }
      return done();
    });
  }
  /// Credit travels on the control stream, which these tests do without.
  static bool carry_credit(TunnelSide& from, TunnelSide& to) {
    const auto grants = std::exchange(from.grants, {});
    for (const auto& grant : grants) to.credit(grant.stream, grant.octets);
    return !grants.empty();
  }
  /// Lets everything come to rest.
  void rest() {
    const Instant end = VirtualClock::now() + 3s;
    EXPECT_TRUE(run_until([&] { return VirtualClock::now() >= end; }));
  }

  struct Connection {
    ConnectionId id = 0;  ///< the same on both sides
    Local near = std::make_shared<FakeLocal>();
    Local far;
  };
  Connection open() {
    Connection made;
    made.id = opener_->accept(made.near);
    if (acceptor_->hold) return made;
    EXPECT_TRUE(run_until([&] { return acceptor_->locals.contains(made.id); }));
    made.far = acceptor_->locals[made.id];
    return made;
  }
  [[nodiscard]] bool both_closed(ConnectionId id) {
    return run_until(
        [&] { return opener_->closed(id) != nullptr && acceptor_->closed(id) != nullptr; });
  }
  void expect_aborted(ConnectionId id) {
    ASSERT_TRUE(both_closed(id));
    EXPECT_EQ(to_string(opener_->closed(id)->reason), "aborted");
    EXPECT_EQ(to_string(acceptor_->closed(id)->reason), "aborted");
  }

  std::unique_ptr<quic::Engine> client_engine_;
  std::unique_ptr<quic::Engine> server_engine_;
  QuicPair pair_;
  std::unique_ptr<TunnelSide> opener_;
  std::unique_ptr<TunnelSide> acceptor_;
};

TEST_P(TunnelOverQuic, CarriesBothDirectionsAndTheirEnds) {
  auto c = open();
  c.near->input = pattern(kLong, 1);
  c.near->ended = true;
  ASSERT_TRUE(run_until([&] { return c.far->saw_end; }));
  EXPECT_TRUE(c.far->output == pattern(kLong, 1));
  c.far->input = pattern(kLong, 2);
  c.far->ended = true;
  ASSERT_TRUE(both_closed(c.id));
  EXPECT_TRUE(c.near->output == pattern(kLong, 2));
  EXPECT_TRUE(c.near->saw_end);
  EXPECT_EQ(to_string(opener_->closed(c.id)->reason), "finished");
  EXPECT_EQ(opener_->closed(c.id)->bytes_received, kLong);
}

TEST_P(TunnelOverQuic, ResetsReachTheOtherProgramAtEveryStage) {
  using Before = std::function<void(Connection&)>;
  const Before stages[] = {
      [](Connection&) {},
      [](Connection& c) { c.near->input = c.far->input = pattern(100'000); },
      [](Connection& c) {
        c.near->room = c.far->room = 10;
        c.near->input = c.far->input = pattern(100'000);
      },
  };
  for (const bool by_near : {true, false}) {
    for (std::size_t i = 0; i < std::size(stages); ++i) {
      SCOPED_TRACE(std::to_string(i) + (by_near ? " near" : " far"));
      auto c = open();
      stages[i](c);
      rest();
      (by_near ? c.near : c.far)->reset = "reset";
      expect_aborted(c.id);
      EXPECT_TRUE((by_near ? c.far : c.near)->saw_reset);
    }
  }
}

TEST_P(TunnelOverQuic, AResetAfterTheOtherSideEndedIsPassedOn) {
  for (const bool by_near : {true, false}) {
    SCOPED_TRACE(by_near);
    auto c = open();
    const Local& resetting = by_near ? c.near : c.far;
    const Local& other = by_near ? c.far : c.near;
    other->input = "bye";
    other->ended = true;
    ASSERT_TRUE(run_until([&] { return resetting->saw_end; }));
    resetting->reset = "reset";
    expect_aborted(c.id);
    EXPECT_EQ(resetting->output, "bye");
    EXPECT_TRUE(other->saw_reset);
  }
}

TEST_P(TunnelOverQuic, ADeafProgramIsStillHeard) {
  auto c = open();
  c.near->input = "request";
  ASSERT_TRUE(run_until([&] { return c.far->output == "request"; }));
  c.far->deaf = "closed";
  c.far->input = pattern(1'000'000);
  c.far->ended = true;
  c.near->input = pattern(100'000);
  expect_aborted(c.id);
  EXPECT_TRUE(c.near->output == pattern(1'000'000));
  EXPECT_TRUE(c.near->saw_end);
}

TEST_P(TunnelOverQuic, AProgramDeafForGoodIsBrokenOffAtOnce) {
  auto c = open();
  c.far->deaf = "disk full";
  c.far->deaf_for_good = true;
  c.near->input = pattern(kLong);
  expect_aborted(c.id);
  EXPECT_TRUE(c.near->saw_reset);
}

TEST_P(TunnelOverQuic, RefusedTargetsAndEarlyData) {
  acceptor_->hold = true;
  auto refused = open();
  auto early = open();
  early.near->input = pattern(kLong);
  early.near->ended = true;
  rest();
  acceptor_->fail(refused.id, CloseReason::kUnreachable, "nobody there");
  early.far = std::make_shared<FakeLocal>();
  acceptor_->connect(early.id, early.far);
  ASSERT_TRUE(both_closed(refused.id));
  EXPECT_TRUE(refused.near->saw_reset);
  EXPECT_EQ(to_string(opener_->closed(refused.id)->reason), "unreachable");
  ASSERT_TRUE(run_until([&] { return early.far->saw_end; }));
  EXPECT_TRUE(early.far->output == pattern(kLong));
}

TEST_P(TunnelOverQuic, AResetWhileTheTargetIsConnectedToCancelsIt) {
  acceptor_->hold = true;
  auto c = open();
  c.near->input = pattern(1000);
  rest();
  c.near->reset = "reset";
  expect_aborted(c.id);
  EXPECT_THAT(acceptor_->log, ::testing::Contains("cancel 1"));
}

TEST_P(TunnelOverQuic, AStoppedReaderStopsItsSpeakerOnly) {
  auto blocked = open();
  auto free = open();
  for (const auto& c : {blocked, free})
    c.near->input = c.far->input = pattern(c.near == free.near ? kLong : kEndless);
  blocked.near->room = blocked.far->room = 1000;
  ASSERT_TRUE(run_until(
      [&] { return free.near->output.size() == kLong && free.far->output.size() == kLong; }));
  rest();
  EXPECT_GT(blocked.near->input.size(), kEndless / 10);
  blocked.near->room = blocked.far->room = FakeLocal::kNoLimit;
  ASSERT_TRUE(run_until([&] {
    return blocked.near->output.size() == kEndless && blocked.far->output.size() == kEndless;
  }));
  EXPECT_TRUE(blocked.near->output == pattern(kEndless));
  EXPECT_TRUE(blocked.far->output == pattern(kEndless));
}

TEST_P(TunnelOverQuic, MoreConnectionsThanStreams) {
  constexpr std::size_t kCount = 150;
  std::vector<Local> programs;
  programs.reserve(kCount);
  for (std::size_t i = 0; i < kCount; ++i) {
    programs.push_back(std::make_shared<FakeLocal>());
    programs.back()->input = pattern(1000, static_cast<std::uint32_t>(i));
    programs.back()->ended = true;
    ASSERT_NE(opener_->accept(programs.back()), 0U) << i;
  }
  ASSERT_TRUE(run_until([&] {
    for (const auto& [id, far] : acceptor_->locals) far->ended = true;
    return acceptor_->locals.size() == kCount && acceptor_->tunnel().open_connections() == 0 &&
           opener_->tunnel().open_connections() == 0;
  }));
  for (const auto& [id, far] : acceptor_->locals) {
    EXPECT_TRUE(far->output == pattern(1000, static_cast<std::uint32_t>(id - 1))) << id;
  }
}

INSTANTIATE_TEST_SUITE_P(Roles, TunnelOverQuic, ::testing::Values(true, false),
                         [](const auto& client) {
                           return client.param ? "TheClientOpens" : "TheServerOpens";
                         });

class TunnelOverLoss : public TunnelOverQuic {
 protected:
  TunnelOverLoss()
      : TunnelOverQuic({.delay = 10ms, .jitter = 10ms, .loss = 20, .duplication = 10}) {}
};

TEST_P(TunnelOverLoss, LosesNothing) {
  std::vector<Connection> all;
  for (int i = 0; i < 10; ++i) all.push_back(open());
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].near->input = pattern(100'000, static_cast<std::uint32_t>(i));
    all[i].far->input = pattern(100'000, static_cast<std::uint32_t>(i + 100));
    all[i].near->ended = all[i].far->ended = true;
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    ASSERT_TRUE(both_closed(all[i].id));
    EXPECT_TRUE(all[i].far->output == pattern(100'000, static_cast<std::uint32_t>(i)));
    EXPECT_TRUE(all[i].near->output == pattern(100'000, static_cast<std::uint32_t>(i + 100)));
  }
}

INSTANTIATE_TEST_SUITE_P(Roles, TunnelOverLoss, ::testing::Values(true));

}  // namespace
}  // namespace peersock::testing
