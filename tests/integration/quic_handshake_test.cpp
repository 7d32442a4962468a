// Who may talk to whom: certificates, protocol names, exported keys, the ways to end.
#include "quic_fixture.hpp"

namespace peersock::testing {
namespace {

using quic::Role;
using ::testing::HasSubstr;

/// Two ends that were never told about each other by an engine.
struct Strangers {
  Strangers() : pair({}, 1) {}

  void use(QuicEnd& end, Role role, const adapters::Identity* identity,
           const adapters::Fingerprint& expected, std::string_view alpn = quic::kAlpn) {
    auto connection =
        make_connection_of(kind_of(role), {.role = role, .peer_fingerprint = expected}, identity,
                           alpn, VirtualClock::now());
    ASSERT_TRUE(connection) << connection.error().message;
    end.connection = std::move(*connection);
  }
  [[nodiscard]] const Closed* closed(const QuicEnd& end) {
    static_cast<void>(pair.run_until([&] { return end.count<Closed>() > 0; }));
    return end.last<Closed>();
  }

  adapters::Identity alice = std::move(*adapters::make_identity());
  adapters::Identity bob = std::move(*adapters::make_identity());
  adapters::Identity mallory = std::move(*adapters::make_identity());
  QuicPair pair;
};

void expect_error(const Closed* closed, ErrorKind kind, const std::string& text) {
  ASSERT_NE(closed, nullptr);
  ASSERT_TRUE(closed->error);
  EXPECT_EQ(closed->error->kind, kind);
  EXPECT_THAT(closed->error->message, HasSubstr(text));
  EXPECT_FALSE(closed->application_code);
}

TEST(QuicHandshake, CompletesOnceOnBothSides) {
  Pairing it;
  it.pair.run_for(1s);
  EXPECT_EQ(it.pair.client.count<Established>(), 1U);
  EXPECT_EQ(it.pair.server.count<Established>(), 1U);
  EXPECT_EQ(it.pair.client.count<Closed>() + it.pair.server.count<Closed>(), 0U);
}

TEST(QuicHandshake, SendsNothingBeforeTheFirstTransmitHoweverLongThatTakes) {
  const auto a = make_engine(Role::kClient);
  const auto b = make_engine(Role::kServer);
  QuicPair pair({}, 1);
  pair.client.connection = connect(*a, config_for(Role::kClient, *b));
  pair.server.connection = connect(*b, config_for(Role::kServer, *a));
  EXPECT_FALSE(pair.client.connection->deadline());
  EXPECT_FALSE(pair.server.connection->deadline());
  VirtualClock::advance(1h);
  EXPECT_TRUE(pair.run_until([&] { return pair.server.connection->handshake_complete(); }, 1s));
  EXPECT_TRUE(pair.client.connection->handshake_complete());
}

TEST(QuicHandshake, SurvivesLossOnBothWays) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Pairing it({.delay = 20ms, .jitter = 10ms, .loss = 200, .duplication = 100}, seed);
    EXPECT_EQ(it.pair.client.count<Closed>(), 0U) << "seed " << seed;
  }
}

TEST(QuicHandshake, ClientRefusesAnotherCertificate) {
  Strangers it;
  it.use(it.pair.client, Role::kClient, &it.alice, it.bob.fingerprint);
  it.use(it.pair.server, Role::kServer, &it.mallory, it.alice.fingerprint);
  expect_error(it.closed(it.pair.client), ErrorKind::kAuthentication, "another certificate");
  expect_error(it.closed(it.pair.server), ErrorKind::kAuthentication, "refused our certificate");
  EXPECT_FALSE(it.pair.client.connection->handshake_complete());
  EXPECT_FALSE(it.pair.server.connection->handshake_complete());
}

TEST(QuicHandshake, ServerRefusesAnotherCertificate) {
  Strangers it;
  it.use(it.pair.client, Role::kClient, &it.mallory, it.bob.fingerprint);
  it.use(it.pair.server, Role::kServer, &it.bob, it.alice.fingerprint);
  expect_error(it.closed(it.pair.server), ErrorKind::kAuthentication, "another certificate");
  expect_error(it.closed(it.pair.client), ErrorKind::kAuthentication, "refused our certificate");
  EXPECT_FALSE(it.pair.server.connection->handshake_complete());
}

TEST(QuicHandshake, ServerRefusesAClientWithoutCertificate) {
  Strangers it;
  it.use(it.pair.client, Role::kClient, nullptr, it.bob.fingerprint);
  it.use(it.pair.server, Role::kServer, &it.bob, it.alice.fingerprint);
  expect_error(it.closed(it.pair.server), ErrorKind::kAuthentication, "no certificate");
  expect_error(it.closed(it.pair.client), ErrorKind::kAuthentication, "refused our certificate");
  EXPECT_FALSE(it.pair.server.connection->handshake_complete());
}

TEST(QuicHandshake, AServerWithoutCertificateGetsNowhere) {
  Strangers it;
  it.use(it.pair.client, Role::kClient, &it.alice, it.bob.fingerprint);
  it.use(it.pair.server, Role::kServer, nullptr, it.alice.fingerprint);
  const Closed* closed = it.closed(it.pair.client);
  ASSERT_NE(closed, nullptr);
  EXPECT_TRUE(closed->error);
  EXPECT_FALSE(it.pair.client.connection->handshake_complete());
}

TEST(QuicHandshake, AManInTheMiddleIsRefusedByBothSides) {
  // Mallory sits on the path with a connection of her own to each side, and knows both
  // fingerprints, but neither key.
  Strangers to_alice;
  Strangers to_bob;
  to_alice.use(to_alice.pair.client, Role::kClient, &to_alice.alice, to_alice.bob.fingerprint);
  to_alice.use(to_alice.pair.server, Role::kServer, &to_alice.mallory, to_alice.alice.fingerprint);
  to_bob.use(to_bob.pair.client, Role::kClient, &to_bob.mallory, to_bob.bob.fingerprint);
  to_bob.use(to_bob.pair.server, Role::kServer, &to_bob.bob, to_bob.alice.fingerprint);
  expect_error(to_alice.closed(to_alice.pair.client), ErrorKind::kAuthentication,
               "another certificate");
  expect_error(to_bob.closed(to_bob.pair.server), ErrorKind::kAuthentication,
               "another certificate");
  EXPECT_EQ(to_alice.pair.client.count<Established>(), 0U);
  EXPECT_EQ(to_bob.pair.server.count<Established>(), 0U);
}

TEST(QuicHandshake, AnotherProtocolNameIsIncompatible) {
  Strangers it;
  it.use(it.pair.client, Role::kClient, &it.alice, it.bob.fingerprint, "peersock/2");
  it.use(it.pair.server, Role::kServer, &it.bob, it.alice.fingerprint);
  expect_error(it.closed(it.pair.server), ErrorKind::kIncompatible, "another version");
  if (kind_of(Role::kServer) == EngineKind::kOpenSsl) {
    // It refuses a first flight without a word (quic_channel.c, ch_start_terminating).
    expect_error(it.closed(it.pair.client), ErrorKind::kConnectionLost, "not answered");
  } else {
    expect_error(it.closed(it.pair.client), ErrorKind::kIncompatible, "another version");
  }
}

TEST(QuicHandshake, ExportsTheSameKeysOnBothSidesAndOthersElsewhere) {
  Pairing one;
  Pairing two;
  const Bytes context = to_bytes("context");
  const auto key = [&](quic::Connection& connection, std::string_view label, ByteView with) {
    auto secret = connection.export_keying_material(label, with, 32);
    EXPECT_TRUE(secret);
    return Bytes(secret->reveal().begin(), secret->reveal().end());
  };
  const Bytes reference = key(*one.pair.client.connection, "EXPORTER-a", context);
  EXPECT_EQ(reference.size(), 32U);
  EXPECT_EQ(key(*one.pair.server.connection, "EXPORTER-a", context), reference);
  EXPECT_NE(key(*one.pair.client.connection, "EXPORTER-b", context), reference);
  EXPECT_NE(key(*one.pair.client.connection, "EXPORTER-a", {}), reference);
  EXPECT_NE(key(*two.pair.client.connection, "EXPORTER-a", context), reference);
}

TEST(QuicHandshake, ExportsNothingBeforeItIsComplete) {
  const auto engine = make_engine(Role::kClient);
  for (const Role role : {Role::kClient, Role::kServer}) {
    const auto connection = connect(*engine, config_for(role, *engine));
    EXPECT_FALSE(connection->export_keying_material("EXPORTER-a", {}, 32));
    EXPECT_FALSE(connection->open_stream());
  }
}

TEST(QuicHandshake, MeasuresTheRoundTrip) {
  Pairing it({.delay = 40ms});
  for (const QuicEnd* end : {&it.pair.client, &it.pair.server}) {
    const auto statistics = end->connection->statistics();
    ASSERT_TRUE(statistics.round_trip);
    EXPECT_GE(*statistics.round_trip, 80ms);
    EXPECT_LE(*statistics.round_trip, 120ms);
    EXPECT_GT(statistics.datagrams_sent, 0U);
    EXPECT_GT(statistics.datagrams_received, 0U);
  }
}

TEST(QuicHandshake, FollowsTheRoundTripAsItChanges) {
  Pairing it({.delay = 10ms});
  const auto measured = [&](Duration for_this_long) {
    const auto stream = it.client.open();
    it.client.send(stream, 1, /*finish=*/false);
    const Instant end = VirtualClock::now() + for_this_long;
    while (VirtualClock::now() < end) {
      it.client.send(stream, 100, /*finish=*/false);
      it.pair.run_for(300ms);
    }
    return *it.pair.client.connection->statistics().round_trip;
  };
  EXPECT_NEAR(static_cast<double>(measured(10s) / 1ms), 20, 6);
  it.pair.client.out.set_profile({.delay = 70ms});
  it.pair.server.out.set_profile({.delay = 70ms});
  EXPECT_NEAR(static_cast<double>(measured(30s) / 1ms), 140, 15);
}

TEST(QuicEnd, ThePeerLearnsCodeAndReason) {
  Pairing it;
  it.pair.run_for(100ms);
  it.pair.client.connection->close(42, "that was \x01 all", VirtualClock::now());
  ASSERT_TRUE(it.pair.run_until([&] { return it.pair.server.count<Closed>() > 0; }, 1s));
  const Closed* closed = it.pair.server.last<Closed>();
  EXPECT_EQ(closed->application_code, 42U);
  EXPECT_EQ(closed->reason, "that was ? all");
  EXPECT_FALSE(closed->error);
  const Closed* own = it.pair.client.last<Closed>();
  ASSERT_NE(own, nullptr);
  EXPECT_FALSE(own->application_code);
  EXPECT_FALSE(own->error);
}

TEST(QuicEnd, WhatWasWrittenBeforeTheCloseGoesFirst) {
  for (const std::size_t size : {100U, 300'000U}) {
    Pairing it({.delay = 1ms});
    const auto warm_up = it.client.open();
    it.client.send(warm_up, 12'000'000);  // congestion control lets more and more go at once
    ASSERT_TRUE(it.pair.run_until([&] { return it.server.received(warm_up).end; }));
    const auto stream = it.client.open();
    it.client.send(stream, size);
    it.pair.client.connection->close(5, "", VirtualClock::now());
    ASSERT_TRUE(it.pair.run_until([&] { return it.pair.server.count<Closed>() > 0; }, 1s));
    EXPECT_EQ(it.pair.server.last<Closed>()->application_code, 5U);
    EXPECT_EQ(it.server.received(stream).octets, size);
    EXPECT_TRUE(it.server.received(stream).end);
  }
}

TEST(QuicEnd, ALostCloseIsNoticedAsSilence) {
  Pairing it;
  it.pair.run_for(100ms);
  it.pair.client.out.set_profile({.loss = 1000});
  it.pair.client.connection->close(7, "", VirtualClock::now());
  it.pair.settle();
  it.pair.client.out.set_profile({});
  it.server.send(it.server.open(), 10);
  ASSERT_TRUE(it.pair.run_until([&] { return it.pair.server.count<Closed>() > 0; }, 13s));
  expect_error(it.pair.server.last<Closed>(), ErrorKind::kConnectionLost, "not answered");
}

TEST(QuicEnd, NothingFollowsAClose) {
  Pairing it;
  const auto stream = it.client.open();
  it.client.send(stream, 100, /*finish=*/false);
  it.pair.run_for(100ms);
  it.pair.client.connection->close(1, "", VirtualClock::now());
  it.pair.run_for(1min);
  auto& connection = *it.pair.client.connection;
  EXPECT_FALSE(connection.open_stream());
  EXPECT_EQ(connection.write(stream, to_bytes("x")), 0U);
  EXPECT_EQ(connection.write_capacity(stream), 0U);
  connection.finish(stream);
  connection.reset(stream, 1);
  connection.stop_sending(stream, 1);
  connection.release(stream);
  connection.close(2, "again", VirtualClock::now());
  it.pair.run_for(1min);
  for (const QuicEnd* end : {&it.pair.client, &it.pair.server}) {
    EXPECT_EQ(end->count<Closed>(), 1U);
    EXPECT_TRUE(std::holds_alternative<Closed>(end->facts.back()));
    EXPECT_FALSE(end->connection->deadline());
  }
}

TEST(QuicEnd, AClientThatNeverSentAnythingClosesSilently) {
  const auto engine = make_engine(Role::kClient);
  QuicPair pair({}, 1);
  pair.client.connection = connect(*engine, config_for(Role::kClient, *engine));
  pair.client.connection->close(1, "", VirtualClock::now());
  pair.run_for(1min);
  EXPECT_EQ(pair.client.count<Closed>(), 1U);
  EXPECT_EQ(pair.client.out.sent(), 0U);
}

// RFC 9000 section 10.2.3: its code and its reason are not sent in the clear.
TEST(QuicEnd, GivingUpDuringTheHandshakeIsSaidInWords) {
  const auto client = make_engine(Role::kClient);
  const auto server = make_engine(Role::kServer);
  QuicPair pair({.delay = 10ms}, 1);
  pair.client.connection = connect(*client, config_for(Role::kClient, *server));
  pair.server.connection = connect(*server, config_for(Role::kServer, *client));
  ASSERT_TRUE(pair.run_until([&] { return pair.server.out.sent() > 0; }, 1s));
  ASSERT_FALSE(pair.client.connection->handshake_complete());
  pair.client.connection->close(1, "a secret reason", VirtualClock::now());
  ASSERT_TRUE(pair.run_until([&] { return pair.server.count<Closed>() > 0; }, 1s));
  expect_error(pair.server.last<Closed>(), ErrorKind::kConnectionLost,
               "The other side gave up while the connection was being secured");
}

TEST(QuicEnd, AnIdleConnectionStaysUp) {
  Pairing it({.delay = 50ms});
  const auto sent = it.pair.client.out.sent();
  it.pair.run_for(1h);
  EXPECT_EQ(it.pair.client.count<Closed>() + it.pair.server.count<Closed>(), 0U);
  // One keep-alive in half an idle time-out, and its acknowledgement: at most two each way.
  EXPECT_LE(it.pair.client.out.sent() - sent, 2 * 3600 / 6U);
  it.client.send(it.client.open(), 1000);
  EXPECT_TRUE(it.pair.run_until([&] { return it.server.streams_ended() == 1; }, 1s));
}

TEST(QuicEnd, AnIdleConnectionStaysUpOverALossyLink) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Pairing it({.delay = 100ms, .jitter = 50ms, .loss = 100}, seed);
    it.pair.run_for(1h);
    EXPECT_EQ(it.pair.client.count<Closed>() + it.pair.server.count<Closed>(), 0U)
        << "seed " << seed;
  }
}

TEST(QuicEnd, ADeadPeerIsNoticedWithinTheIdleTimeout) {
  Pairing it;
  it.pair.run_for(1min);
  const Instant dead = VirtualClock::now();
  it.pair.server.connection.reset();
  ASSERT_TRUE(it.pair.run_until([&] { return it.pair.client.count<Closed>() > 0; }, 20s));
  EXPECT_LE(VirtualClock::now() - dead, 12s);
  EXPECT_GE(VirtualClock::now() - dead, 5s);
  expect_error(it.pair.client.last<Closed>(), ErrorKind::kConnectionLost, "12 s");
  EXPECT_FALSE(it.pair.client.connection->deadline());
}

TEST(QuicEnd, ADeadPeerIsNoticedWhileWeGoOnSending) {
  Pairing it;
  const auto stream = it.client.open();
  it.client.send(stream, 400'000, /*finish=*/false);
  it.pair.run_for(1ms);
  const Instant dead = VirtualClock::now();
  it.pair.server.connection.reset();
  ASSERT_TRUE(it.pair.run_until([&] { return it.pair.client.count<Closed>() > 0; }, 20s));
  // What the peer had sent before was still on its way.
  EXPECT_LE(VirtualClock::now() - dead, 12s + 5ms);
}

TEST(QuicEnd, AClientThatNobodyAnswersGivesUp) {
  const auto engine = make_engine(Role::kClient);
  QuicPair pair({}, 1);
  pair.client.connection = connect(*engine, config_for(Role::kClient, *engine));
  ASSERT_TRUE(pair.run_until([&] { return pair.client.count<Closed>() > 0; }, 1min));
  expect_error(pair.client.last<Closed>(), ErrorKind::kConnectionLost, "not answered");
}

}  // namespace
}  // namespace peersock::testing
