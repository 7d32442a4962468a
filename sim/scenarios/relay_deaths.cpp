// A TURN server that dies, for ever or to be back with everything forgotten.
#include <string>

#include <fmt/format.h>

#include "scenario_words.hpp"
#include "scenarios/scenarios.hpp"
#include "servers.hpp"

namespace peersock::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testbed::Dependence;
using testbed::Ports;

constexpr std::uint64_t kOctets = std::uint64_t{1} << 20;
/// So that half of the octets are not there in an instant.
const testbed::LineConfig kLine{.delay = milliseconds(10), .rate = 20000};
/// So far away that TCP is tried before UDP has answered (adapters::kTurnHeadStart).
const testbed::LineConfig kFar{.delay = milliseconds(150), .rate = 20000};
const NatSpec kHardNat{.mapping = Dependence::AddressAndPort, .ports = Ports::Random};

const SiteSpec kHome{.nats = {{}}, .up = kLine, .down = kLine};
const SiteSpec kFarHome{.nats = {{}}, .up = kFar, .down = kFar};
const SiteSpec kHard{.nats = {kHardNat}, .up = kLine, .down = kLine};
const SiteSpec kFarHard{.nats = {kHardNat}, .up = kFar, .down = kFar};
const SiteSpec kNoUdp{.nats = {{.udp = false}}, .up = kLine, .down = kLine};
const SiteSpec kPublic{.up = kLine, .down = kLine};

struct Network {
  const char* name = nullptr;
  SiteSpec listener;
  SiteSpec connector;
  bool direct = false;    ///< a path is possible that needs no relay
  bool udp_dead = false;  ///< the server is reached over TCP alone
};

const Network kNetworks[] = {
    {"direct", kHome, kHome, true},
    {"direct-far", kFarHome, kFarHome, true},
    {"direct-tcp", kNoUdp, kPublic, true},
    {"udp", kHard, kHard, false},
    {"udp-and-tcp", kFarHard, kFarHard, false},
    // The two check other pairs for long.
    {"tcp-only", kHard, kHard, false, true},
    {"tcp", kNoUdp, kNoUdp, false},
    {"tcp-listener", kNoUdp, kHard, false},
};

std::vector<Happening> deaths() {
  std::vector<Happening> all = {{.when = When::kListenerStarted, .delay = milliseconds(250)},
                                {.when = When::kConnectorStarted, .delay = milliseconds(50)},
                                {.when = When::kAuthenticated},
                                {.when = When::kHalfWay}};
  for (const Who who : {Who::kListener, Who::kConnector}) {
    all.push_back({.when = When::kStep, .step = {who, "ice", "Checking"}});
    for (const int delay : {0, 30}) {
      all.push_back(
          {.when = When::kStep, .step = {who, "ice", "Connected"}, .delay = milliseconds(delay)});
    }
    all.push_back({.when = When::kStep, .step = {who, "session", "Proving"}});
  }
  for (Happening& one : all) one.what = What::kTurnRestarts;
  return all;
}

std::string name_of(const Happening& death) {
  switch (death.when) {
    case When::kListenerStarted:
      return "gathering";
    case When::kConnectorStarted:
      return "meeting";
    case When::kAuthenticated:
      return "authenticated";
    case When::kHalfWay:
      return "half-way";
    case When::kStep:
      break;
  }
  std::string name = lower_case(fmt::format("{}-{}", word_for(death.step.who), death.step.state));
  if (death.delay.count() > 0) {
    name += fmt::format("-{}", std::chrono::duration_cast<milliseconds>(death.delay).count());
  }
  return name;
}

Scenario at(const Network& network, Happening death, bool comes_back) {
  death.lasts = comes_back ? Nanos(seconds(2)) : kForEver;
  Scenario made{.name = fmt::format("relay-dies/{}/{}{}", network.name, name_of(death),
                                    comes_back ? "-restarts" : ""),
                .listener = network.listener,
                .connector = network.connector,
                .octets = kOctets,
                .relay = true,
                .relay_tcp = true,
                .happenings = {death},
                .bound = seconds(180)};
  if (network.udp_dead) {
    made.names = {{.name = kTurnName,
                   .addresses = {kNobodysAddress.ipv4, kTurnAddress.ipv4},
                   .delay = milliseconds(20)}};
  }
  if (!network.direct) {
    made.expected = {Outcome::kRelayed};
    if (!comes_back) {
      made.expected = {Outcome::kLost, Outcome::kNoPath};
    } else if (death.step.state == "Connected" || death.step.state == "Proving") {
      // A path that has been found is not sought again before the session is open.
      made.expected = {Outcome::kRelayed, Outcome::kLost};
    }
  }
  return made;
}

}  // namespace

std::vector<Scenario> relay_death_scenarios() {
  std::vector<Scenario> all;
  for (const Network& network : kNetworks) {
    for (const Happening& death : deaths()) {
      all.push_back(at(network, death, false));
      all.push_back(at(network, death, true));
    }
  }
  return all;
}

}  // namespace peersock::sim
