#include "scenarios/scenarios.hpp"

namespace peersock::sim {
namespace {

using testbed::Dependence;
using testbed::Ports;

const NatSpec kHome{};  // mapping independent of the endpoint, filtering by address and port
const NatSpec kCarrier{
    .filtering = Dependence::Independent, .ports = Ports::Random, .hairpin = true};
const NatSpec kNoUdp{.udp = false};

}  // namespace

std::vector<Scenario> place_scenarios() {
  return {
      {.name = "plain", .listener = {.nats = {kHome}}, .connector = {.nats = {kHome}}},
      {.name = "plain-ngtcp2",
       .listener = {.nats = {kHome}},
       .connector = {.nats = {kHome}},
       .engine = adapters::QuicEngine::kNgtcp2},
      {.name = "quick",
       .listener = {.nats = {kHome}},
       .connector = {.nats = {kHome}},
       .octets = 1024},
      {.name = "public", .listener = {}, .connector = {}},
      {.name = "public-listener", .listener = {}, .connector = {.nats = {kHome}}},
      {.name = "public-connector", .listener = {.nats = {kHome}}, .connector = {}},
      {.name = "carrier",
       .listener = {.nats = {kHome, kCarrier}},
       .connector = {.nats = {kHome, kCarrier}}},
      {.name = "dual-stack",
       .listener = {.nats = {kHome}, .ipv6 = true},
       .connector = {.nats = {kHome}, .ipv6 = true}},
      {.name = "udp-blocked",
       .listener = {.nats = {kNoUdp}},
       .connector = {.nats = {kHome}},
       .expected = {Outcome::kNoPath}},
  };
}

std::vector<Scenario> all_scenarios() {
  auto all = place_scenarios();
  for (auto* more : {&nat_scenarios, &weather_scenarios, &throughput_scenarios, &fault_scenarios,
                     &chaos_scenarios}) {
    for (auto& scenario : more()) all.push_back(std::move(scenario));
  }
  return all;
}

}  // namespace peersock::sim
