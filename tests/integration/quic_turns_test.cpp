// In which order the ngtcp2 engine serves streams that have something to send.
#include "adapters/ngtcp2_engine.hpp"
#include "adapters/stream_turns.hpp"
#include "quic_fixture.hpp"

namespace peersock::testing {
namespace {

using ::testing::ElementsAre;

/// 40 Mbit/s, with a buffer of one round trip of 20 ms.
constexpr LinkProfile kBottleneck{.delay = 10ms, .rate = 5'000'000, .buffer = 100'000};

/// A client that sends without end on `bulk` streams.
struct Busy {
  explicit Busy(std::size_t bulk, const LinkProfile& link = kBottleneck, Duration warm_up = 1s)
      : pair(link, 1) {
    pair.client.connection = connect(*a, config_for(quic::Role::kClient, *b));
    pair.server.connection = connect(*b, config_for(quic::Role::kServer, *a));
    EXPECT_TRUE(pair.run_until([&] { return pair.client.connection->handshake_complete(); }));
    for (std::size_t i = 0; i < bulk; ++i) {
      streams.push_back(client.open());
      client.send(streams.back(), std::size_t{1} << 40, /*finish=*/false);
    }
    pair.run_for(warm_up);
  }

  /// The longest of many waits for a few octets on a stream that says little.
  Duration longest_wait() {
    const auto quiet = client.open();
    Duration longest{};
    for (std::size_t i = 1; i <= 50; ++i) {
      const Instant began = VirtualClock::now();
      client.send(quiet, 64, /*finish=*/false);
      EXPECT_TRUE(pair.run_until([&] { return server.received(quiet).octets == 64 * i; }, 5s));
      longest = std::max(longest, VirtualClock::now() - began);
      pair.run_for(37ms);
    }
    return longest;
  }

  SeededRng rng{7};
  std::unique_ptr<quic::Engine> a = std::move(adapters::make_ngtcp2_engine(rng).value());
  std::unique_ptr<quic::Engine> b = std::move(adapters::make_ngtcp2_engine(rng).value());
  QuicPair pair;
  Traffic client{pair.client, true};
  Traffic server{pair.server, false};
  std::vector<quic::StreamId> streams;
};

TEST(QuicTurns, AQuietStreamDoesNotWaitBehindMoreBulk) {
  const Duration few = Busy(1).longest_wait();
  const Duration many = Busy(90).longest_wait();
  // A packet of each of the others would take 21 ms.
  EXPECT_LT(many, few + 5ms) << few / 1us << " and " << many / 1us << " us";
}

TEST(QuicTurns, WhoWasQuietGoesAheadOnceInARound) {
  adapters::StreamTurns turns;
  const auto served = [&](std::size_t count) {
    std::vector<quic::StreamId> order;
    for (std::size_t i = 0; i < count; ++i) {
      order.push_back(turns.front());
      turns.serve(/*octets=*/1, /*share=*/1);
    }
    return order;
  };
  EXPECT_TRUE(turns.empty());
  for (const quic::StreamId bulk : {1U, 2U, 3U}) turns.join(bulk);
  EXPECT_THAT(served(4), ElementsAre(1, 2, 3, 1));
  turns.join(9);
  // Ahead of all others, and then behind them, whether or not it has more already.
  EXPECT_THAT(served(6), ElementsAre(9, 2, 3, 1, 9, 2));
  // Whoever has nothing when its turn comes is out, and quiet again.
  EXPECT_THAT(served(2), ElementsAre(3, 1));
  EXPECT_EQ(turns.front(), 9U);
  EXPECT_TRUE(turns.leave());
  EXPECT_THAT(served(2), ElementsAre(2, 3));
  turns.join(9);
  EXPECT_THAT(served(3), ElementsAre(9, 1, 2));
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(turns.leave());
  EXPECT_TRUE(turns.empty());
}

TEST(QuicTurns, ATurnLastsForAShare) {
  adapters::StreamTurns turns;
  for (const quic::StreamId bulk : {1U, 2U}) turns.join(bulk);
  turns.serve(60, 100);
  EXPECT_EQ(turns.front(), 1U);
  turns.serve(60, 100);
  EXPECT_EQ(turns.front(), 2U);
  turns.serve(100, 100);
  turns.serve(10, 100);
  // Whoever had been quiet comes at once, and the turn that it broke into goes on afterwards.
  turns.join(9);
  EXPECT_EQ(turns.front(), 9U);
  turns.serve(10, 100);
  EXPECT_FALSE(turns.leave()) << "it had a part of its turn, so it waits for the next one";
  EXPECT_EQ(turns.front(), 1U);
  turns.serve(89, 100);
  EXPECT_EQ(turns.front(), 1U);
  turns.serve(1, 100);
  EXPECT_EQ(turns.front(), 2U);
  turns.serve(100, 100);
  EXPECT_EQ(turns.front(), 9U);
  EXPECT_TRUE(turns.leave());
  EXPECT_EQ(turns.front(), 1U);
}

/// On the way to a reader, octets of one stream are together: each fact wakes a program.
TEST(QuicTurns, ManyReadersAreWokenForMuch) {
  Busy it(8, {.delay = 5ms}, 200ms);
  const auto octets = [&] {
    std::size_t sum = 0;
    for (const auto stream : it.streams) sum += it.server.received(stream).octets;
    return sum;
  };
  const auto woken = [&] { return it.pair.server.count<StreamReadable>(); };
  const std::size_t octets_before = octets();
  const std::size_t woken_before = woken();
  it.pair.run_for(50ms);
  const std::size_t each = (octets() - octets_before) / (woken() - woken_before);
  ::testing::Test::RecordProperty("octets_for_a_wake_up", static_cast<int>(each));
  EXPECT_GT(each, 24'000U);
}

TEST(QuicTurns, BulkStreamsShareEvenly) {
  Busy it(5);
  it.pair.run_for(4s);
  std::size_t least = SIZE_MAX;
  std::size_t most = 0;
  for (const auto stream : it.streams) {
    least = std::min(least, it.server.received(stream).octets);
    most = std::max(most, it.server.received(stream).octets);
  }
  EXPECT_GT(static_cast<double>(least), 0.9 * static_cast<double>(most));
}

}  // namespace
}  // namespace peersock::testing
