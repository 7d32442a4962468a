// A run of the ngtcp2 engine is the same, datagram for datagram and nanosecond for nanosecond, for
// the same seed.
#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/rand.h>

#include "adapters/ngtcp2_engine.hpp"
#include "quic_fixture.hpp"

namespace peersock::testing {
namespace {

/// OpenSSL's random numbers, seeded: keys and hellos come from it.
class SeededOpenSsl {
 public:
  explicit SeededOpenSsl(std::uint64_t seed) {
    rng() = std::make_unique<SeededRng>(seed);
    static const RAND_METHOD method{nullptr, fill, nullptr, nullptr, fill, status};
    RAND_set_rand_method(&method);
  }
  ~SeededOpenSsl() {
    RAND_set_rand_method(nullptr);
    rng().reset();
  }
  SeededOpenSsl(const SeededOpenSsl&) = delete;
  SeededOpenSsl& operator=(const SeededOpenSsl&) = delete;
  SeededOpenSsl(SeededOpenSsl&&) = delete;
  SeededOpenSsl& operator=(SeededOpenSsl&&) = delete;

 private:
  static std::unique_ptr<SeededRng>& rng() {
    static std::unique_ptr<SeededRng> instance;
    return instance;
  }
  static int fill(unsigned char* into, int size) {
    rng()->fill(MutableBytes(into, static_cast<std::size_t>(size)));
    return 1;
  }
  static int status() { return 1; }
};

struct Sent {
  Duration at{};
  bool by_client = false;
  Bytes octets;
  friend bool operator==(const Sent&, const Sent&) = default;
};

std::vector<Sent> run(std::uint64_t seed) {
  const SeededOpenSsl openssl(seed);
  SeededRng rng(seed);
  const Instant start = VirtualClock::now();
  std::vector<Sent> sent;
  const auto a = std::move(adapters::make_ngtcp2_engine(rng).value());
  const auto b = std::move(adapters::make_ngtcp2_engine(rng).value());
  QuicPair pair({.delay = 15ms, .jitter = 5ms, .loss = 30, .duplication = 10}, seed);
  const auto note = [&](bool client) {
    return [&, client](Bytes& datagram) {
      sent.push_back({VirtualClock::now() - start, client, datagram});
    };
  };
  pair.client.out.tap = note(true);
  pair.server.out.tap = note(false);
  pair.client.connection = connect(*a, config_for(quic::Role::kClient, *b));
  pair.server.connection = connect(*b, config_for(quic::Role::kServer, *a));
  Traffic client(pair.client, true);
  Traffic server(pair.server, false);
  EXPECT_TRUE(pair.run_until([&] { return pair.client.connection->handshake_complete(); }));
  client.send(client.open(), 700'000);
  server.send(0, 300'000);
  EXPECT_TRUE(pair.run_until(
      [&] { return server.streams_ended() == 1 && client.streams_ended() == 1; }, 5min));
  pair.client.connection->close(3, "done", VirtualClock::now());
  pair.run_for(1s);
  return sent;
}

TEST(QuicSeed, TheSameSeedGivesTheSameDatagramsAtTheSameTimes) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const auto first = run(seed);
    const auto second = run(seed);
    EXPECT_GT(first.size(), 800U);
    EXPECT_TRUE(first == second) << "seed " << seed;
  }
}

TEST(QuicSeed, AnotherSeedGivesOthers) {
  const auto first = run(1);
  const auto second = run(2);
  EXPECT_NE(first.front().octets, second.front().octets);
}

}  // namespace
}  // namespace peersock::testing
