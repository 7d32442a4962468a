#include "happenings.hpp"

#include <fmt/format.h>

#include "scenario_words.hpp"

namespace peersock::sim {
namespace {

/// Of the first network that somebody moves to; the ones below are the hosts' own.
constexpr int kFirstNewNetwork = 101;

void pull(Cable& cable, Nanos lasts) {
  cable.set_connected(false);
  if (lasts < kForEver) post(lasts, [&cable] { cable.set_connected(true); });
}

void reboot_nats(const Site& site) {
  for (NatBox* nat : site.nats) nat->reboot();
}

}  // namespace

void Happenings::reached(When when) {
  if (!reached_.insert(when).second) return;
  for (const Happening& happening : scenario_.happenings) {
    if (happening.when == when) plan(happening);
  }
}

void Happenings::entered(const Step& step) {
  for (const Happening& happening : scenario_.happenings) {
    if (happening.when != When::kStep || happening.step != step) continue;
    if (stepped_.insert(&happening).second) plan(happening);
  }
}

std::vector<std::string> Happenings::missed() const {
  std::vector<std::string> all;
  for (const Happening& happening : scenario_.happenings) {
    if (happening.when != When::kStep || stepped_.contains(&happening)) continue;
    all.push_back(fmt::format("the machine {} of the {} was never in the state {}",
                              happening.step.machine, word_for(happening.step.who),
                              happening.step.state));
  }
  return all;
}

void Happenings::plan(const Happening& happening) {
  post(happening.delay, [this, &happening] {
    if (!closed_) happen(happening);
  });
}

void Happenings::happen(const Happening& happening) {
  switch (happening.what) {
    case What::kMailboxDown:
      return pull(stage_.world.cable_of(stage_.servers.mailbox_host()), happening.lasts);
    case What::kMailboxRestarts:
      stage_.servers.kill_mailbox();
      if (happening.lasts >= kForEver) return;
      return post(happening.lasts, [this] { stage_.servers.start_mailbox(); });
    case What::kListenerUnplugged:
      return pull(*stage_.listener.access, happening.lasts);
    case What::kConnectorUnplugged:
      return pull(*stage_.connector.access, happening.lasts);
    case What::kListenerNatReboots:
      return reboot_nats(stage_.listener);
    case What::kConnectorNatReboots:
      return reboot_nats(stage_.connector);
    case What::kListenerInterrupted:
      return stage_.interrupt(Who::kListener);
    case What::kConnectorInterrupted:
      return stage_.interrupt(Who::kConnector);
    case What::kListenerMoves:
      return move(Who::kListener, happening.lasts);
    case What::kConnectorMoves:
      return move(Who::kConnector, happening.lasts);
    case What::kListenerClockJumps:
      return stage_.listener.host->step_clock(happening.lasts);
    case What::kConnectorClockJumps:
      return stage_.connector.host->step_clock(happening.lasts);
    case What::kMailboxMoves:
      stage_.servers.move_mailbox();
      return post(happening.lasts, [this] { stage_.servers.start_mailbox(); });
    case What::kTurnRestarts:
      stage_.servers.kill_turn(happening.lasts < kForEver);
      if (happening.lasts >= kForEver) return;
      return post(happening.lasts, [this] { stage_.servers.start_turn(); });
    case What::kMailboxClockJumps:
      return stage_.servers.mailbox_host().step_clock(happening.lasts);
  }
}

void Happenings::move(Who who, Nanos apart) {
  stage_.world.leave(site(who));
  const int number = kFirstNewNetwork + moves_++;
  const auto arrive = [this, who, number] {
    const auto& next = who == Who::kListener ? scenario_.listener_next : scenario_.connector_next;
    const auto& like = who == Who::kListener ? scenario_.listener : scenario_.connector;
    stage_.world.leave(site(who));  // it may have arrived elsewhere since
    stage_.world.enter(site(who), number, next ? *next : like);
  };
  if (apart.count() == 0) return arrive();
  post(apart, [this, arrive] {
    if (!closed_) arrive();
  });
}

}  // namespace peersock::sim
