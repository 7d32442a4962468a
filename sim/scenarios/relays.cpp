#include <utility>

#include <fmt/format.h>

#include "scenarios/scenarios.hpp"

namespace peersock::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testbed::Dependence;
using testbed::Ports;

constexpr std::uint64_t kOctets = std::uint64_t{256} * 1024;
const SiteSpec kHome{.nats = {{}}};
const SiteSpec kNoUdp{.nats = {{.udp = false}}};
const NatSpec kHard{.mapping = Dependence::AddressAndPort, .ports = Ports::Random};
/// So far away that TCP is tried before UDP has answered (adapters::kTurnHeadStart).
const testbed::LineConfig kFar{.delay = milliseconds(150)};
const testbed::LineConfig kLossy{.delay = milliseconds(20), .loss = 2};

/// A relayed session that lasts looks for the port that a hard NAT has given it, and finds it:
/// where ports are random by chance, in 99 of 100 sessions (docs/nat-traversal.md).
std::vector<Scenario> port_search_scenarios() {
  std::vector<Scenario> all;
  for (const auto& [name, ports] :
       {std::pair("sequential", Ports::Sequential), std::pair("random", Ports::Random)}) {
    const SiteSpec hard{.nats = {{.mapping = Dependence::AddressAndPort, .ports = ports}}};
    for (const bool listens : {true, false}) {
      all.push_back(
          {.name = fmt::format("port-search/{}-{}", listens ? "listener" : "connector", name),
           .listener = listens ? hard : kHome,
           .connector = listens ? kHome : hard,
           .octets = kOctets,
           .relay = true,
           .idle = seconds(30),
           .bound = seconds(90)});
      if (ports == Ports::Random) all.back().expected = {Outcome::kDirect, Outcome::kRelayed};
    }
  }
  return all;
}

}  // namespace

std::vector<Scenario> relay_scenarios() {
  std::vector<Scenario> all = {
      {.name = "relay-tcp/listener", .listener = kNoUdp, .connector = kHome},
      {.name = "relay-tcp/connector", .listener = kHome, .connector = kNoUdp},
      {.name = "relay-tcp/both", .listener = kNoUdp, .connector = kNoUdp},
      {.name = "relay-tcp/both-openssl",
       .listener = kNoUdp,
       .connector = kNoUdp,
       .engine = adapters::QuicEngine::kOpenSsl},
      {.name = "relay-tcp/public-peer", .listener = kNoUdp, .connector = {}},
      {.name = "relay-tcp/lossy",
       .listener = {.nats = kNoUdp.nats, .up = kLossy, .down = kLossy},
       .connector = {.nats = kNoUdp.nats, .up = kLossy, .down = kLossy}},
      {.name = "relay-race/near", .listener = {.nats = {kHard}}, .connector = {.nats = {kHard}}},
      {.name = "relay-race/far",
       .listener = {.nats = {kHard}, .up = kFar, .down = kFar},
       .connector = {.nats = {kHard}, .up = kFar, .down = kFar}},
      {.name = "relay-race/far-listener",
       .listener = {.nats = {kHard}, .up = kFar, .down = kFar},
       .connector = {.nats = {kHard}}},
  };
  for (Scenario& scenario : all) {
    scenario.octets = kOctets;
    scenario.relay = scenario.relay_tcp = true;
    // To a public address a TCP connection of our own is as good.
    const bool reachable = scenario.connector.nats.empty();
    scenario.expected = {reachable ? Outcome::kDirect : Outcome::kRelayed};
    scenario.bound = seconds(120);
  }
  for (auto& scenario : port_search_scenarios()) all.push_back(std::move(scenario));
  return all;
}

}  // namespace peersock::sim
