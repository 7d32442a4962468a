// The main job in virtual time: code, rendezvous, ICE, QUIC, proof, tunnel, goodbye.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/engines.hpp"
#include "support/session_pair.hpp"

namespace peersock::testing {
namespace {

using wire::Mode;

TEST(Session, CarriesAConnectionBothWays) {
  PairOptions options;
  options.real_proof = true;
  options.target_sends = pattern(300'000, 1);
  SessionPair pair(options);
  pair.start();
  ASSERT_TRUE(pair.until_authenticated()) << pair.story();
  const auto program = pair.connect(pattern(200'000));
  ASSERT_TRUE(pair.until([&] {
    return program->saw_end && !pair.targets().empty() && pair.targets()[0]->saw_end;
  })) << pair.story();
  EXPECT_EQ(pair.targets()[0]->received, pattern(200'000));
  EXPECT_EQ(program->received, pattern(300'000, 1));
  EXPECT_FALSE(program->saw_reset);
  EXPECT_THAT(pair.a->events(), ::testing::ElementsAre(
                                    "rendezvous_joined", "code_made", "peer_arrived", "path_chosen",
                                    "authenticated", "connection_opened", "connection_closed"));
}

TEST(Session, ServesManyConnectionsOverOneSession) {
  PairOptions options;
  options.target_sends = pattern(5'000, 3);
  SessionPair pair(options);
  pair.start();
  ASSERT_TRUE(pair.until_authenticated()) << pair.story();
  std::vector<std::shared_ptr<LocalProgram>> programs;
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 20; ++i) programs.push_back(pair.connect(pattern(3'000)));
    ASSERT_TRUE(pair.until([&] { return programs.back()->saw_end; })) << pair.story();
  }
  ASSERT_TRUE(pair.until([&] {
    return std::ranges::all_of(programs, [](const auto& p) { return p->saw_end && p->closed; });
  })) << pair.story();
  for (const auto& program : programs) EXPECT_EQ(program->received, pattern(5'000, 3));
  ASSERT_EQ(pair.targets().size(), programs.size());
  for (const auto& target : pair.targets()) EXPECT_EQ(target->received, pattern(3'000));
}

TEST(Session, EveryPairThatMakesSenseWorks) {
  for (const auto& [mode_a, mode_b] : {std::pair{Mode::kListen, Mode::kConnect},
                                       {Mode::kStdioB, Mode::kStdioA},
                                       {Mode::kListen, Mode::kStdioA},
                                       {Mode::kStdioB, Mode::kConnect}}) {
    PairOptions options;
    options.mode_a = mode_a;
    options.mode_b = mode_b;
    options.target_sends = pattern(70'000, 1);
    SessionPair pair(options);
    pair.start();
    ASSERT_TRUE(pair.until_authenticated()) << pair.story();
    const auto program = pair.connect(pattern(90'000));
    const bool single = mode_a != Mode::kListen || mode_b != Mode::kConnect;
    if (single) {
      ASSERT_TRUE(pair.until_ended()) << pair.story();
      EXPECT_EQ(pair.a->exit_code(), ExitCode::kDone) << pair.story();
      EXPECT_EQ(pair.b->exit_code(), ExitCode::kDone) << pair.story();
    } else {
      ASSERT_TRUE(pair.until([&] { return program->saw_end && pair.targets().at(0)->saw_end; }));
    }
    EXPECT_EQ(program->received, pattern(70'000, 1));
    EXPECT_EQ(pair.targets().at(0)->received, pattern(90'000));
  }
}

TEST(Session, TwoOfTheSameKindAreRefusedOnBothSides) {
  for (const auto& [mode_a, mode_b] : {std::pair{Mode::kListen, Mode::kListen},
                                       {Mode::kConnect, Mode::kConnect},
                                       {Mode::kStdioA, Mode::kStdioA},
                                       {Mode::kStdioB, Mode::kStdioB},
                                       {Mode::kListen, Mode::kStdioB},
                                       {Mode::kConnect, Mode::kStdioA}}) {
    PairOptions options;
    options.mode_a = mode_a;
    options.mode_b = mode_b;
    SessionPair pair(options);
    pair.start();
    ASSERT_TRUE(pair.until_ended()) << pair.story();
    EXPECT_EQ(pair.a->exit_code(), ExitCode::kUsage) << pair.story();
    EXPECT_EQ(pair.b->exit_code(), ExitCode::kUsage) << pair.story();
  }
}

TEST(Session, SurvivesBadNetworksWhateverTheSeed) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    PairOptions options;
    options.seed = seed;
    options.mode_a = Mode::kStdioB;
    options.mode_b = Mode::kStdioA;
    options.path = {25ms, 20ms, 0.05, 0.03};
    options.mailbox = {30ms, 50ms, 0, 0};
    options.target_sends = pattern(40'000, 1);
    SessionPair pair(options);
    pair.mailbox.duplicate_messages(seed % 2 == 0);
    pair.mailbox.reorder_messages(seed % 3 != 0);
    pair.start();
    ASSERT_TRUE(pair.until_authenticated(120s)) << pair.story();
    const auto program = pair.connect(pattern(60'000));
    ASSERT_TRUE(pair.until_ended(300s)) << pair.story();
    EXPECT_EQ(pair.a->exit_code(), ExitCode::kDone) << pair.story();
    EXPECT_EQ(pair.b->exit_code(), ExitCode::kDone) << pair.story();
    EXPECT_EQ(program->received, pattern(40'000, 1));
    EXPECT_EQ(pair.targets().at(0)->received, pattern(60'000));
  }
}

TEST(Session, ConnectsWhereverTheMailboxDropsAndComesBack) {
  std::size_t frames_of_a_whole_run = 0;
  {
    SessionPair pair({});
    pair.start();
    ASSERT_TRUE(pair.until_authenticated()) << pair.story();
    frames_of_a_whole_run = pair.mailbox.frames_carried();
  }
  ASSERT_GT(frames_of_a_whole_run, 15U);
  for (std::size_t step = 1; step <= frames_of_a_whole_run; ++step) {
    for (const Duration outage : {Duration{100ms}, Duration{5s}}) {
      SCOPED_TRACE("drop after frame " + std::to_string(step));
      SessionPair pair({});
      pair.mailbox.drop_after_frames(step, outage);
      pair.start();
      ASSERT_TRUE(pair.until_authenticated(120s)) << pair.story();
    }
  }
}

TEST(Session, AWrongCodeEndsBothSidesAndIsNotTriedAgain) {
  PairOptions options;
  options.typed_words = "abandon-ability-able";
  SessionPair pair(options);
  pair.start();
  ASSERT_TRUE(pair.until_ended()) << pair.story();
  EXPECT_EQ(pair.a->exit_code(), ExitCode::kAuthentication) << pair.story();
  EXPECT_EQ(pair.b->exit_code(), ExitCode::kAuthentication) << pair.story();
  EXPECT_FALSE(pair.a->saw("peer_arrived"));
}

TEST(Session, EndsWhenThePeerNeverComes) {
  PairOptions options;
  options.peer_timeout = 30s;
  options.typed_nameplate = "99";
  SessionPair pair(options);
  pair.start();
  ASSERT_TRUE(pair.until_ended(60s)) << pair.story();
  EXPECT_EQ(pair.a->exit_code(), ExitCode::kPeerNeverCame);
  EXPECT_EQ(pair.b->exit_code(), ExitCode::kPeerNeverCame);
}

TEST(Session, SaysThatNoPathWasFound) {
  SessionPair pair({});
  pair.path.forbid_connectivity();
  pair.start();
  ASSERT_TRUE(pair.until_ended(120s)) << pair.story();
  EXPECT_EQ(pair.a->exit_code(), ExitCode::kNoPath) << pair.story();
  EXPECT_EQ(pair.b->exit_code(), ExitCode::kNoPath) << pair.story();
}

TEST(Session, AnUnreachableMailboxIsReported) {
  SessionPair pair({});
  pair.mailbox.refuse_all();
  pair.start();
  ASSERT_TRUE(pair.a->exit_code()) << pair.story();
  EXPECT_EQ(pair.a->exit_code(), ExitCode::kRendezvous);
}

TEST(Session, AKilledPeerIsNoticedInFifteenSeconds) {
  SessionPair pair({});
  pair.start();
  ASSERT_TRUE(pair.until_authenticated()) << pair.story();
  const auto program = pair.connect(pattern(1000), false);
  ASSERT_TRUE(pair.until([&] { return !pair.targets().empty(); }));
  pair.b->kill();
  ASSERT_TRUE(pair.until([&] { return pair.a->exit_code().has_value(); }, 15s)) << pair.story();
  EXPECT_EQ(pair.a->exit_code(), ExitCode::kConnectionLost);
  EXPECT_TRUE(program->saw_reset);
}

TEST(Session, StaysUpForAnIdleHour) {
  SessionPair pair({});
  pair.start();
  ASSERT_TRUE(pair.until_authenticated()) << pair.story();
  pair.world.run_for(3600s);
  ASSERT_FALSE(pair.a->exit_code()) << pair.story();
  const auto program = pair.connect(pattern(1000));
  ASSERT_TRUE(pair.until([&] { return program->saw_end; })) << pair.story();
}

TEST(Session, AnInterruptReachesThePeer) {
  SessionPair pair({});
  pair.start();
  ASSERT_TRUE(pair.until_authenticated()) << pair.story();
  pair.a->interrupt();
  ASSERT_TRUE(pair.until_ended(10s)) << pair.story();
  EXPECT_EQ(pair.a->exit_code(), ExitCode::kInterrupted);
  EXPECT_EQ(pair.b->exit_code(), ExitCode::kDone);
  EXPECT_TRUE(pair.b->saw("peer_left"));
}

TEST(Session, OnceEndsBothSidesAfterOneConnection) {
  PairOptions options;
  options.once_a = true;
  options.target_sends = pattern(100);
  SessionPair pair(options);
  pair.start();
  ASSERT_TRUE(pair.until_authenticated()) << pair.story();
  const auto program = pair.connect(pattern(100'000));
  ASSERT_TRUE(pair.until_ended()) << pair.story();
  EXPECT_EQ(pair.a->exit_code(), ExitCode::kDone) << pair.story();
  EXPECT_EQ(pair.b->exit_code(), ExitCode::kDone) << pair.story();
  EXPECT_EQ(pair.targets().at(0)->received, pattern(100'000));
}

TEST(Session, AStoppedReaderIsHeldBackAndHoldsUpNobodyElse) {
  SessionPair pair({});
  pair.start();
  ASSERT_TRUE(pair.until_authenticated()) << pair.story();
  ASSERT_TRUE(pair.until([&] { return pair.a->accepting(); }));
  const auto blocked = pair.connect(pattern(30'000'000), false);
  // It reads for a while first, so that the windows have grown.
  ASSERT_TRUE(pair.until(
      [&] { return !pair.targets().empty() && pair.targets()[0]->received.size() > 10'000'000; }));
  pair.targets()[0]->reads = false;
  pair.world.run_for(20s);
  // Sender's buffer, receiver's window, and one buffer of the tunnel.
  EXPECT_LT(blocked->sent - pair.targets()[0]->received.size(), tunnel::kMaxPending + 4'000'000U);
  for (std::size_t i = 1; i <= 5; ++i) {
    const auto program = pair.connect(pattern(200'000));
    ASSERT_TRUE(
        pair.until([&] { return pair.targets().size() > i && pair.targets()[i]->saw_end; }, 20s))
        << i << pair.story();
    EXPECT_EQ(pair.targets()[i]->received, pattern(200'000));
  }
  pair.targets()[0]->reads = true;
  pair.b->wake();
  ASSERT_TRUE(pair.until([&] { return pair.targets()[0]->received.size() == 30'000'000; }, 120s));
}

/// The largest datagram that side A, whose engine is the QUIC client's, sends in a session that
/// carries `octets` from A to B.
std::size_t largest_datagram(SessionPair& pair, std::size_t octets) {
  std::size_t largest = 0;
  pair.path.intercept([&](const VirtualHost& from, ByteView datagram) {
    if (&from == pair.a.get()) largest = std::max(largest, datagram.size());
    return true;
  });
  const std::size_t before = pair.targets().size();
  const auto program = pair.connect(pattern(octets));
  EXPECT_TRUE(pair.until([&] {
    return pair.targets().size() > before && pair.targets().back()->received.size() == octets;
  })) << pair.story();
  pair.path.intercept(nullptr);
  return largest;
}

TEST(Session, DatagramsGrowWhereThePathCarriesThemWhole) {
  const auto [client, server] = engines_under_test();
  // OpenSSL sends no larger ones, and allows its peer none.
  const bool grow = client == EngineKind::kNgtcp2 && server == EngineKind::kNgtcp2;
  for (const bool split : {false, true}) {
    SessionPair pair({});
    if (split) pair.path.set_split();
    pair.start();
    ASSERT_TRUE(pair.until_authenticated()) << pair.story();
    const std::size_t largest = largest_datagram(pair, 300'000);
    if (split && grow) {
      EXPECT_EQ(largest, quic::kMaxDatagramLimit);
    } else {
      EXPECT_LE(largest, quic::kMinDatagramLimit);
    }
  }
}

TEST(Session, DatagramsShrinkWhenTheSystemRefusesThem) {
  SessionPair pair({});
  pair.path.set_split();
  pair.start();
  ASSERT_TRUE(pair.until_authenticated()) << pair.story();
  static_cast<void>(largest_datagram(pair, 300'000));
  pair.path.narrow(1300);
  const Instant before = pair.world.now();
  EXPECT_LE(largest_datagram(pair, 300'000), quic::kMinDatagramLimit);
  EXPECT_LT(pair.world.now() - before, 2s) << "nobody had to wait for time-outs";
}

TEST(Session, ARefusedTargetLooksLikeAReset) {
  PairOptions options;
  options.target_refuses = true;
  SessionPair pair(options);
  pair.start();
  ASSERT_TRUE(pair.until_authenticated()) << pair.story();
  const auto program = pair.connect(pattern(100), false);
  ASSERT_TRUE(pair.until([&] { return program->saw_reset; })) << pair.story();
  EXPECT_FALSE(pair.a->exit_code());
}

TEST(Session, AResetOnOneSideIsAResetOnTheOther) {
  SessionPair pair({});
  pair.start();
  ASSERT_TRUE(pair.until_authenticated()) << pair.story();
  const auto program = pair.connect(pattern(100), false);
  ASSERT_TRUE(pair.until([&] {
    return !pair.targets().empty() && pair.targets()[0]->received.size() == 100;
  })) << pair.story();
  program->reset_now = true;
  pair.a->wake();
  ASSERT_TRUE(pair.until([&] { return pair.targets()[0]->saw_reset; })) << pair.story();
}

PathInfo found_path() {
  return {false, "host", "prflx", "192.0.2.1:50000", "192.0.2.2:50001", "udp"};
}

wire::PortOffer some_offer() {
  wire::PortOffer offer;
  offer.external = {"198.51.100.7", 40000};
  return offer;
}

TEST(Session, TakesAPathThatASearchHasFoundAndGoesBackWithoutIt) {
  PairOptions options;
  SessionPair pair(options);
  pair.start();
  ASSERT_TRUE(pair.until_authenticated()) << pair.story();
  ASSERT_TRUE(pair.until([&] { return pair.a->session_is_open() && pair.b->session_is_open(); }));
  ASSERT_EQ(pair.a->ice_paths().size(), 1U);
  const std::string by_ice = pair.a->ice_paths()[0].remote_address;
  session::Peer& peer = pair.a->peer();
  peer.port_path_found(found_path(), pair.world.now());
  pair.a->wake();
  EXPECT_EQ(peer.status().path, found_path());
  const auto changes = [&] { return std::ranges::count(pair.a->events(), "path_chosen"); };
  ASSERT_TRUE(pair.until([&] { return changes() == 2; })) << pair.story();
  const auto program = pair.connect(pattern(200'000));
  ASSERT_TRUE(pair.until([&] { return program->saw_end; })) << pair.story();
  peer.port_path_lost(pair.world.now());
  pair.a->wake();
  EXPECT_EQ(peer.status().path->remote_address, by_ice);
  ASSERT_TRUE(pair.until([&] { return changes() == 3; })) << pair.story();
  EXPECT_FALSE(pair.a->saw("warning"));
}

TEST(Session, APathInReserveIsReplacedWhileAnotherIsInUse) {
  PairOptions options;
  SessionPair pair(options);
  pair.start();
  ASSERT_TRUE(pair.until_authenticated()) << pair.story();
  ASSERT_TRUE(pair.until([&] { return pair.a->session_is_open() && pair.b->session_is_open(); }));
  pair.a->peer().port_path_found(found_path(), pair.world.now());
  pair.a->agent_broke();
  ASSERT_TRUE(pair.until([&] { return pair.a->generation() == 1; }, 5s)) << pair.story();
  EXPECT_EQ(pair.a->peer().status().path, found_path());
  const std::string in_reserve = pair.a->ice_paths().back().remote_address;
  pair.a->peer().port_path_lost(pair.world.now());
  pair.a->wake();
  EXPECT_EQ(pair.a->peer().status().path->remote_address, in_reserve);
  const auto program = pair.connect(pattern(200'000));
  ASSERT_TRUE(pair.until([&] { return program->saw_end; })) << pair.story();
  EXPECT_FALSE(pair.a->saw("warning"));
}

TEST(Session, OffersOfPortsReachThePeerOnceTheProofHasSucceeded) {
  PairOptions options;
  SessionPair pair(options);
  pair.start();
  pair.a->peer().port_offer_made(some_offer());
  ASSERT_TRUE(pair.until_authenticated()) << pair.story();
  ASSERT_TRUE(pair.until([&] { return pair.a->session_is_open(); }));
  EXPECT_TRUE(pair.b->port_offers().empty()) << "made too early";
  pair.a->peer().port_offer_made(some_offer());
  pair.a->wake();
  ASSERT_TRUE(pair.until([&] { return !pair.b->port_offers().empty(); })) << pair.story();
  EXPECT_EQ(pair.b->port_offers().front(), some_offer());
}

}  // namespace
}  // namespace peersock::testing
