#include <fmt/format.h>

#include "scenarios/scenarios.hpp"

namespace peersock::sim {
namespace {

using testbed::Dependence;

constexpr auto kAny = Dependence::Independent;
constexpr auto kAddress = Dependence::Address;
constexpr auto kPort = Dependence::AddressAndPort;

struct Behaviour {
  std::string name;
  bool usual;  ///< ports as most NATs of this mapping pick them
  NatSpec nat;
};

/// All 27 of them, `mapping-filtering`, and `-ports` where they are not the usual ones.
std::vector<Behaviour> behaviours() {
  const std::pair<const char*, Dependence> mappings[] = {
      {"eim", kAny}, {"adm", kAddress}, {"apdm", kPort}};
  const std::pair<const char*, Dependence> filters[] = {
      {"eif", kAny}, {"adf", kAddress}, {"apdf", kPort}};
  const std::pair<const char*, testbed::Ports> ports[] = {
      {"preserved", testbed::Ports::Preserved},
      {"random", testbed::Ports::Random},
      {"sequential", testbed::Ports::Sequential}};
  std::vector<Behaviour> all;
  for (const auto& [mapping_name, mapping] : mappings) {
    for (const auto& [filter_name, filtering] : filters) {
      for (const auto& [ports_name, picked] : ports) {
        const bool usual =
            picked == (mapping == kAny ? testbed::Ports::Preserved : testbed::Ports::Random);
        const std::string suffix = usual ? "" : fmt::format("-{}", ports_name);
        all.push_back({fmt::format("{}-{}{}", mapping_name, filter_name, suffix),
                       usual,
                       {.mapping = mapping, .filtering = filtering, .ports = picked}});
      }
    }
  }
  return all;
}

/// Whether two NATs with one address each can be got through by checks (docs/simulation.md says
/// why); shares nothing with the NATs that do it to packets. How ports are picked does not matter:
/// the port that a STUN server has seen is taken, so that another mapping gets another one.
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
  const auto nats = behaviours();
  std::vector<Scenario> all;
  for (const bool relay : {false, true}) {
    for (const Behaviour& a : nats) {
      for (const Behaviour& b : nats) {
        const auto otherwise = relay ? Outcome::kRelayed : Outcome::kNoPath;
        const char* ports = a.usual && b.usual ? "" : "-ports";
        all.push_back(
            {.name = fmt::format("nat{}{}/{}/{}", ports, relay ? "-relay" : "", a.name, b.name),
             .listener = {.nats = {a.nat}},
             .connector = {.nats = {b.nat}},
             .octets = std::uint64_t{16} * 1024,
             .relay = relay,
             .expected = {meets(a.nat, b.nat) ? Outcome::kDirect : otherwise}});
      }
    }
  }
  return all;
}

}  // namespace peersock::sim
