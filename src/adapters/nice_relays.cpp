#include "adapters/nice_relays.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "adapters/nice_candidate.hpp"
#include "ice/policy.hpp"

namespace peersock::adapters {

using ice::is_ipv6;

namespace {

/// libnice takes eight, and over UDP one for each family.
constexpr std::size_t kMaxRelays = 4;

const char* name_of(TurnTransport transport) {
  switch (transport) {
    case TurnTransport::kTcp:
      return "TCP";
    case TurnTransport::kTls:
      return "TLS";
    case TurnTransport::kUdp:
      break;
  }
  return "UDP";
}

}  // namespace

std::string_view to_string(TurnTransport transport) {
  switch (transport) {
    case TurnTransport::kTcp:
      return "tcp";
    case TurnTransport::kTls:
      return "tls";
    case TurnTransport::kUdp:
      break;
  }
  return "udp";
}

NiceRelays::NiceRelays(IceAgentConfig& config, ::NiceAgent* agent, guint stream,
                       GMainContext* context, Report report)
    : config_(config),
      agent_(agent),
      stream_(stream),
      context_(context),
      report_(std::move(report)),
      head_start_(context, [this] { start_later(); }) {
  if (config_.relay == ice::RelayPolicy::kNever) config_.turn.clear();
  if (config_.turn.size() > kMaxRelays) config_.turn.resize(kMaxRelays);
  for (TurnServer& server : config_.turn) {
    relays_.emplace_back();
    relays_.back().server = std::move(server);
  }
  config_.turn.clear();
}

// ---- the ways to them ---------------------------------------------------------------------------

void NiceRelays::start() {
  for (Relay& relay : relays_) {
    if (!relay.server.later) open(relay);
  }
}

void NiceRelays::start_later() {
  if (has_relay_) {
    for (Relay& relay : relays_) {
      if (relay.state == State::kHeldBack) relay.state = State::kFailed;
    }
    return report_.changed();
  }
  for (Relay& relay : relays_) {
    if (relay.state == State::kHeldBack) open(relay);
  }
}

void NiceRelays::open(Relay& relay) {
  relay.state = State::kStarting;
  relay.server.transport == TurnTransport::kUdp ? open_udp(relay) : open_bridge(relay);
}

void NiceRelays::open_udp(Relay& relay) {
  const auto found = [this, &relay](ResolveResult result) {
    if (!result) return fail(relay, "its name could not be looked up (" + result.error() + ")");
    relay.addresses = std::move(*result);
    relay.state = State::kReady;
    ask(relay);
  };
  const std::string& host = relay.server.host;
  if (is_numeric_address(host)) return found(std::vector<std::string>{host});
  if (!config_.resolver) {
    return found(tl::unexpected<std::string>("names are not looked up here"));
  }
  lookups_.push_back(config_.resolver(host, config_.lookup_timeout, found));
}

void NiceRelays::open_bridge(Relay& relay) {
  const TurnServer& server = relay.server;
  TurnBridgeConfig config;
  config.server.host = server.host;
  config.server.port = server.port;
  config.server.tls = server.transport == TurnTransport::kTls;
  config.server.proxy = config_.proxies.choose(server.host, true);
  config.server.without_tls = "try another --turn-port, or --turn-transport tcp";
  config.dial.trusted = config_.trusted;
  relay.bridge = std::make_unique<TurnBridge>(
      context_, std::move(config),
      TurnBridgeCallbacks{[this, &relay] {
                            relay.state = State::kReady;
                            ask(relay);
                          },
                          [this, &relay](std::string why) { fail(relay, std::move(why)); },
                          [this, &relay] { on_ended(relay); }});
  relay.bridge->start();
}

/// Without a relay no pair is over this server, so libnice may be told, and need not wait for it.
void NiceRelays::on_ended(Relay& relay) {
  if (has_relay_) return;
  relay.bridge.reset();
  fail(relay, "it closed the connection");
}

void NiceRelays::fail(Relay& relay, std::string why) {
  relay.state = State::kFailed;
  relay.failure = std::move(why);
  const auto is_open = [](const Relay& other) {
    return other.state != State::kHeldBack && other.state != State::kFailed;
  };
  if (std::none_of(relays_.begin(), relays_.end(), is_open)) start_later();
  report_.changed();
}

// ---- libnice ------------------------------------------------------------------------------------

void NiceRelays::begin(bool ipv4, bool ipv6) {
  has_ipv4_ = ipv4;
  has_ipv6_ = ipv6;
  head_start_.after(kTurnHeadStart);
}

void NiceRelays::join() {
  may_join_ = true;
  for (Relay& relay : relays_) ask(relay);
}

void NiceRelays::ask(Relay& relay) {
  if (!may_join_ || relay.state != State::kReady) return;
  const bool udp = relay.server.transport == TurnTransport::kUdp;
  relay.state = State::kAsked;
  if (!(udp ? ask_udp(relay) : ask_bridge(relay))) {
    return fail(relay, "it has no address that this machine can reach");
  }
  report_.changed();
}

bool NiceRelays::ask_udp(const Relay& relay) {
  bool used_ipv4 = false;
  bool used_ipv6 = false;
  for (const std::string& address : relay.addresses) {
    bool& used = is_ipv6(address) ? used_ipv6 : used_ipv4;
    if (used || !(is_ipv6(address) ? has_ipv6_ : has_ipv4_)) continue;
    used = true;
    tell(relay, address.c_str(), relay.server.port, NICE_RELAY_TYPE_TURN_UDP);
  }
  return used_ipv4 || used_ipv6;
}

bool NiceRelays::ask_bridge(const Relay& relay) {
  // libnice asks from each of its addresses that is of the server's family.
  if (!has_ipv4_ && !has_ipv6_) return false;
  const auto port = relay.bridge->listen(!has_ipv4_);
  if (!port) return false;
  tell(relay, loopback(), *port, NICE_RELAY_TYPE_TURN_TCP);
  return true;
}

void NiceRelays::tell(const Relay& relay, const char* address, std::uint16_t port,
                      NiceRelayType type) {
  report_.asked();
  // libnice keeps the password for the life of the agent; this copy of it goes now.
  std::string password(relay.server.password.reveal_text());
  nice_agent_set_relay_info(agent_, stream_, kNiceComponent, address, port,
                            relay.server.username.c_str(), password.c_str(), type);
  wipe(password);
}

void NiceRelays::on_relay() {
  has_relay_ = true;
}

bool NiceRelays::carries(const Relay& relay, const ::NiceCandidate& relayed) const {
  ::NiceAddress server;
  nice_candidate_relay_address(&relayed, &server);
  std::array<char, NICE_ADDRESS_STRING_LEN> address{};
  nice_address_to_string(&server, address.data());
  return relay.bridge && relay.bridge->port() == nice_address_get_port(&server) &&
         std::string_view(address.data()) == loopback();
}

std::string NiceRelays::transport_of(const ::NiceCandidate& relayed) const {
  for (const Relay& relay : relays_) {
    if (carries(relay, relayed)) return std::string(to_string(relay.server.transport));
  }
  return std::string(to_string(TurnTransport::kUdp));
}

std::shared_ptr<void> NiceRelays::take_way() {
  ::NiceCandidate* local = nullptr;
  ::NiceCandidate* remote = nullptr;
  const bool selected =
      nice_agent_get_selected_pair(agent_, stream_, kNiceComponent, &local, &remote) != 0;
  if (!selected || local->type != NICE_CANDIDATE_TYPE_RELAYED) return nullptr;
  for (Relay& relay : relays_) {
    if (carries(relay, *local)) return std::move(relay.bridge);
  }
  return nullptr;
}

// ---- the end ------------------------------------------------------------------------------------

bool NiceRelays::settled() const {
  return std::all_of(relays_.begin(), relays_.end(), [this](const Relay& relay) {
    return relay.state == State::kAsked || relay.state == State::kFailed ||
           (relay.state == State::kHeldBack && has_relay_);
  });
}

bool NiceRelays::any_asked() const {
  return std::any_of(relays_.begin(), relays_.end(),
                     [](const Relay& relay) { return relay.state == State::kAsked; });
}

void NiceRelays::conclude(bool silent) {
  head_start_.cancel();
  if (relays_.empty() || has_relay_) return;
  const TurnServer& first = relays_.front().server;
  std::string text = "The TURN server " + ice::endpoint_text(first.host, first.port);
  text += relays_.size() == 1 ? " gave no relay: " : " gave no relay; ";
  bool began = false;
  for (const Relay& relay : relays_) {
    if (std::exchange(began, true)) text += ", ";
    if (relays_.size() > 1) text += std::string("over ") + name_of(relay.server.transport) + ": ";
    text += failure_of(relay, silent);
  }
  report_.warning(text + "; going on without a relay");
}

std::string NiceRelays::failure_of(const Relay& relay, bool silent) const {
  if (relay.state == State::kFailed && !relay.failure.empty()) return relay.failure;
  if (relay.state != State::kAsked) return "no answer came in time";
  if (relay.bridge || !silent) return "it refused; check the user name and password";
  return "it does not answer, or it refuses the user name or password";
}

}  // namespace peersock::adapters
