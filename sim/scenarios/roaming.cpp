#include <fmt/format.h>

#include "scenarios/scenarios.hpp"

namespace peersock::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testbed::Dependence;
using testbed::Ports;

const testbed::LineConfig kLine{.delay = milliseconds(10), .rate = 20000};
const testbed::LineConfig kMobileLine{
    .delay = milliseconds(35), .jitter = milliseconds(5), .rate = 8000};
const NatSpec kRouter{.ports = Ports::Random};
const NatSpec kCarrier{.filtering = Dependence::Independent, .ports = Ports::Random};

const SiteSpec kHome{.nats = {kRouter}, .up = kLine, .down = kLine};
const SiteSpec kPublic{.up = kLine, .down = kLine};
const SiteSpec kMobile{.nats = {kCarrier}, .up = kMobileLine, .down = kMobileLine};
const SiteSpec kNoUdp{.nats = {{.udp = false}}, .up = kLine, .down = kLine};
const SiteSpec kHard{.nats = {{.mapping = Dependence::AddressAndPort, .ports = Ports::Random}},
                     .up = kLine,
                     .down = kLine};
const SiteSpec kBoth{.nats = {kRouter}, .up = kLine, .down = kLine, .ipv6 = true};

const Happening kListenerMoves{.what = What::kListenerMoves, .when = When::kHalfWay};
const Happening kConnectorMoves{.what = What::kConnectorMoves, .when = When::kHalfWay};

}  // namespace

std::vector<Scenario> roaming_scenarios() {
  std::vector<Scenario> all = {
      {.name = "roams/listener",
       .listener = kHome,
       .connector = kHome,
       .happenings = {kListenerMoves}},
      {.name = "roams/connector",
       .listener = kHome,
       .connector = kHome,
       .happenings = {kConnectorMoves}},
      {.name = "roams/connector-openssl",
       .listener = kHome,
       .connector = kHome,
       .engine = adapters::QuicEngine::kOpenSsl,
       .happenings = {kConnectorMoves}},
      // The only way to tell each other is the rendezvous server.
      {.name = "roams/both",
       .listener = kHome,
       .connector = kHome,
       .happenings = {kListenerMoves, kConnectorMoves}},
      {.name = "roams/to-mobile",
       .listener = kHome,
       .connector = kHome,
       .happenings = {kConnectorMoves},
       .connector_next = kMobile},
      {.name = "roams/from-mobile",
       .listener = kHome,
       .connector = kMobile,
       .happenings = {kConnectorMoves},
       .connector_next = kHome},
      {.name = "roams/public",
       .listener = kPublic,
       .connector = kHome,
       .happenings = {kListenerMoves}},
      {.name = "roams/public-both",
       .listener = kPublic,
       .connector = kPublic,
       .happenings = {kListenerMoves, kConnectorMoves}},
      {.name = "roams/dual-stack",
       .listener = kBoth,
       .connector = kBoth,
       .happenings = {kConnectorMoves}},
      {.name = "roams/loses-ipv6",
       .listener = kBoth,
       .connector = kBoth,
       .happenings = {kConnectorMoves},
       .connector_next = kHome},
      {.name = "roams/thrice",
       .listener = kHome,
       .connector = kHome,
       .happenings = {kConnectorMoves,
                      {.what = What::kListenerMoves, .when = When::kHalfWay, .delay = seconds(5)},
                      {.what = What::kConnectorMoves,
                       .when = When::kHalfWay,
                       .delay = seconds(12)}},
       .idle = seconds(30)},
      {.name = "roams/while-idle",
       .listener = kHome,
       .connector = kHome,
       .happenings = {{.what = What::kConnectorMoves, .when = When::kHalfWay, .delay = minutes(4)}},
       .idle = minutes(10)},
      // There is no way left to tell the other side of the new address.
      {.name = "roams/without-mailbox",
       .listener = kPublic,
       .connector = kHome,
       .happenings = {{.what = What::kMailboxDown, .when = When::kAuthenticated, .lasts = kForEver},
                      kConnectorMoves},
       .expected = {Outcome::kLost}},
      {.name = "roams/to-relay",
       .listener = kHome,
       .connector = kHome,
       .relay = true,
       .connector_next = kHard,
       .expected = {Outcome::kRelayed}},
      {.name = "roams/to-no-udp",
       .listener = kHome,
       .connector = kHome,
       .relay = true,
       .relay_tcp = true,
       .connector_next = kNoUdp,
       .expected = {Outcome::kRelayed}},
      {.name = "roams/from-relay",
       .listener = kHome,
       .connector = kHard,
       .relay = true,
       .connector_next = kHome},
  };
  for (Scenario& scenario : all) {
    if (scenario.happenings.empty()) scenario.happenings = {kConnectorMoves};
  }
  // In a tunnel, on the stairs between two wireless networks.
  for (const int apart : {1, 3, 8}) {
    all.push_back(
        {.name = fmt::format("roams/apart-{}", apart),
         .listener = kHome,
         .connector = kHome,
         .happenings = {
             {.what = What::kConnectorMoves, .when = When::kHalfWay, .lasts = seconds(apart)}}});
  }
  all.push_back(
      {.name = "roams/nowhere",
       .listener = kHome,
       .connector = kHome,
       .happenings = {{.what = What::kConnectorMoves, .when = When::kHalfWay, .lasts = kForEver}},
       .expected = {Outcome::kLost}});
  // Before there is a session that could be kept.
  for (const auto& [state, machine] :
       {std::pair("AwaitVersion", "wormhole"), std::pair("Checking", "ice"),
        std::pair("Proving", "session")}) {
    all.push_back({.name = fmt::format("roams/in-{}", state),
                   .listener = kHome,
                   .connector = kHome,
                   .happenings = {{.what = What::kConnectorMoves,
                                   .when = When::kStep,
                                   .step = {Who::kConnector, machine, state}}}});
    // A path that has been found is not sought again before the session is open.
    if (machine == std::string_view("session")) {
      all.back().expected = {Outcome::kDirect, Outcome::kLost};
    }
  }
  for (Scenario& scenario : all) {
    scenario.octets = std::uint64_t{4} * 1024 * 1024;
    scenario.bound = scenario.idle + seconds(120);
  }
  return all;
}

}  // namespace peersock::sim
