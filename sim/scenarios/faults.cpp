#include <fmt/format.h>

#include "scenarios/scenarios.hpp"

namespace peersock::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kOctets = std::uint64_t{4} * 1024 * 1024;
/// Where everything happens before the first one.
constexpr std::uint64_t kLittle = std::uint64_t{16} * 1024;
/// So that half of the octets are not there in an instant.
const testbed::LineConfig kLine{.delay = milliseconds(10), .rate = 20000};

Scenario with(std::string name, std::vector<Happening> happenings, std::vector<Outcome> expected) {
  const SiteSpec site{.nats = {{.ports = testbed::Ports::Random}}, .up = kLine, .down = kLine};
  return {.name = std::move(name),
          .listener = site,
          .connector = site,
          .octets = kOctets,
          .happenings = std::move(happenings),
          .expected = std::move(expected),
          .bound = seconds(300)};
}

/// Behind NATs that only a relay helps through.
Scenario relayed(Scenario scenario) {
  for (SiteSpec* site : {&scenario.listener, &scenario.connector}) {
    site->nats.front().mapping = testbed::Dependence::AddressAndPort;
  }
  scenario.relay = true;
  return scenario;
}

}  // namespace

std::vector<Scenario> fault_scenarios() {
  std::vector<Scenario> all;
  // The rendezvous is over once the two have met; before that it is tried again.
  for (const int delay : {0, 20, 60, 120, 200, 300}) {
    all.push_back(with(fmt::format("mailbox-down/{}", delay),
                       {{.what = What::kMailboxDown,
                         .when = When::kConnectorStarted,
                         .delay = milliseconds(delay),
                         .lasts = seconds(4)}},
                       {Outcome::kDirect}));
    all.push_back(with(fmt::format("mailbox-restarts/{}", delay),
                       {{.what = What::kMailboxRestarts,
                         .when = When::kConnectorStarted,
                         .delay = milliseconds(delay),
                         .lasts = seconds(2)}},
                       {Outcome::kDirect, Outcome::kLost, Outcome::kNoPath}));
  }
  all.push_back(
      with("mailbox-down/for-ever",
           {{.what = What::kMailboxDown, .when = When::kConnectorStarted, .lasts = kForEver}},
           {Outcome::kLost}));
  for (Scenario& scenario : all) scenario.octets = kLittle;
  for (const auto& [name, when] :
       {std::pair("meeting", When::kConnectorStarted),
        std::pair("authenticated", When::kAuthenticated), std::pair("half-way", When::kHalfWay)}) {
    for (const What what : {What::kListenerUnplugged, What::kConnectorUnplugged}) {
      const char* who = what == What::kListenerUnplugged ? "listener" : "connector";
      all.push_back(
          with(fmt::format("{}-vanishes/{}", who, name),
               {{.what = what, .when = when, .delay = milliseconds(50), .lasts = kForEver}},
               {Outcome::kLost, Outcome::kNoPath}));
    }
    for (const What what : {What::kListenerNatReboots, What::kConnectorNatReboots}) {
      const char* who = what == What::kListenerNatReboots ? "listener" : "connector";
      all.push_back(with(fmt::format("nat-reboots/{}/{}", who, name),
                         {{.what = what, .when = when, .delay = milliseconds(50)}},
                         {Outcome::kDirect}));
    }
  }
  all.push_back(with("nat-reboots/both",
                     {{.what = What::kListenerNatReboots, .when = When::kHalfWay},
                      {.what = What::kConnectorNatReboots, .when = When::kHalfWay}},
                     {Outcome::kDirect}));
  all.push_back(
      with("nat-reboots/again",
           {{.what = What::kListenerNatReboots, .when = When::kHalfWay},
            {.what = What::kListenerNatReboots, .when = When::kHalfWay, .delay = seconds(20)},
            {.what = What::kConnectorNatReboots, .when = When::kHalfWay, .delay = seconds(40)}},
           {Outcome::kDirect}));
  all.back().idle = seconds(60);
  all.push_back(relayed(with("nat-reboots/relayed",
                             {{.what = What::kListenerNatReboots, .when = When::kHalfWay}},
                             {Outcome::kRelayed})));
  // A silence of 12 s ends the session.
  for (const int pause : {1, 3, 5, 7, 10, 11}) {
    all.push_back(
        with(fmt::format("line-pauses/{}", pause),
             {{.what = What::kConnectorUnplugged, .when = When::kHalfWay, .lasts = seconds(pause)}},
             {Outcome::kDirect}));
  }
  all.push_back(
      with("line-flaps",
           {{.what = What::kConnectorUnplugged, .when = When::kHalfWay, .lasts = seconds(2)},
            {.what = What::kListenerUnplugged,
             .when = When::kHalfWay,
             .delay = seconds(5),
             .lasts = seconds(2)},
            {.what = What::kConnectorUnplugged,
             .when = When::kHalfWay,
             .delay = seconds(9),
             .lasts = seconds(2)}},
           {Outcome::kDirect}));
  all.push_back(with("listener-interrupted/half-way",
                     {{.what = What::kListenerInterrupted, .when = When::kHalfWay}},
                     {Outcome::kLost}));
  all.push_back(with("connector-interrupted/half-way",
                     {{.what = What::kConnectorInterrupted, .when = When::kHalfWay}},
                     {Outcome::kLost}));
  return all;
}

}  // namespace peersock::sim
