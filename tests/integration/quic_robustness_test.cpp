// A hostile or broken network: nothing that arrives may crash, hang or fill a connection.
#include "quic_fixture.hpp"
#include "quic_raw_client.hpp"

namespace peersock::testing {
namespace {

using quic::Role;

Bytes noise(SeededRng& rng, std::size_t size) {
  return random_bytes(rng, size);
}

/// What an attacker makes of a datagram that he has seen.
Bytes mutate(SeededRng& rng, Bytes datagram) {
  switch (random_below(rng, 5)) {
    case 0:  // some bits
      for (std::uint32_t i = 0; i <= random_below(rng, 8); ++i) {
        datagram[random_below(rng, static_cast<std::uint32_t>(datagram.size()))] ^=
            static_cast<std::uint8_t>(1U << random_below(rng, 8));
      }
      break;
    case 1:  // cut short
      datagram.resize(1 + random_below(rng, static_cast<std::uint32_t>(datagram.size())));
      break;
    case 2:  // made longer
      datagram.resize(datagram.size() + 1 + random_below(rng, 300));
      break;
    case 3:  // another header
      for (std::size_t i = 0; i < std::min<std::size_t>(datagram.size(), 30); ++i) {
        if (random_below(rng, 3) == 0)
          datagram[i] = static_cast<std::uint8_t>(random_below(rng, 256));
      }
      break;
    default:  // as it was: a replay
      break;
  }
  return datagram;
}

/// Beside every datagram that `from` sends, some that an attacker made of it and of older ones.
void harass(QuicEnd& from, SeededRng& rng, std::vector<Bytes>& seen) {
  from.out.tap = [&](Bytes& datagram) {
    seen.push_back(datagram);
    const Instant soon = VirtualClock::now() + 1ms * random_below(rng, 20);
    from.out.inject(mutate(rng, datagram), soon);
    from.out.inject(mutate(rng, seen[random_below(rng, static_cast<std::uint32_t>(seen.size()))]),
                    soon);
    from.out.inject(noise(rng, 1 + random_below(rng, 1400)), soon);
  };
}

TEST(QuicRobustness, ForgedDatagramsDuringTheHandshakeDoNotStopIt) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const auto a = make_engine(Role::kClient);
    const auto b = make_engine(Role::kServer);
    SeededRng rng(seed);
    std::vector<Bytes> seen;
    QuicPair pair({}, seed);
    harass(pair.client, rng, seen);
    harass(pair.server, rng, seen);
    pair.server.connection = connect(*b, config_for(Role::kServer, *a));
    pair.client.connection = connect(*a, config_for(Role::kClient, *b));
    EXPECT_TRUE(pair.run_until(
        [&] {
          return pair.client.connection->handshake_complete() &&
                 pair.server.connection->handshake_complete();
        },
        10s))
        << "seed " << seed;
  }
}

TEST(QuicRobustness, ForgedDatagramsDoNotDisturbTheData) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Pairing it({.delay = 10ms, .jitter = 5ms, .loss = 10}, seed);
    SeededRng rng(seed);
    std::vector<Bytes> seen;
    harass(it.pair.client, rng, seen);
    harass(it.pair.server, rng, seen);
    const auto ours = it.client.open();
    const auto theirs = it.server.open();
    it.client.send(ours, 300'000);
    it.server.send(theirs, 200'000);
    ASSERT_TRUE(it.pair.run_until(
        [&] { return it.server.received(ours).end && it.client.received(theirs).end; }, 5min))
        << "seed " << seed;
    EXPECT_EQ(it.server.received(ours).octets, 300'000U) << "seed " << seed;
    EXPECT_EQ(it.client.received(theirs).octets, 200'000U) << "seed " << seed;
    EXPECT_TRUE(it.client.all_correct() && it.server.all_correct()) << "seed " << seed;
    EXPECT_EQ(it.pair.client.count<Closed>() + it.pair.server.count<Closed>(), 0U);
  }
}

TEST(QuicRobustness, AReplayOfEverythingChangesNothing) {
  Pairing it;
  std::vector<Bytes> seen;
  it.pair.client.out.tap = [&](Bytes& datagram) { seen.push_back(datagram); };
  const auto stream = it.client.open();
  it.client.send(stream, 100'000);
  ASSERT_TRUE(it.pair.run_until([&] { return it.server.received(stream).end; }));
  it.pair.run_for(1s);
  const auto facts = it.pair.server.facts.size();
  for (const Bytes& datagram : std::vector<Bytes>(seen)) {
    it.pair.server.connection->receive({datagram, datagram.size()}, VirtualClock::now());
  }
  it.pair.run_for(1s);
  EXPECT_EQ(it.pair.server.facts.size(), facts);
  EXPECT_EQ(it.server.received(stream).octets, 100'000U);
}

TEST(QuicRobustness, RubbishBeforeTheFirstDatagram) {
  const auto a = make_engine(Role::kClient);
  const auto b = make_engine(Role::kServer);
  SeededRng rng(3);
  QuicPair pair({}, 1);
  pair.server.connection = connect(*b, config_for(Role::kServer, *a));
  for (std::size_t size = 1; size < 1500; size += 7) {
    Bytes datagram = noise(rng, size);
    pair.server.connection->receive({datagram, size}, VirtualClock::now());
    if (size < 6) continue;
    datagram[0] |= 0xc0;  // a long header, then an Initial of version 1
    pair.server.connection->receive({datagram, size}, VirtualClock::now());
    datagram[0] = 0xc0;
    datagram[1] = datagram[2] = datagram[3] = 0;
    datagram[4] = 1;
    datagram[5] = 8;
    pair.server.connection->receive({datagram, size}, VirtualClock::now());
  }
  pair.settle();
  EXPECT_EQ(pair.server.out.sent(), 0U);
  pair.client.connection = connect(*a, config_for(Role::kClient, *b));
  EXPECT_TRUE(pair.run_until([&] { return pair.server.connection->handshake_complete(); }, 5s));
}

TEST(QuicRobustness, EmptyTrainsAndOddSegmentsAreTaken) {
  Pairing it;
  SeededRng rng(5);
  const Bytes bytes = noise(rng, 60'000);
  for (const std::size_t segment : {0U, 1U, 7U, 1199U, 60'000U, 70'000U}) {
    it.pair.server.connection->receive({bytes, segment}, VirtualClock::now());
    it.pair.server.connection->receive({{}, segment}, VirtualClock::now());
  }
  it.client.send(it.client.open(), 10);
  EXPECT_TRUE(it.pair.run_until([&] { return it.server.streams_ended() == 1; }, 5s));
}

TEST(QuicRobustness, TheFirstFlightMayComeTwiceAndBackwards) {
  const auto a = make_engine(Role::kClient);
  const auto b = make_engine(Role::kServer);
  auto client = connect(*a, config_for(Role::kClient, *b));
  Bytes buffer(65'535);
  const auto train = client->transmit(buffer, VirtualClock::now());
  std::vector<Bytes> flight;
  quic::for_each_datagram(
      train, [&](ByteView datagram) { flight.emplace_back(datagram.begin(), datagram.end()); });
  QuicPair pair({}, 1);
  // The server has seen nothing, and was never asked for anything, before this.
  pair.server.connection = connect(*b, config_for(Role::kServer, *a));
  for (auto datagram = flight.rbegin(); datagram != flight.rend(); ++datagram) {
    for (int twice = 0; twice < 2; ++twice) {
      pair.server.connection->receive({*datagram, datagram->size()}, VirtualClock::now());
    }
  }
  pair.client.connection = std::move(client);
  EXPECT_TRUE(pair.run_until([&] { return pair.server.connection->handshake_complete(); }, 5s));
  EXPECT_EQ(pair.server.count<Established>(), 1U);
}

/// The first flights of `count` clients that nobody invited.
std::vector<Bytes> strangers(quic::Engine& engine, std::size_t count) {
  std::vector<Bytes> datagrams;
  Bytes buffer(65'535);
  for (std::size_t i = 0; i < count; ++i) {
    auto client = connect(engine, config_for(Role::kClient, engine));
    quic::for_each_datagram(client->transmit(buffer, VirtualClock::now()), [&](ByteView datagram) {
      datagrams.emplace_back(datagram.begin(), datagram.end());
    });
  }
  return datagrams;
}

TEST(QuicRobustness, ASecondClientIsNotHeard) {
  Pairing it;
  const auto sent = it.pair.server.out.sent();
  const auto engine = make_engine(Role::kClient);
  for (const Bytes& datagram : strangers(*engine, 20)) {
    it.pair.server.connection->receive({datagram, datagram.size()}, VirtualClock::now());
  }
  it.pair.settle();
  EXPECT_EQ(it.pair.server.out.sent(), sent);
  it.client.send(it.client.open(), 10);
  EXPECT_TRUE(it.pair.run_until([&] { return it.server.streams_ended() == 1; }, 5s));
}

TEST(QuicRobustness, OneConnectionIsAcceptedHoweverManyComeAtOnce) {
  const auto a = make_engine(Role::kClient);
  const auto b = make_engine(Role::kServer);
  const auto engine = make_engine(Role::kClient);
  QuicPair pair({}, 1);
  pair.server.connection = connect(*b, config_for(Role::kServer, *a));
  pair.client.connection = connect(*a, config_for(Role::kClient, *b));
  Bytes train;
  Bytes buffer(65'535);
  const auto first = pair.client.connection->transmit(buffer, VirtualClock::now());
  train.assign(first.bytes.begin(), first.bytes.end());
  for (const Bytes& datagram : strangers(*engine, 10)) {
    ASSERT_EQ(datagram.size(), 1200U);
    train.insert(train.end(), datagram.begin(), datagram.end());
  }
  pair.server.connection->receive({train, 1200}, VirtualClock::now());
  ASSERT_TRUE(pair.run_until([&] { return pair.server.connection->handshake_complete(); }, 5s));
  EXPECT_EQ(pair.server.count<Established>(), 1U);
}

TEST(QuicRobustness, AnotherVersionGetsNoAnswer) {
  const auto a = make_engine(Role::kClient);
  const auto b = make_engine(Role::kServer);
  auto client = connect(*a, config_for(Role::kClient, *b));
  auto server = connect(*b, config_for(Role::kServer, *a));
  Bytes buffer(65'535);
  const auto train = client->transmit(buffer, VirtualClock::now());
  Bytes datagram(train.bytes.begin(), train.bytes.begin() + 1200);
  datagram[4] = 2;
  server->receive({datagram, 1200}, VirtualClock::now());
  EXPECT_TRUE(server->transmit(buffer, VirtualClock::now()).bytes.empty());
}

TEST(QuicRobustness, UnidirectionalStreamsAreRefused) {
  RawClient raw;
  ASSERT_TRUE(raw.handshake());
  adapters::SslPtr uni(SSL_new_stream(raw.ssl(), SSL_STREAM_FLAG_UNI));
  adapters::SslPtr bidi(SSL_new_stream(raw.ssl(), 0));
  std::size_t written = 0;
  ASSERT_EQ(SSL_write_ex(uni.get(), "hello", 5, &written), 1);
  ASSERT_EQ(SSL_write_ex(bidi.get(), "hello", 5, &written), 1);
  raw.exchange(10);
  EXPECT_EQ(SSL_get_stream_write_state(uni.get()), SSL_STREAM_STATE_RESET_LOCAL);
  EXPECT_EQ(SSL_get_stream_write_state(bidi.get()), SSL_STREAM_STATE_OK);
  EXPECT_EQ(raw.count<StreamOpened>(), 1U);
  EXPECT_EQ(raw.count<Closed>(), 0U);
}

TEST(QuicRobustness, ThePeersStopCodeArrives) {
  // Refusing new streams is OpenSSL's only way to send STOP_SENDING with a code.
  RawClient raw;
  ASSERT_TRUE(raw.handshake());
  ASSERT_EQ(SSL_set_incoming_stream_policy(raw.ssl(), SSL_INCOMING_STREAM_POLICY_REJECT, 77), 1);
  const auto stream = raw.server().open_stream();
  ASSERT_TRUE(stream);
  EXPECT_EQ(raw.server().write(*stream, to_bytes("hello")), 5U);
  raw.exchange(10);
  ASSERT_EQ(raw.count<StreamStopped>(), 1U);
  EXPECT_EQ(std::get<StreamStopped>(*raw.find<StreamStopped>()).code, 77U);
  Bytes buffer(10);
  EXPECT_EQ(raw.server().read(*stream, buffer).reset, 77U);
}

}  // namespace
}  // namespace peersock::testing
