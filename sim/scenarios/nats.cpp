#include <fmt/format.h>

#include "scenarios/scenarios.hpp"

namespace peersock::sim {
namespace {

using testbed::Dependence;

struct Behaviour {
  const char* name;
  NatSpec nat;
};

// The ports are random where the mapping depends on the endpoint, or a preserved port would make
// one mapping of two.
constexpr auto kRandom = testbed::Ports::Random;
constexpr auto kAny = Dependence::Independent;
constexpr auto kAddress = Dependence::Address;
constexpr auto kPort = Dependence::AddressAndPort;

const Behaviour kBehaviours[] = {
    {"eim-eif", {.mapping = kAny, .filtering = kAny}},
    {"eim-adf", {.mapping = kAny, .filtering = kAddress}},
    {"eim-apdf", {.mapping = kAny, .filtering = kPort}},
    {"adm-eif", {.mapping = kAddress, .filtering = kAny, .ports = kRandom}},
    {"adm-adf", {.mapping = kAddress, .filtering = kAddress, .ports = kRandom}},
    {"adm-apdf", {.mapping = kAddress, .filtering = kPort, .ports = kRandom}},
    {"apdm-eif", {.mapping = kPort, .filtering = kAny, .ports = kRandom}},
    {"apdm-adf", {.mapping = kPort, .filtering = kAddress, .ports = kRandom}},
    {"apdm-apdf", {.mapping = kPort, .filtering = kPort, .ports = kRandom}},
};

/// Whether two NATs with one address each can be got through by checks (docs/simulation.md says
/// why); shares nothing with the NATs that do it to packets.
bool meets(const NatSpec& a, const NatSpec& b) {
  const bool a_stable = a.mapping == kAny;
  const bool b_stable = b.mapping == kAny;
  if (a_stable && b_stable) return true;
  // The side without a stable address comes from a port that nobody could have told.
  if (a_stable) return a.filtering != kPort;
  if (b_stable) return b.filtering != kPort;
  // One lets a stranger in, the other lets the answer in from another port, and one of them keeps
  // its port towards the other's address.
  const bool opens = (a.filtering == kAny && b.filtering != kPort) ||
                     (b.filtering == kAny && a.filtering != kPort);
  return opens && (a.mapping == kAddress || b.mapping == kAddress);
}

}  // namespace

std::vector<Scenario> nat_scenarios() {
  std::vector<Scenario> all;
  for (const bool relay : {false, true}) {
    for (const Behaviour& a : kBehaviours) {
      for (const Behaviour& b : kBehaviours) {
        const auto otherwise = relay ? Outcome::kRelayed : Outcome::kNoPath;
        all.push_back({.name = fmt::format("nat{}/{}/{}", relay ? "-relay" : "", a.name, b.name),
                       .listener = {.nats = {a.nat}},
                       .connector = {.nats = {b.nat}},
                       .octets = 16 * 1024,
                       .relay = relay,
                       .expected = {meets(a.nat, b.nat) ? Outcome::kDirect : otherwise}});
      }
    }
  }
  return all;
}

}  // namespace peersock::sim
