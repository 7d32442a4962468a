#include <algorithm>
#include <cctype>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "scenario_words.hpp"
#include "scenarios/scenarios.hpp"

namespace peersock::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// What the rendezvous is still needed for.
enum class Need : std::uint8_t {
  kMeeting,  ///< the two do not know each other yet
  kPath,     ///< some of what they have to tell each other may be missing
  kNone,
};

struct Place {
  Step step;
  Need need = Need::kNone;
};

// Every state that each machine is in on the way to an open session, whoever leads.
const Place kPlaces[] = {
    {.step = {Who::kListener, "wormhole", "Allocating"}, .need = Need::kMeeting},
    {.step = {Who::kListener, "wormhole", "Claiming"}, .need = Need::kMeeting},
    {.step = {Who::kListener, "wormhole", "Opening"}, .need = Need::kMeeting},
    {.step = {Who::kListener, "wormhole", "AwaitPake"}, .need = Need::kMeeting},
    {.step = {Who::kListener, "wormhole", "AwaitVersion"}, .need = Need::kMeeting},
    {.step = {Who::kListener, "wormhole", "Verified"}, .need = Need::kPath},
    {.step = {Who::kListener, "ice", "Checking"}, .need = Need::kPath},
    {.step = {Who::kListener, "ice", "Connected"}, .need = Need::kPath},
    {.step = {Who::kListener, "session", "Proving"}, .need = Need::kNone},
    {.step = {Who::kListener, "session", "Open"}, .need = Need::kNone},
    {.step = {Who::kConnector, "wormhole", "Claiming"}, .need = Need::kMeeting},
    {.step = {Who::kConnector, "wormhole", "Opening"}, .need = Need::kMeeting},
    {.step = {Who::kConnector, "wormhole", "AwaitVersion"}, .need = Need::kMeeting},
    {.step = {Who::kConnector, "wormhole", "Verified"}, .need = Need::kPath},
    {.step = {Who::kConnector, "ice", "Checking"}, .need = Need::kPath},
    {.step = {Who::kConnector, "ice", "Connected"}, .need = Need::kPath},
    {.step = {Who::kConnector, "session", "Proving"}, .need = Need::kNone},
    {.step = {Who::kConnector, "session", "Open"}, .need = Need::kNone},
};

std::string name_of(const char* what, const Step& step) {
  return lower_case(
      fmt::format("step/{}/{}-{}-{}", what, word_for(step.who), step.machine, step.state));
}

Scenario at(const char* name, const Step& step, What what, Nanos lasts,
            std::vector<Outcome> expected) {
  const testbed::LineConfig line{.delay = milliseconds(10), .rate = 20000};
  const SiteSpec site{.nats = {{.ports = testbed::Ports::Random}}, .up = line, .down = line};
  return {.name = name_of(name, step),
          .listener = site,
          .connector = site,
          .happenings = {{.what = what, .when = When::kStep, .step = step, .lasts = lasts}},
          .expected = std::move(expected),
          .bound = seconds(300)};
}

}  // namespace

std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::vector<Scenario> step_scenarios() {
  const std::vector<Outcome> direct = {Outcome::kDirect};
  const std::vector<Outcome> failed = {Outcome::kLost, Outcome::kNoPath};
  const std::vector<Outcome> either = {Outcome::kDirect, Outcome::kLost, Outcome::kNoPath};
  std::vector<Scenario> all;
  for (const auto& [step, need] : kPlaces) {
    all.push_back(at("mailbox-down", step, What::kMailboxDown, seconds(4), direct));
    all.push_back(at("mailbox-gone", step, What::kMailboxDown, kForEver,
                     need == Need::kMeeting ? failed
                     : need == Need::kPath  ? either
                                            : direct));
    all.push_back(at("mailbox-killed", step, What::kMailboxRestarts, kForEver,
                     need == Need::kMeeting ? failed
                     : need == Need::kPath  ? either
                                            : direct));
    // A server that has forgotten everybody brings nobody together who has not met.
    all.push_back(at("mailbox-restarts", step, What::kMailboxRestarts, seconds(2),
                     need == Need::kNone ? direct : either));
    const bool listens = step.who == Who::kListener;
    all.push_back(at("vanishes", step,
                     listens ? What::kListenerUnplugged : What::kConnectorUnplugged, kForEver,
                     failed));
    // A side that could not ask a STUN server has no public address: it asks again in a second
    // search.
    all.push_back(at("pauses", step, listens ? What::kListenerUnplugged : What::kConnectorUnplugged,
                     seconds(3), direct));
    all.push_back(at("interrupted", step,
                     listens ? What::kListenerInterrupted : What::kConnectorInterrupted, Nanos{0},
                     {Outcome::kLost}));
    // The local program has connected by then; ns-3 resets no connection in the midst of a
    // handshake.
    all.back().happenings.front().delay = milliseconds(1);
  }
  return all;
}

}  // namespace peersock::sim
