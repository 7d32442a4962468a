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

/// libnice says that it is done after two to five seconds; not always, so this is the end.
constexpr Duration kGatheringLimit = 6s;
/// A server that has not answered by then is silent: see kStunInitialTimeout in nice_setup.cpp.
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
      limit_(context, [this] { finish(); }),
      relays_(config_, agent, stream, context,
              {[this] { nice_done_ = false; }, [this] { finish_if_done(); }, report_.warning}) {
  if (config_.relay == ice::RelayPolicy::kOnly) config_.stun.reset();
}

// ---- names of servers ---------------------------------------------------------------------------

void NiceGathering::start() {
  relays_.start();
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

// ---- gathering ----------------------------------------------------------------------------------

void NiceGathering::begin() {
  begun_ = true;
  begun_at_ = g_get_monotonic_time();
  limit_.after(kGatheringLimit);
  const Families families = add_local_addresses();
  relays_.begin(families.ipv4, families.ipv6);
  if (stun_address_) {
    g_object_set(agent_, "stun-server", stun_address_->c_str(), "stun-server-port",
                 static_cast<guint>(config_.stun->port), nullptr);
    // libnice 0.1.21 drops answers of a STUN server on a socket on which it has asked a TURN
    // server before. It asks the STUN server some turns of the loop from now, so TURN waits.
    steps_left_ = kTurnsToResolve;
    step_.soon();
  } else {
    if (config_.stun) give_up_stun();
    join_relays();
  }
  const bool gathers = families.any && nice_agent_gather_candidates(agent_, stream_) != 0;
  report_.begun();
  if (!gathers) {
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
  join_relays();
  finish_if_done();
}

void NiceGathering::join_relays() {
  relays_joined_ = true;
  relays_.join();
}

NiceGathering::Families NiceGathering::add_local_addresses() {
  const auto all = config_.interfaces ? *config_.interfaces : list_interfaces();
  Families families;
  for (const ice::LocalInterface& chosen : ice::choose_local_interfaces(all)) {
    auto address = nice_address_of(chosen.address, chosen.name);
    if (!address || !nice_agent_add_local_address(agent_, &*address)) continue;
    families.any = true;
    // libnice asks no server from a link-local address.
    if (ice::is_link_local(chosen.address)) continue;
    (is_ipv6(chosen.address) ? families.ipv6 : families.ipv4) = true;
  }
  return families;
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

// ---- the end ------------------------------------------------------------------------------------

void NiceGathering::on_candidate(NiceCandidateType type) {
  if (type == NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE) saw_reflexive_ = true;
  if (type == NICE_CANDIDATE_TYPE_RELAYED) relays_.on_relay();
}

void NiceGathering::on_nice_done() {
  nice_done_ = true;
  finish_if_done();
}

void NiceGathering::finish_if_done() {
  if (begun_ && nice_done_ && relays_joined_ && relays_.settled()) finish();
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
  relays_.conclude(silent);
  if (config_.stun && silent && !saw_reflexive_ && !relays_.any_asked()) {
    report_.warning("The STUN server " + server_text(config_.stun->host, config_.stun->port) +
                    " does not answer; a path through NATs may not be found without it");
  }
}

std::string NiceGathering::relay_transport_of(const ::NiceCandidate& local) const {
  return local.type == NICE_CANDIDATE_TYPE_RELAYED ? relays_.transport_of(local) : std::string();
}

}  // namespace peersock::adapters
