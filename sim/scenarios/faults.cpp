#include <fmt/format.h>

#include "scenarios/scenarios.hpp"

namespace peersock::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kOctets = 4 * 1024 * 1024;
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

}  // namespace

std::vector<Scenario> fault_scenarios() {
  std::vector<Scenario> all;
  // The rendezvous is over once the two have met; before that it is tried again.
  for (const int delay : {0, 20, 60, 120, 200, 300}) {
    all.push_back(
        with(fmt::format("mailbox-down/{}", delay),
             {{What::kMailboxDown, When::kConnectorStarted, milliseconds(delay), seconds(4)}},
             {Outcome::kDirect}));
    all.push_back(
        with(fmt::format("mailbox-restarts/{}", delay),
             {{What::kMailboxRestarts, When::kConnectorStarted, milliseconds(delay), seconds(2)}},
             {Outcome::kDirect, Outcome::kLost, Outcome::kNoPath}));
  }
  all.push_back(with("mailbox-down/for-ever",
                     {{What::kMailboxDown, When::kConnectorStarted, milliseconds(0), kForEver}},
                     {Outcome::kLost}));
  for (const auto& [name, when] :
       {std::pair("meeting", When::kConnectorStarted),
        std::pair("authenticated", When::kAuthenticated), std::pair("half-way", When::kHalfWay)}) {
    for (const What what : {What::kListenerUnplugged, What::kConnectorUnplugged}) {
      const char* who = what == What::kListenerUnplugged ? "listener" : "connector";
      all.push_back(with(fmt::format("{}-vanishes/{}", who, name),
                         {{what, when, milliseconds(50), kForEver}},
                         {Outcome::kLost, Outcome::kNoPath}));
    }
  }
  for (const int pause : {1, 3, 5}) {
    all.push_back(
        with(fmt::format("line-pauses/{}", pause),
             {{What::kConnectorUnplugged, When::kHalfWay, milliseconds(0), seconds(pause)}},
             {Outcome::kDirect}));
  }
  all.push_back(with("listener-interrupted/half-way",
                     {{What::kListenerInterrupted, When::kHalfWay}}, {Outcome::kLost}));
  all.push_back(with("connector-interrupted/half-way",
                     {{What::kConnectorInterrupted, When::kHalfWay}}, {Outcome::kLost}));
  return all;
}

}  // namespace peersock::sim
