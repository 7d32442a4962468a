#include <random>

#include "scenarios/scenarios.hpp"

namespace peersock::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testbed::Dependence;

/// Draws a scenario; a seed always gives the same one.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  /// From 0 to `most`. The standard's distributions differ between libraries.
  std::uint64_t up_to(std::uint64_t most) { return engine_() % (most + 1); }
  bool happens(std::uint64_t percent) { return up_to(99) < percent; }
  Dependence dependence() { return static_cast<Dependence>(up_to(2)); }
  Nanos time_up_to(Nanos most) {
    return Nanos(static_cast<std::int64_t>(up_to(static_cast<std::uint64_t>(most.count()))));
  }

 private:
  std::mt19937_64 engine_;
};

NatSpec random_nat(Dice& dice) {
  return {.mapping = dice.dependence(),
          .filtering = dice.dependence(),
          .ports = static_cast<testbed::Ports>(dice.up_to(2)),
          .hairpin = dice.happens(50)};
}

testbed::LineConfig random_line(Dice& dice) {
  testbed::LineConfig line;
  line.delay = milliseconds(dice.happens(80) ? dice.up_to(60) : dice.up_to(400));
  if (dice.happens(30)) line.jitter = line.delay / 4;
  if (dice.happens(30)) line.rate = 500 + dice.up_to(50000);
  if (dice.happens(40)) line.loss = static_cast<double>(dice.up_to(50)) / 10;
  if (dice.happens(20)) line.duplicate = static_cast<double>(dice.up_to(10));
  if (dice.happens(30)) line.reorder = static_cast<double>(dice.up_to(20));
  return line;
}

SiteSpec random_site(Dice& dice) {
  SiteSpec site;
  for (auto boxes = dice.happens(20) ? 0 : dice.up_to(1) + 1; boxes > 0; --boxes) {
    site.nats.push_back(random_nat(dice));
  }
  site.up = random_line(dice);
  site.down = random_line(dice);
  site.ipv6 = dice.happens(25);
  return site;
}

Happening random_happening(Dice& dice) {
  return {.what = static_cast<What>(
              dice.up_to(static_cast<std::uint64_t>(What::kConnectorInterrupted))),
          .when = static_cast<When>(dice.up_to(static_cast<std::uint64_t>(When::kHalfWay))),
          .delay = dice.time_up_to(seconds(2)),
          .lasts = dice.happens(10) ? kForEver : dice.time_up_to(seconds(8))};
}

void make_chaos(Scenario& scenario, std::uint64_t seed) {
  Dice dice(seed);
  scenario.listener = random_site(dice);
  scenario.connector = random_site(dice);
  scenario.engine =
      dice.happens(50) ? adapters::QuicEngine::kOpenSsl : adapters::QuicEngine::kNgtcp2;
  scenario.octets = dice.up_to(dice.happens(20) ? 1'000'000 : 50'000);
  scenario.relay = dice.happens(60);
  for (auto count = dice.happens(50) ? 0 : dice.up_to(2) + 1; count > 0; --count) {
    scenario.happenings.push_back(random_happening(dice));
  }
}

testbed::Bursts random_bursts(Dice& dice) {
  return {.begin = static_cast<double>(dice.up_to(10)) / 10,
          .end = static_cast<double>(dice.up_to(45) + 5),
          .loss = static_cast<double>(dice.up_to(70) + 30)};
}

/// What came after `chaos`, on top of it.
void make_turmoil(Scenario& scenario, std::uint64_t seed) {
  make_chaos(scenario, seed);
  constexpr std::uint64_t kOtherDice = 0x9e3779b97f4a7c15U;
  Dice dice(seed ^ kOtherDice);
  for (SiteSpec* site : {&scenario.listener, &scenario.connector}) {
    if (!dice.happens(30)) continue;
    site->up.bursts = random_bursts(dice);
    site->down.bursts = random_bursts(dice);
  }
  if (dice.happens(15)) scenario.listener.nats.push_back({.udp = false});
  scenario.relay_tcp = scenario.relay && dice.happens(70);
  scenario.sessions = dice.happens(20) ? 2 : 1;
  if (dice.happens(20)) scenario.idle = dice.time_up_to(seconds(400));
  for (const What what : {What::kListenerMoves, What::kConnectorMoves, What::kListenerClockJumps,
                          What::kConnectorClockJumps}) {
    if (!dice.happens(25)) continue;
    scenario.happenings.push_back(
        {.what = what,
         .when = static_cast<When>(dice.up_to(static_cast<std::uint64_t>(When::kHalfWay))),
         .delay = dice.time_up_to(seconds(5)),
         .lasts = dice.time_up_to(seconds(8))});
  }
  if (dice.happens(20)) scenario.path = adapters::PathPolicy::kNice;
}

}  // namespace

std::vector<Scenario> chaos_scenarios() {
  Scenario chaos;
  chaos.name = "chaos";
  chaos.expected = {};
  chaos.bound = seconds(1200);
  chaos.vary = &make_chaos;
  Scenario turmoil = chaos;
  turmoil.name = "turmoil";
  turmoil.vary = &make_turmoil;
  return {std::move(chaos), std::move(turmoil)};
}

}  // namespace peersock::sim
