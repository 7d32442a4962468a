#include <fmt/format.h>

#include "scenarios/scenarios.hpp"

namespace peersock::sim {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct Jump {
  const char* name;
  Nanos by;
};

const Jump kJumps[] = {
    {.name = "second-forward", .by = seconds(1)},  {.name = "second-back", .by = -seconds(1)},
    {.name = "hour-forward", .by = hours(1)},      {.name = "hour-back", .by = -hours(1)},
    {.name = "years-forward", .by = hours(50000)}, {.name = "years-back", .by = -hours(50000)},
};

struct Clock {
  const char* name;
  What what;
};

const Clock kClocks[] = {
    {.name = "listener", .what = What::kListenerClockJumps},
    {.name = "connector", .what = What::kConnectorClockJumps},
    {.name = "mailbox", .what = What::kMailboxClockJumps},
};

}  // namespace

std::vector<Scenario> clock_scenarios() {
  const testbed::LineConfig line{.delay = milliseconds(10), .rate = 20000, .loss = 0.5};
  const SiteSpec site{.nats = {{.ports = testbed::Ports::Random}}, .up = line, .down = line};
  std::vector<Scenario> all;
  for (const auto& [engine, suffix] : kBothEngines) {
    for (const auto& [moment, when] : {std::pair("meeting", When::kConnectorStarted),
                                       std::pair("authenticated", When::kAuthenticated),
                                       std::pair("half-way", When::kHalfWay)}) {
      for (const Clock& clock : kClocks) {
        for (const Jump& jump : kJumps) {
          all.push_back(
              {.name = fmt::format("clock/{}/{}/{}{}", clock.name, moment, jump.name, suffix),
               .listener = site,
               .connector = site,
               .engine = engine,
               .happenings = {{.what = clock.what,
                               .when = when,
                               .delay = milliseconds(100),
                               .lasts = jump.by}},
               .bound = seconds(120)});
        }
      }
    }
  }
  return all;
}

}  // namespace peersock::sim
