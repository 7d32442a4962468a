#include "port_search_table.hpp"

#include "ice/port_search.hpp"
#include "support/seeded_rng.hpp"

namespace peersock::testing {
namespace {

using namespace ice;  // NOLINT(google-build-using-namespace)

constexpr Instant kNow = Instant{} + 1h;
const wire::StunAddress kServer{"203.0.113.1", 3478};
const wire::StunAddress kOtherServer{"203.0.113.2", 3478};
const wire::StunAddress kOuter{"198.51.100.9", 40000};
const wire::StunAddress kOuterToo{"198.51.100.9", 41000};
const wire::StunAddress kPeer{"198.51.100.20", 50000};
const wire::StunAddress kHit{"198.51.100.20", 50123};

PeerOffered offer(wire::PortMapping mapping, std::string address = "198.51.100.20") {
  wire::PortOffer made;
  made.mapping = mapping;
  made.external = {std::move(address), 50000};
  made.likely = {50001};
  return PeerOffered{std::move(made)};
}
PeerOffered easy_offer() {
  return offer(wire::PortMapping::kEndpointIndependent);
}
PeerOffered hard_offer() {
  return offer(wire::PortMapping::kEndpointDependent);
}

SocketsOpened sockets(std::uint16_t first, std::size_t count) {
  SocketsOpened opened;
  for (std::size_t i = 0; i < count; ++i) {
    opened.ports.push_back(static_cast<std::uint16_t>(first + i));
  }
  return opened;
}
ServerAnswered answer(SocketIndex socket, wire::StunAddress from, wire::StunAddress mapped) {
  return {socket, std::move(from), std::move(mapped), {}};
}

template <typename... Inputs>
Situation<PortSearch> after(std::string name, Instant when, Inputs... inputs) {
  return {std::move(name), [=] {
            static SeededRng rng(1);
            PortSearch machine({{kServer, kOtherServer}, {}}, rng);
            (static_cast<void>(machine.handle(inputs, when)), ...);
            return machine;
          }};
}

enum class Told : std::uint8_t { kAll, kAllButOne };

/// Through all that two servers and the scouts say, of a NAT of either kind, with the peer's offer
/// known from the beginning, or not.
template <typename... Inputs>
Situation<PortSearch> observed(std::string name, Instant when, bool hard, bool offered, Told told,
                               Inputs... inputs) {
  return {std::move(name), [=] {
            static SeededRng rng(1);
            PortSearch machine({{kServer, kOtherServer}, {}}, rng);
            const auto handle = [&](PortSearchInput input, Instant at) {
              static_cast<void>(machine.handle(std::move(input), at));
            };
            handle(PathChanged{true}, when - kSearchDelay);
            handle(SessionOpened{}, when - kSearchDelay);
            if (offered) {
              handle(hard ? easy_offer() : hard_offer(), when);
            } else {
              handle(DeadlineReached{}, when);
            }
            handle(sockets(30000, 1 + kScouts), when);
            for (std::uint16_t scout = 1; scout <= kScouts; ++scout) {
              handle(answer(scout, kServer, {kOuter.address, scout}), when);
            }
            handle(answer(kMainSocket, kOtherServer, hard ? kOuterToo : kOuter), when);
            if (told == Told::kAll) handle(answer(kMainSocket, kServer, kOuter), when);
            (handle(inputs, when), ...);
            return machine;
          }};
}

std::vector<Situation<PortSearch>> situations() {
  const Instant just_now = kNow - 1ms;
  return {
      after("Idle", just_now),
      after("Idle (session open)", just_now, SessionOpened{}),
      after("Idle (relayed)", just_now, PathChanged{true}),
      after("Idle (all but the path)", just_now, SessionOpened{}, easy_offer()),
      after("Waiting", just_now, PathChanged{true}, SessionOpened{}),
      after("Waiting (due)", kNow - kSearchDelay, PathChanged{true}, SessionOpened{}),
      after("Observing (no sockets yet)", just_now, PathChanged{true}, SessionOpened{},
            easy_offer()),
      after("Observing", just_now, PathChanged{true}, SessionOpened{}, easy_offer(),
            sockets(30000, 1 + kScouts)),
      after("Observing (silent)", kNow - kObservationLimit, PathChanged{true}, SessionOpened{},
            easy_offer(), sockets(30000, 1 + kScouts)),
      observed("Observing (one answer left)", just_now, false, false, Told::kAllButOne),
      observed("Observing (offered, one answer left)", just_now, false, true, Told::kAllButOne),
      observed("Spreading", just_now, true, true, Told::kAll),
      observed("Offered", just_now, false, false, Told::kAll),
      observed("Offered (late)", kNow - kOfferLimit, false, false, Told::kAll),
      observed("Searching (probes)", just_now, false, true, Told::kAll),
      observed("Searching (probes, late)", kNow - kSearchLimit, false, true, Told::kAll),
      observed("Searching (opens)", just_now, true, true, Told::kAll,
               sockets(31000, kSpreadSockets)),
      observed("Using", just_now, false, true, Told::kAll, AnswerReceived{kMainSocket, kHit}),
      observed("Using (silent)", kNow - kPathLimit, false, true, Told::kAll,
               AnswerReceived{kMainSocket, kHit}),
      observed("Over", just_now, false, true, Told::kAll, PathChanged{false}),
  };
}

template <typename Input>
Example<PortSearch> example(std::string name, Input input) {
  return {std::move(name), [input] { return input; }};
}

std::vector<Example<PortSearch>> examples() {
  return {
      example("SessionOpened", SessionOpened{}),
      example("PathChanged (relayed)", PathChanged{true}),
      example("PathChanged (direct)", PathChanged{false}),
      example("PeerOffered (easy)", easy_offer()),
      example("PeerOffered (hard)", hard_offer()),
      example("SocketsOpened", sockets(32000, 1 + kScouts)),
      example("SocketsOpened (none)", SocketsOpened{}),
      example("ServerAnswered", answer(0, kServer, kOuter)),
      example("CheckReceived", CheckReceived{kMainSocket, kHit, {}, false}),
      example("CheckReceived (nominates)", CheckReceived{7, kPeer, {}, true}),
      example("AnswerReceived", AnswerReceived{kMainSocket, kHit}),
      example("DeadlineReached", DeadlineReached{}),
  };
}

}  // namespace

Table port_search_table() {
  return tabulate<PortSearch>(situations(), examples(), kNow);
}

}  // namespace peersock::testing
