// The tables of scenarios.
#pragma once

#include <vector>

#include "scenario.hpp"

namespace peersock::sim {

/// One of each kind: networks without NATs, with IPv6, carriers' NATs, without UDP.
[[nodiscard]] std::vector<Scenario> place_scenarios();
/// Every pair of NAT behaviours of RFC 4787, without and with a relay.
[[nodiscard]] std::vector<Scenario> nat_scenarios();

/// Loss up to 20 %, delay up to a second, reordering, duplication, narrow lines.
[[nodiscard]] std::vector<Scenario> weather_scenarios();
/// The same transfer under more and more loss, for each engine.
[[nodiscard]] std::vector<Scenario> throughput_scenarios();
/// What fails at each step: the rendezvous server, a NAT, a line, a side.
[[nodiscard]] std::vector<Scenario> fault_scenarios();
/// Everything at once, by the seed.
[[nodiscard]] std::vector<Scenario> chaos_scenarios();

[[nodiscard]] std::vector<Scenario> all_scenarios();

}  // namespace peersock::sim
