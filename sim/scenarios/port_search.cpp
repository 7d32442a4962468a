#include <fmt/format.h>

#include "scenarios/scenarios.hpp"

namespace peersock::sim {
namespace {

using std::chrono::seconds;
using testbed::Dependence;
using testbed::Ports;

/// The search begins when a session has been relayed for two seconds (ice/port_search.hpp), and may
/// take 15.
constexpr Nanos kLongEnough = seconds(30);

NatSpec dependent(Ports ports, Dependence mapping = Dependence::AddressAndPort) {
  return {.mapping = mapping, .ports = ports};
}
/// Only answers come in, so that the other side's port has to be met.
const NatSpec kStable{.ports = Ports::Random};

Scenario searching(std::string name, const NatSpec& listener, const NatSpec& connector,
                   std::vector<Outcome> expected = {Outcome::kDirect}) {
  return {.name = "port-search/" + std::move(name),
          .listener = {.nats = {listener}},
          .connector = {.nats = {connector}},
          .octets = 64 * 1024,
          .relay = true,
          .idle = kLongEnough,
          .expected = std::move(expected),
          .bound = seconds(120)};
}

}  // namespace

std::vector<Scenario> port_search_scenarios() {
  std::vector<Scenario> all;
  for (const auto& [name, ports] :
       {std::pair("random", Ports::Random), std::pair("sequential", Ports::Sequential),
        std::pair("preserved", Ports::Preserved)}) {
    all.push_back(searching(fmt::format("listener-{}", name), dependent(ports), kStable));
    all.push_back(searching(fmt::format("connector-{}", name), kStable, dependent(ports)));
    all.push_back(searching(fmt::format("by-address-{}", name),
                            dependent(ports, Dependence::Address), kStable));
  }
  // Nothing that one side could be sure of: there is no search, and the relay stays.
  all.push_back(searching("both-random", dependent(Ports::Random), dependent(Ports::Random),
                          {Outcome::kRelayed}));
  return all;
}

}  // namespace peersock::sim
