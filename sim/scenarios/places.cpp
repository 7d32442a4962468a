#include "scenarios/scenarios.hpp"

namespace peersock::sim {
namespace {

using testbed::Dependence;
using testbed::Ports;

const NatSpec kHome{};  // mapping independent of the endpoint, filtering by address and port
const NatSpec kCarrier{
    .filtering = Dependence::Independent, .ports = Ports::Random, .hairpin = true};
const NatSpec kStrictCarrier{.ports = Ports::Random};
const NatSpec kHard{.mapping = Dependence::AddressAndPort, .ports = Ports::Random};
const NatSpec kNoUdp{.udp = false};

/// Where it is the connection that counts.
constexpr std::uint64_t kLittle = std::uint64_t{16} * 1024;
/// Where several are under way at a time.
constexpr std::uint64_t kMuch = std::uint64_t{64} * 1024;

}  // namespace

std::vector<Scenario> place_scenarios() {
  return {
      {.name = "plain",
       .listener = {.nats = {kHome}},
       .connector = {.nats = {kHome}},
       .octets = kLittle},
      {.name = "plain-openssl",
       .listener = {.nats = {kHome}},
       .connector = {.nats = {kHome}},
       .engine = adapters::QuicEngine::kOpenSsl,
       .octets = kLittle},
      {.name = "plain/transfer", .listener = {.nats = {kHome}}, .connector = {.nats = {kHome}}},
      {.name = "plain/transfer-openssl",
       .listener = {.nats = {kHome}},
       .connector = {.nats = {kHome}},
       .engine = adapters::QuicEngine::kOpenSsl},
      {.name = "quick",
       .listener = {.nats = {kHome}},
       .connector = {.nats = {kHome}},
       .octets = 1024},
      // Whoever starts first makes the code.
      {.name = "plain/connector-first",
       .listener = {.nats = {kHome}},
       .connector = {.nats = {kHome}},
       .first = Who::kConnector},
      {.name = "public", .listener = {}, .connector = {}},
      {.name = "public-listener", .listener = {}, .connector = {.nats = {kHome}}},
      {.name = "public-connector", .listener = {.nats = {kHome}}, .connector = {}},
      {.name = "carrier",
       .listener = {.nats = {kHome, kCarrier}},
       .connector = {.nats = {kHome, kCarrier}}},
      {.name = "dual-stack",
       .listener = {.nats = {kHome}, .ipv6 = true},
       .connector = {.nats = {kHome}, .ipv6 = true}},
      // IPv6 helps where no pair of IPv4 endpoints would do.
      {.name = "dual-stack/hard-nats",
       .listener = {.nats = {kHard}, .ipv6 = true},
       .connector = {.nats = {kHard}, .ipv6 = true}},
      {.name = "dual-stack/carriers",
       .listener = {.nats = {kHome, kCarrier}, .ipv6 = true},
       .connector = {.nats = {kHome, kCarrier}, .ipv6 = true}},
      {.name = "dual-stack/one-side",
       .listener = {.nats = {kHome}, .ipv6 = true},
       .connector = {.nats = {kHome}}},
      // With servers that have both families, and a relay that lends IPv4 endpoints.
      {.name = "ipv6-only",
       .listener = {.nats = {kHome}, .ipv4 = false, .ipv6 = true},
       .connector = {.nats = {kHome}, .ipv4 = false, .ipv6 = true}},
      {.name = "ipv6-only/dual-stack",
       .listener = {.nats = {kHome}, .ipv4 = false, .ipv6 = true},
       .connector = {.nats = {kHome}, .ipv6 = true}},
      {.name = "ipv6-only/connector",
       .listener = {.nats = {kHard}, .ipv6 = true},
       .connector = {.nats = {kHome}, .ipv4 = false, .ipv6 = true},
       .engine = adapters::QuicEngine::kOpenSsl},
      {.name = "ipv6-only/ipv4-only",
       .listener = {.nats = {kHome}, .ipv4 = false, .ipv6 = true},
       .connector = {.nats = {kHome}},
       .relay = true,
       .expected = {Outcome::kRelayed}},
      {.name = "ipv6-only/ipv4-only-relay-tcp",
       .listener = {.nats = {kHome}},
       .connector = {.nats = {kNoUdp}, .ipv4 = false, .ipv6 = true},
       .relay = true,
       .relay_tcp = true,
       .expected = {Outcome::kRelayed}},
      {.name = "ipv6-only/no-family-in-common",
       .listener = {.nats = {kHome}, .ipv4 = false, .ipv6 = true},
       .connector = {.nats = {kHome}},
       .expected = {Outcome::kNoPath}},
      {.name = "carrier/strict",
       .listener = {.nats = {kHome, kStrictCarrier}},
       .connector = {.nats = {kHome, kStrictCarrier}}},
      {.name = "carrier/three-boxes",
       .listener = {.nats = {kHome, kHome, kStrictCarrier}},
       .connector = {.nats = {kHome}}},
      {.name = "carrier/hard",
       .listener = {.nats = {kHome, kHard}},
       .connector = {.nats = {kHome, kHard}},
       .relay = true,
       .expected = {Outcome::kRelayed}},
      {.name = "many/hosts",
       .listener = {.nats = {kHome}},
       .connector = {.nats = {kHome}},
       .octets = kMuch,
       .pairs = 10},
      {.name = "many/sessions",
       .listener = {.nats = {kHome}},
       .connector = {.nats = {kHome}},
       .octets = kMuch,
       .sessions = 5},
      {.name = "many/relayed",
       .listener = {.nats = {kHard}},
       .connector = {.nats = {kHard}},
       .octets = kMuch,
       .relay = true,
       .pairs = 3,
       .sessions = 3,
       .expected = {Outcome::kRelayed}},
      {.name = "udp-blocked",
       .listener = {.nats = {kNoUdp}},
       .connector = {.nats = {kHome}},
       .expected = {Outcome::kNoPath}},
  };
}

std::vector<Scenario> all_scenarios() {
  auto all = place_scenarios();
  for (auto* more :
       {&nat_scenarios, &relay_scenarios, &weather_scenarios, &throughput_scenarios,
        &fault_scenarios, &step_scenarios, &idle_scenarios, &roaming_scenarios, &clock_scenarios,
        &name_scenarios, &proxy_scenarios, &relay_death_scenarios, &chaos_scenarios}) {
    for (auto& scenario : more()) all.push_back(std::move(scenario));
  }
  for (auto& scenario : plain_path_scenarios(all)) all.push_back(std::move(scenario));
  return all;
}

}  // namespace peersock::sim
