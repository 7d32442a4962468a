#include "adapters/nice_gathering.hpp"

#include <algorithm>
#include <utility>

#include <sys/socket.h>

#include "adapters/glib_ptr.hpp"
#include "adapters/interfaces.hpp"
#include "adapters/nice_candidate.hpp"

namespace peersock::adapters {

using ice::is_ipv6;

namespace {

constexpr std::size_t kMaxRelays = 4;
/// libnice says that it is done after two to five seconds; not always, so this is the end.
constexpr Duration kGatheringLimit = 6s;
/// A server that has not answered by then is silent: see kStunInitialTimeout in nice_agent.cpp.
constexpr gint64 kSilence = gint64{2} * G_USEC_PER_SEC;
/// Turns of the loop in which libnice has "resolved" a numeric STUN server for sure: a timeout of
/// 0 ms, then the answer of GResolver.
constexpr int kTurnsToResolve = 4;
/// Bursts of QUIC overrun the system's default of some 200 KiB. The system cuts it to its limit.
constexpr int kSocketBuffer = 4 * 1024 * 1024;

std::string server_text(const std::string& host, std::uint16_t port) {
  return ice::endpoint_text(host, port);
}

}  // namespace

NiceGathering::NiceGathering(IceAgentConfig config, ::NiceAgent* agent, guint stream,
                             GMainContext* context, Report report)
    : config_(std::move(config)),
      agent_(agent),
      stream_(stream),
      report_(std::move(report)),
      step_(context, [this] { next_step(); }),
      limit_(context, [this] { finish(); }) {
  if (config_.relay == ice::RelayPolicy::kOnly) config_.stun.reset();
  if (config_.relay == ice::RelayPolicy::kNever) config_.turn.clear();
  if (config_.turn.size() > kMaxRelays) config_.turn.resize(kMaxRelays);
  relays_.resize(config_.turn.size());
}

// ---- names of servers ---------------------------------------------------------------------------

void NiceGathering::start() {
  for (std::size_t i = 0; i < relays_.size(); ++i) look_up_relay(i);
  if (config_.stun) {
    look_up_stun();
  } else {
    begin();
  }
}

void NiceGathering::look_up(const std::string& host, ResolveHandler handler) {
  if (is_numeric_address(host)) {
    handler(std::vector<std::string>{host});
  } else if (config_.resolver) {
    lookups_.push_back(config_.resolver(host, config_.lookup_timeout, std::move(handler)));
  } else {
    handler(tl::unexpected<std::string>("names are not looked up here"));
  }
}

void NiceGathering::look_up_stun() {
  look_up(config_.stun->host, [this](ResolveResult result) {
    if (begun_) return;
    if (result) {
      // One address is all that libnice takes. IPv4 is where the NATs are.
      const auto v4 = std::find_if_not(result->begin(), result->end(), is_ipv6);
      stun_address_ = v4 == result->end() ? result->front() : *v4;
    } else {
      stun_failure_ = result.error();
    }
    begin();
  });
}

void NiceGathering::look_up_relay(std::size_t index) {
  look_up(config_.turn[index].host, [this, index](ResolveResult result) {
    relays_[index].looked_up = true;
    if (result) {
      relays_[index].addresses = std::move(*result);
    } else {
      relays_[index].added = true;
      report_.warning("The name of the TURN server " + config_.turn[index].host +
                      " could not be looked up (" + result.error() +
                      "); going on without it as a relay");
    }
    if (begun_) add_relays();
    finish_if_done();
  });
}

// ---- gathering ----------------------------------------------------------------------------------

void NiceGathering::begin() {
  if (begun_) return;
  begun_ = true;
  begun_at_ = g_get_monotonic_time();
  limit_.after(kGatheringLimit);
  const bool any = add_local_addresses();
  if (stun_address_) {
    g_object_set(agent_, "stun-server", stun_address_->c_str(), "stun-server-port",
                 static_cast<guint>(config_.stun->port), nullptr);
    // libnice 0.1.21 drops answers of a STUN server on a socket on which it has asked a TURN
    // server before. It asks the STUN server some turns of the loop from now, so TURN waits.
    steps_left_ = kTurnsToResolve;
    step_.soon();
  } else {
    if (config_.stun) give_up_stun();
    relays_may_join_ = true;
    add_relays();
  }
  if (!any || !nice_agent_gather_candidates(agent_, stream_)) {
    report_.warning("This machine has no network interface that can be used");
    finish();
    return;
  }
  widen_socket_buffers();
}

void NiceGathering::give_up_stun() {
  report_.warning("The name of the STUN server " + config_.stun->host +
                  " could not be looked up (" + stun_failure_ +
                  "); a path through NATs may not be found without it");
  config_.stun.reset();
}

void NiceGathering::next_step() {
  if (--steps_left_ > 0) {
    step_.soon();
    return;
  }
  relays_may_join_ = true;
  add_relays();
  finish_if_done();
}

bool NiceGathering::add_local_addresses() {
  const auto all = config_.interfaces ? *config_.interfaces : list_interfaces();
  bool any = false;
  for (const ice::LocalInterface& chosen : ice::choose_local_interfaces(all)) {
    auto address = nice_address_of(chosen.address, chosen.name);
    if (!address || !nice_agent_add_local_address(agent_, &*address)) continue;
    any = true;
    // libnice asks no server from a link-local address.
    if (ice::is_link_local(chosen.address)) continue;
    (is_ipv6(chosen.address) ? has_ipv6_ : has_ipv4_) = true;
  }
  return any;
}

void NiceGathering::widen_socket_buffers() {
  GPtrArray* sockets = nice_agent_get_sockets(agent_, stream_, kNiceComponent);
  if (sockets == nullptr) return;
  for (guint i = 0; i < sockets->len; ++i) {
    auto* socket = G_SOCKET(sockets->pdata[i]);
    // As much as the system allows; a smaller buffer only costs speed.
    static_cast<void>(g_socket_set_option(socket, SOL_SOCKET, SO_RCVBUF, kSocketBuffer, nullptr));
    static_cast<void>(g_socket_set_option(socket, SOL_SOCKET, SO_SNDBUF, kSocketBuffer, nullptr));
  }
  g_ptr_array_unref(sockets);
}

void NiceGathering::add_relays() {
  if (!relays_may_join_) return;
  for (std::size_t i = 0; i < relays_.size(); ++i) {
    if (relays_[i].looked_up && !relays_[i].added) add_relay(config_.turn[i], relays_[i]);
  }
}

void NiceGathering::add_relay(const TurnServer& server, Relay& relay) {
  relay.added = true;
  // libnice keeps the password for the life of the agent; this copy of it goes now.
  std::string password(server.password.reveal_text());
  bool used_ipv4 = false;
  bool used_ipv6 = false;
  for (const std::string& address : relay.addresses) {
    bool& used = is_ipv6(address) ? used_ipv6 : used_ipv4;
    if (used || !(is_ipv6(address) ? has_ipv6_ : has_ipv4_)) continue;
    used = true;
    nice_done_ = false;
    nice_agent_set_relay_info(agent_, stream_, kNiceComponent, address.c_str(), server.port,
                              server.username.c_str(), password.c_str(),
                              server.transport == TurnTransport::kTcp ? NICE_RELAY_TYPE_TURN_TCP
                                                                      : NICE_RELAY_TYPE_TURN_UDP);
  }
  wipe(password);
  if (used_ipv4 || used_ipv6) {
    relay_asked_ = true;
  } else {
    report_.warning("The TURN server " + server.host +
                    " has no address that this machine can reach; going on without it");
  }
}

// ---- the end ------------------------------------------------------------------------------------

void NiceGathering::on_candidate(NiceCandidateType type) {
  if (type == NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE) saw_reflexive_ = true;
  if (type == NICE_CANDIDATE_TYPE_RELAYED) saw_relay_ = true;
}

void NiceGathering::on_nice_done() {
  nice_done_ = true;
  finish_if_done();
}

void NiceGathering::finish_if_done() {
  const bool all_added =
      std::all_of(relays_.begin(), relays_.end(), [](const Relay& relay) { return relay.added; });
  if (begun_ && nice_done_ && relays_may_join_ && all_added) finish();
}

void NiceGathering::finish() {
  if (std::exchange(finished_, true)) return;
  limit_.cancel();
  step_.cancel();
  warn_of_silence();
  report_.done();
}

void NiceGathering::warn_of_silence() {
  const bool silent = g_get_monotonic_time() - begun_at_ >= kSilence;
  if (relay_asked_) {
    if (saw_relay_) return;
    const TurnServer& server = config_.turn.front();
    report_.warning("The TURN server " + server_text(server.host, server.port) +
                    (silent ? " gave no relay: it does not answer, or it refuses the user name or "
                              "password; going on without a relay"
                            : " refused to be a relay; check the user name and password; going on "
                              "without a relay"));
  } else if (config_.stun && silent && !saw_reflexive_) {
    report_.warning("The STUN server " + server_text(config_.stun->host, config_.stun->port) +
                    " does not answer; a path through NATs may not be found without it");
  }
}

}  // namespace peersock::adapters
