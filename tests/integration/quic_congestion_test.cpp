// What each congestion control of the ngtcp2 engine makes of a network, in virtual time. The rates
// are properties of the test report; docs/performance.md has them.
#include "adapters/ngtcp2_engine.hpp"
#include "quic_fixture.hpp"

namespace peersock::testing {
namespace {

using adapters::Congestion;

constexpr double kMiB = 1 << 20;
/// 40 Mbit/s, with a buffer of one round trip of 50 ms.
constexpr std::size_t kRate = 5'000'000;
constexpr std::size_t kBuffer = kRate / 20;

/// Octets that arrive in `time`, as MiB/s; the client sends without end.
double rate_of(Congestion congestion, const LinkProfile& link, Duration time, std::uint64_t seed) {
  SeededRng rng(seed);
  const auto a = std::move(adapters::make_ngtcp2_engine(rng, congestion).value());
  const auto b = std::move(adapters::make_ngtcp2_engine(rng, congestion).value());
  QuicPair pair(link, seed);
  pair.client.connection = connect(*a, config_for(quic::Role::kClient, *b));
  pair.server.connection = connect(*b, config_for(quic::Role::kServer, *a));
  Traffic client(pair.client, true);
  Traffic server(pair.server, false);
  EXPECT_TRUE(pair.run_until([&] { return pair.client.connection->handshake_complete(); }));
  const auto stream = client.open();
  client.send(stream, std::size_t{1} << 40, /*finish=*/false);
  pair.run_for(time);
  EXPECT_TRUE(server.all_correct());
  return static_cast<double>(server.received(stream).octets) / kMiB /
         std::chrono::duration<double>(time).count();
}

/// Noted in the report.
double noted_rate(Congestion congestion, const std::string& name, const LinkProfile& link) {
  const double rate = rate_of(congestion, link, 5s, 1);
  constexpr std::array<const char*, 3> kNames{"bbr", "cubic", "reno"};
  ::testing::Test::RecordProperty(name + "_" + kNames[static_cast<std::size_t>(congestion)],
                                  std::to_string(rate));
  return rate;
}

LinkProfile bottleneck(unsigned loss_of_thousand) {
  return {.delay = 25ms, .loss = loss_of_thousand, .rate = kRate, .buffer = kBuffer};
}

TEST(QuicCongestion, EveryControlFillsABottleneckWithoutLoss) {
  for (const auto control : {Congestion::kBbr, Congestion::kCubic, Congestion::kReno}) {
    EXPECT_GT(noted_rate(control, "loss_0", bottleneck(0)), 0.7 * kRate / kMiB);
  }
}

/// Between its probes BBR sends a little less than it has found, and is not to take that for the
/// most there is.
TEST(QuicCongestion, BbrKeepsTheRateThatItHasFound) {
  const double lossless = rate_of(Congestion::kBbr, bottleneck(0), 20s, 1);
  ::testing::Test::RecordProperty("lossless", std::to_string(lossless));
  EXPECT_GT(lossless, 0.88 * kRate / kMiB);
  const double lossy = rate_of(Congestion::kBbr, bottleneck(20), 20s, 1);
  ::testing::Test::RecordProperty("loss_20_of_thousand", std::to_string(lossy));
  EXPECT_GT(lossy, 0.4 * kRate / kMiB);
}

TEST(QuicCongestion, BbrGoesOnThroughRandomLoss) {
  for (const unsigned loss : {10U, 30U}) {
    const std::string name = "loss_" + std::to_string(loss) + "_of_thousand";
    const double bbr = noted_rate(Congestion::kBbr, name, bottleneck(loss));
    const double cubic = noted_rate(Congestion::kCubic, name, bottleneck(loss));
    const double reno = noted_rate(Congestion::kReno, name, bottleneck(loss));
    EXPECT_GT(bbr, 2 * std::max(cubic, reno)) << name;
  }
}

}  // namespace
}  // namespace peersock::testing
