// How large datagrams become, and what happens when a path stops to carry them. In virtual time.
#include "adapters/size_limit.hpp"
#include "quic_fixture.hpp"

namespace peersock::testing {
namespace {

using adapters::SizeLimit;
using quic::kMaxDatagramLimit;
using quic::kMinDatagramLimit;

class QuicDatagramSize : public ::testing::Test {
 protected:
  /// An established pair over links that swallow what is larger than `carried_`.
  void connect_both(const LinkProfile& profile = {}) {
    pair_.emplace(profile, 7);
    for (QuicEnd* end : {&pair_->client, &pair_->server}) {
      end->out.tap = [this](Bytes& datagram) {
        largest_ = std::max(largest_, datagram.size());
        // An empty one is dropped by whoever receives it.
        if (datagram.size() > carried_) datagram.clear();
      };
    }
    pair_->client.connection = connect(*client_engine_, config(quic::Role::kClient));
    pair_->server.connection = connect(*server_engine_, config(quic::Role::kServer));
    client_.emplace(pair_->client, true);
    server_.emplace(pair_->server, false);
    ASSERT_TRUE(pair_->run_until([&] { return pair_->client.connection->handshake_complete(); }));
    stream_ = client_->open();
  }
  [[nodiscard]] quic::ConnectionConfig config(quic::Role role) const {
    return config_for(role, role == quic::Role::kClient ? *server_engine_ : *client_engine_);
  }
  void allow(std::size_t octets) {
    for (QuicEnd* end : {&pair_->client, &pair_->server}) {
      end->connection->set_datagram_limit(octets, VirtualClock::now());
    }
  }
  /// Sends so much from client to server; false if it does not arrive whole.
  [[nodiscard]] bool transfer(std::size_t octets, Duration limit = 60s) {
    goal_ += octets;
    client_->send(stream_, octets, /*finish=*/false);
    return pair_->run_until([&] { return server_->received(stream_).octets >= goal_; }, limit) &&
           server_->all_correct();
  }
  [[nodiscard]] std::size_t size() const {
    return pair_->client.connection->statistics().datagram_size;
  }
  /// OpenSSL sends no larger ones, and its transport parameter max_udp_payload_size allows none.
  [[nodiscard]] static bool probes() {
    const auto [client, server] = engines_under_test();
    return client == EngineKind::kNgtcp2 && server == EngineKind::kNgtcp2;
  }

  std::unique_ptr<quic::Engine> client_engine_ = make_engine(quic::Role::kClient);
  std::unique_ptr<quic::Engine> server_engine_ = make_engine(quic::Role::kServer);
  std::size_t carried_ = 65'535;
  std::size_t largest_ = 0;
  std::size_t goal_ = 0;
  std::optional<QuicPair> pair_;
  std::optional<Traffic> client_;
  std::optional<Traffic> server_;
  quic::StreamId stream_ = 0;
};

constexpr std::size_t kSome = 500'000;

TEST_F(QuicDatagramSize, StaysSmallUntilThePathIsKnownToCarryMore) {
  connect_both();
  EXPECT_TRUE(transfer(kSome));
  pair_->run_for(5s);
  EXPECT_EQ(largest_, kMinDatagramLimit);
  EXPECT_EQ(size(), kMinDatagramLimit);
}

TEST_F(QuicDatagramSize, GrowsToWhatThePathCarries) {
  // Ethernet, PPPoE, WireGuard, tunnels, and IPv6's least.
  for (const std::size_t carried : {65'535UL, 1444UL, 1400UL, 1380UL, 1232UL}) {
    largest_ = goal_ = 0;
    carried_ = carried;
    connect_both();
    allow(kMaxDatagramLimit);
    EXPECT_TRUE(transfer(kSome));
    pair_->run_for(8s);
    EXPECT_TRUE(transfer(kSome));
    if (!probes()) {
      EXPECT_EQ(largest_, kMinDatagramLimit);
      continue;
    }
    EXPECT_LE(size(), carried);
    EXPECT_GT(size() + 60, std::min(carried, kMaxDatagramLimit)) << carried;
    EXPECT_LE(largest_, kMaxDatagramLimit);
  }
}

TEST_F(QuicDatagramSize, APathThatCarriesNoMoreStaysUsable) {
  carried_ = kMinDatagramLimit;
  connect_both();
  allow(kMaxDatagramLimit);
  EXPECT_TRUE(transfer(kSome));
  pair_->run_for(8s);
  EXPECT_TRUE(transfer(kSome));
  EXPECT_EQ(size(), kMinDatagramLimit);
}

TEST_F(QuicDatagramSize, ARelayBringsThemBackToTheMinimumAtOnce) {
  connect_both();
  allow(kMaxDatagramLimit);
  EXPECT_TRUE(transfer(kSome));
  allow(kMinDatagramLimit);
  carried_ = kMinDatagramLimit;
  pair_->run_for(1s);  // what is under way is lost and sent again
  largest_ = 0;
  EXPECT_TRUE(transfer(kSome));
  EXPECT_LE(largest_, kMinDatagramLimit);
  allow(kMaxDatagramLimit);
  carried_ = kMaxDatagramLimit;
  EXPECT_TRUE(transfer(kSome));
  EXPECT_EQ(size(), probes() ? kMaxDatagramLimit : kMinDatagramLimit);
}

TEST_F(QuicDatagramSize, ABlackHoleIsNoticedInMidTransfer) {
  connect_both({.delay = 20ms, .rate = 5'000'000, .buffer = 500'000});
  allow(kMaxDatagramLimit);
  EXPECT_TRUE(transfer(10 * kSome));
  carried_ = 1300;
  EXPECT_TRUE(transfer(kSome, 10s));
  EXPECT_EQ(size(), kMinDatagramLimit);
}

TEST_F(QuicDatagramSize, TheSystemsWordIsTakenAtOnce) {
  connect_both();
  allow(kMaxDatagramLimit);
  EXPECT_TRUE(transfer(kSome));
  if (!probes()) return;
  ASSERT_EQ(size(), kMaxDatagramLimit);
  // One that was only tried says nothing about those in use.
  pair_->client.connection->on_too_big(kMaxDatagramLimit + 1, VirtualClock::now());
  EXPECT_EQ(size(), kMaxDatagramLimit);
  carried_ = kMinDatagramLimit;
  pair_->client.connection->on_too_big(kMaxDatagramLimit, VirtualClock::now());
  EXPECT_EQ(size(), kMinDatagramLimit);
  EXPECT_TRUE(transfer(kSome, 2s));
}

TEST(SizeLimitTest, TriesAgainLaterAndLater) {
  SizeLimit limit;
  EXPECT_EQ(limit.octets(), kMinDatagramLimit);
  limit.allow(kMaxDatagramLimit);
  EXPECT_EQ(limit.octets(), kMaxDatagramLimit);
  Instant now{};
  for (const Duration retry : {SizeLimit::kFirstRetry, 2 * SizeLimit::kFirstRetry}) {
    limit.on_sent(kMaxDatagramLimit, now);
    limit.check(10ms, now + SizeLimit::kPatience);
    EXPECT_EQ(limit.octets(), kMaxDatagramLimit) << "not yet";
    now += SizeLimit::kPatience + 1ms;
    limit.check(10ms, now);
    EXPECT_EQ(limit.octets(), kMinDatagramLimit);
    limit.check(10ms, now + retry - 1ms);
    EXPECT_EQ(limit.octets(), kMinDatagramLimit);
    now += retry;
    limit.check(10ms, now);
    EXPECT_EQ(limit.octets(), kMaxDatagramLimit);
  }
}

TEST(SizeLimitTest, WaitsForTheSlowestPeer) {
  SizeLimit limit;
  limit.allow(kMaxDatagramLimit);
  limit.on_sent(kMaxDatagramLimit, Instant{});
  limit.check(1s, Instant{} + 7s);
  EXPECT_EQ(limit.octets(), kMaxDatagramLimit);
  limit.on_progress();
  limit.check(1s, Instant{} + 60s);
  EXPECT_EQ(limit.octets(), kMaxDatagramLimit);
  limit.on_sent(kMinDatagramLimit, Instant{} + 60s);
  limit.check(1s, Instant{} + 120s);
  EXPECT_EQ(limit.octets(), kMaxDatagramLimit) << "small ones tell nothing";
}

}  // namespace
}  // namespace peersock::testing
