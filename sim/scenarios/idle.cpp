#include <fmt/format.h>

#include "scenarios/scenarios.hpp"

namespace peersock::sim {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testbed::Dependence;
using testbed::Ports;

const SiteSpec kHome{.nats = {{.ports = Ports::Random}}};
const SiteSpec kCarrier{
    .nats = {{}, {.filtering = Dependence::Independent, .ports = Ports::Random}}};
const SiteSpec kHard{.nats = {{.mapping = Dependence::AddressAndPort, .ports = Ports::Random}}};
const SiteSpec kNoUdp{.nats = {{.udp = false}}};
const SiteSpec kBoth{.nats = {{.ports = Ports::Random}}, .ipv6 = true};

Scenario hour(std::string name, const SiteSpec& listener, const SiteSpec& connector) {
  return {.name = "idle-hour/" + std::move(name),
          .listener = listener,
          .connector = connector,
          .idle = hours(1),
          .bound = hours(1) + seconds(60)};
}

SiteSpec forgetful(Nanos timeout, Ports ports) {
  return {.nats = {{.ports = ports, .timeout = std::chrono::floor<testbed::Time>(timeout)}}};
}

}  // namespace

std::vector<Scenario> idle_scenarios() {
  std::vector<Scenario> all;
  for (const auto& [engine, suffix] : kBothEngines) {
    all.push_back(hour(fmt::format("homes{}", suffix), kHome, kHome));
    all.back().engine = engine;
  }
  all.push_back(hour("carriers", kCarrier, kCarrier));
  all.push_back(hour("dual-stack", kBoth, kBoth));
  // Allocations, permissions and channels have to be renewed.
  all.push_back(hour("relayed", kHard, kHard));
  all.back().relay = true;
  all.back().expected = {Outcome::kRelayed};
  all.push_back(hour("relayed-tcp", kNoUdp, kHome));
  all.back().relay = all.back().relay_tcp = true;
  all.back().expected = {Outcome::kRelayed};
  // Nothing of the session is lost by a failure that nobody is there to see.
  all.push_back(hour("line-pauses", kHome, kHome));
  all.back().happenings = {{.what = What::kConnectorUnplugged,
                            .when = When::kHalfWay,
                            .delay = minutes(20),
                            .lasts = seconds(5)}};
  all.push_back(hour("nat-reboots", kHome, kHome));
  all.back().happenings = {
      {.what = What::kListenerNatReboots, .when = When::kHalfWay, .delay = minutes(20)},
      {.what = What::kConnectorNatReboots, .when = When::kHalfWay, .delay = minutes(40)}};
  all.push_back(hour("mailbox-gone", kHome, kHome));
  all.back().happenings = {
      {.what = What::kMailboxDown, .when = When::kHalfWay, .delay = minutes(5), .lasts = kForEver}};
  // Shorter than RFC 4787 section 4.3 allows, and down to less than the time between two questions.
  for (const int timeout : {30, 10, 5, 2, 1}) {
    for (const auto& [name, ports] :
         {std::pair("preserved", Ports::Preserved), std::pair("random", Ports::Random)}) {
      const SiteSpec site = forgetful(seconds(timeout), ports);
      all.push_back({.name = fmt::format("mapping-timeout/{}-{}", timeout, name),
                     .listener = site,
                     .connector = site,
                     .idle = minutes(3),
                     // Each question finds both NATs as if they had been restarted.
                     .expected = timeout < 3 && ports == Ports::Random
                                     ? std::vector{Outcome::kDirect, Outcome::kLost}
                                     : std::vector{Outcome::kDirect},
                     .bound = minutes(6)});
    }
  }
  return all;
}

}  // namespace peersock::sim
