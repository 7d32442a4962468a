// The tables of scenarios.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "scenario.hpp"

namespace peersock::sim {

struct NamedEngine {
  adapters::QuicEngine engine;
  const char* suffix;  ///< of a scenario's name; the engine that users get needs none
};
inline constexpr std::array<NamedEngine, 2> kBothEngines{{
    {adapters::QuicEngine::kNgtcp2, ""},
    {adapters::QuicEngine::kOpenSsl, "-openssl"},
}};
static_assert(kBothEngines.front().engine == adapters::kDefaultQuicEngine);

/// One of each kind: networks without NATs, with IPv6, carriers' NATs, without UDP; many hosts, and
/// many sessions on a host.
[[nodiscard]] std::vector<Scenario> place_scenarios();
/// Every pair of NAT behaviours of RFC 4787 (mapping, filtering, ports), without and with a relay.
[[nodiscard]] std::vector<Scenario> nat_scenarios();
/// TURN over TCP, alone and in a race with UDP; the search for the port of a hard NAT.
[[nodiscard]] std::vector<Scenario> relay_scenarios();
/// The TURN server dies, at each step of the search for a path and after it.
[[nodiscard]] std::vector<Scenario> relay_death_scenarios();

/// Loss up to 20 % of each line, also in bursts, delay up to a second, reordering, duplication,
/// narrow lines.
[[nodiscard]] std::vector<Scenario> weather_scenarios();
/// The same transfer under more and more loss, for each engine.
[[nodiscard]] std::vector<Scenario> throughput_scenarios();
/// What fails at each step: the rendezvous server, a NAT, a line, a side.
[[nodiscard]] std::vector<Scenario> fault_scenarios();
/// The rendezvous server fails, a side vanishes or is interrupted, at each step of the machines.
[[nodiscard]] std::vector<Scenario> step_scenarios();
/// Nothing is said for up to an hour, also where NATs forget sooner; then data.
[[nodiscard]] std::vector<Scenario> idle_scenarios();
/// A host comes to another network, with other addresses.
[[nodiscard]] std::vector<Scenario> roaming_scenarios();
/// The rendezvous server and TURN over TCP through an HTTP proxy.
[[nodiscard]] std::vector<Scenario> proxy_scenarios();
/// Servers and the service behind the tunnel are known by names.
[[nodiscard]] std::vector<Scenario> name_scenarios();
/// CLOCK_REALTIME jumps; the monotonic clock goes on.
[[nodiscard]] std::vector<Scenario> clock_scenarios();
/// Everything at once, by the seed.
[[nodiscard]] std::vector<Scenario> chaos_scenarios();
/// Some of `all` once more with libnice's calls only, as on systems that refuse the rest.
[[nodiscard]] std::vector<Scenario> plain_path_scenarios(const std::vector<Scenario>& all);

/// States begin with a capital, names of scenarios have none.
[[nodiscard]] std::string lower_case(std::string text);

[[nodiscard]] std::vector<Scenario> all_scenarios();

}  // namespace peersock::sim
