// How many flights lie between the code and the first octet. Every wait of a session for its peer
// or for the rendezvous server is time that a user waits, whatever the machine; in virtual time,
// where calculation costs nothing, only they remain.
#include <algorithm>

#include <gtest/gtest.h>

#include "support/session_pair.hpp"

namespace peersock::testing {
namespace {

using wire::Mode;

/// One way between any two of the three: either side and the rendezvous server.
constexpr Duration kOneWay = 50ms;
/// The virtual host's own delays (gathering, the target, the loop), far less than one flight.
constexpr Duration kLocal = 5ms;

/// Flights from the code being typed until each fact was seen.
struct Flights {
  double verified = 0;       ///< the typist knows the peer
  double authenticated = 0;  ///< the opener knows that both know the code
  double upstream = 0;       ///< the target has the opener's first octet
  double downstream = 0;     ///< the program at the opener has the target's
};

Flights count_flights(Mode maker, Mode typist, bool real_proof = false) {
  PairOptions options;
  options.mode_a = maker;
  options.mode_b = typist;
  options.mailbox = {kOneWay, 0ms, 0, 0};
  options.path = {kOneWay, 0ms, 0, 0};
  options.target_sends = Bytes{'x'};
  options.real_proof = real_proof;
  SessionPair pair(options);
  pair.start_first();
  pair.world.run_for(5s);
  const Instant typed = pair.world.now();
  pair.start_second();
  VirtualHost& opener = wire::is_opener(maker) ? *pair.a : *pair.b;
  const auto program = std::make_shared<LocalProgram>();
  program->to_send = Bytes{'x'};
  opener.connect_locally(program);

  const auto flights_until = [&](const std::function<bool()>& fact) {
    EXPECT_TRUE(pair.until(fact)) << pair.story();
    return static_cast<double>((pair.world.now() - typed).count()) /
           static_cast<double>(Duration{kOneWay}.count());
  };
  Flights flights;
  flights.verified = flights_until([&] { return pair.b->saw("peer_arrived"); });
  flights.authenticated = flights_until([&] { return opener.saw("authenticated"); });
  flights.upstream = flights_until(
      [&] { return !pair.targets().empty() && !pair.targets()[0]->received.empty(); });
  flights.downstream = flights_until([&] { return !program->received.empty(); });
  return flights;
}

constexpr double kSlack =
    static_cast<double>(Duration{kLocal}.count()) / static_cast<double>(Duration{kOneWay}.count());

// Two flights each for TCP, the WebSocket upgrade, the claim, and the peer's key exchange message
// that waits in the mailbox; then, in the peer's answer to ours, introduction and addresses: ten.
// Two for a path, two for the QUIC handshake, in whose last flight the proof's second message goes,
// two for the rest of the proof: sixteen. With the verdict goes the first stream.
TEST(Flights, FromTheCodeToTheFirstOctetAreNineRoundTrips) {
  for (const auto& [maker, typist] :
       {std::pair{Mode::kConnect, Mode::kListen}, std::pair{Mode::kListen, Mode::kConnect},
        std::pair{Mode::kStdioA, Mode::kStdioB}, std::pair{Mode::kStdioB, Mode::kStdioA}}) {
    SCOPED_TRACE(std::string(wire::to_string(maker)) + " made the code, " +
                 std::string(wire::to_string(typist)) + " typed it");
    const Flights flights = count_flights(maker, typist);
    EXPECT_LE(flights.verified, 10 + kSlack);
    EXPECT_LE(flights.authenticated, 16 + kSlack);
    EXPECT_LE(flights.upstream, 17 + kSlack);
    EXPECT_LE(flights.downstream, 18 + kSlack);
  }
}

TEST(Flights, AreNotFewerThanTheProtocolHas) {
  // Otherwise the test above would count something else.
  const Flights flights = count_flights(Mode::kConnect, Mode::kListen);
  EXPECT_GE(flights.verified, 10);
  EXPECT_GE(flights.authenticated, 16);
  EXPECT_GE(flights.downstream, 18);
}

TEST(Flights, AreTheSameWithTheRealProof) {
  const Flights flights = count_flights(Mode::kConnect, Mode::kListen, true);
  EXPECT_LE(flights.downstream, 18 + kSlack);
}

}  // namespace
}  // namespace peersock::testing
