#include "servers.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "adapters/dial_reason.hpp"

namespace peersock::sim {

namespace {

constexpr const char* kTurnUser = "simulated";
constexpr const char* kTurnPassword = "not a secret";
constexpr std::uint16_t kMailboxPort = 4000;
constexpr Duration kPeerTimeout = std::chrono::seconds(120);
constexpr Nanos kNextTry = std::chrono::milliseconds(250);

/// As a user tells the program.
wire::ProxyRules proxy_rules(const std::string& credentials) {
  const std::string user = credentials.empty() ? "" : credentials + "@";
  auto proxy =
      wire::parse_http_proxy(fmt::format("http://{}{}:{}", user, kProxyAddress, kProxyPort));
  const auto shared = std::make_shared<const wire::HttpProxy>(std::move(proxy.value()));
  return {shared, shared, {}};
}

adapters::TurnServer turn_server(std::string host, adapters::TurnTransport transport, bool later) {
  adapters::TurnServer turn;
  turn.host = std::move(host);
  turn.username = kTurnUser;
  turn.password = Secret(std::string_view(kTurnPassword));
  turn.transport = transport;
  turn.later = later;
  return turn;
}

}  // namespace

Servers::Servers(World& world, const Scenario& scenario)
    : world_(world),
      scenario_(scenario),
      // A host without IPv4 reaches no other addresses.
      ipv6_(scenario.servers_ipv6 || !scenario.listener.ipv4 || !scenario.connector.ipv4),
      mailbox_host_(world.add_server("mailbox", mailbox_addresses())),
      stun_host_(world.add_server("stun", addresses_of(kStunAddress))),
      turn_host_(world.add_server("turn", addresses_of(kTurnAddress))),
      proxy_host_(scenario.listener.proxy || scenario.connector.proxy
                      ? &world.add_server("proxy", {kProxyAddress})
                      : nullptr) {
  for (const NameSpec& name : scenario.names) world.names().add(name);
}

std::vector<std::string> Servers::addresses_of(const ServerAddress& server) const {
  if (!ipv6_) return {server.ipv4};
  return {server.ipv4, server.ipv6};
}

std::vector<std::string> Servers::mailbox_addresses() const {
  auto all = addresses_of(kMailboxAddress);
  const bool moves =
      std::ranges::count(scenario_.happenings, What::kMailboxMoves, &Happening::what) > 0;
  if (moves) all.emplace_back(kMovedMailboxAddress);
  return all;
}

Servers::~Servers() {
  kill_mailbox();
  stun_host_.run([this] { stun_.clear(); });
  kill_turn();
  if (proxy_host_ != nullptr) proxy_host_->run([this] { proxy_.reset(); });
}

void Servers::start() {
  start_mailbox();
  stun_host_.run([this] {
    for (const auto& address : addresses_of(kStunAddress)) {
      stun_.push_back(
          std::make_unique<StunServer>(stun_host_.context(), address, adapters::kDefaultStunPort));
    }
  });
  if (proxy_host_ != nullptr) {
    proxy_host_->run([this] {
      proxy_ = std::make_unique<HttpProxy>(
          proxy_host_->context(), kProxyAddress, kProxyPort,
          HttpProxy::Manner{scenario_.proxy.status, scenario_.proxy.credentials});
    });
  }
  if (scenario_.relay) start_turn();
}

void Servers::kill_turn(bool resets) {
  turn_host_.run([this, resets] {
    for (const auto& server : turn_) {
      if (resets) server->reset_at_end();
    }
    turn_.clear();
  });
}

void Servers::start_turn() {
  if (closed_) return;
  turn_host_.run([this] {
    try {
      for (const auto& address : addresses_of(kTurnAddress)) {
        turn_.push_back(std::make_unique<TurnServer>(
            turn_host_.context(), address, adapters::kDefaultStunPort, kTurnAddress.ipv4,
            TurnServer::Account{kTurnUser, kTurnPassword}));
      }
    } catch (const std::system_error&) {
      // After a restart, until the old connections have gone.
      turn_.clear();
      post(kNextTry, [this] { start_turn(); });
    }
  });
}

void Servers::kill_mailbox() {
  mailbox_host_.run([this] { mailbox_.reset(); });
}

void Servers::start_mailbox() {
  if (closed_) return;
  mailbox_host_.run([this] {
    adapters::MailboxServerConfig config;
    config.listen = {TcpEndpoint{mailbox_address_, kMailboxPort}};
    if (ipv6_) config.listen.push_back(TcpEndpoint{kMailboxAddress.ipv6, kMailboxPort});
    auto made = adapters::MailboxServer::create(mailbox_host_.context(), config, rng_);
    // After a restart, until the old connections have gone.
    if (!made) return post(kNextTry, [this] { start_mailbox(); });
    mailbox_ = std::move(*made);
  });
}

void Servers::move_mailbox() {
  kill_mailbox();
  mailbox_address_ = kMovedMailboxAddress;
  world_.names().point(kMailboxName, {mailbox_address_});
}

std::string Servers::known_as(const char* name, const ServerAddress& server, bool ipv6) const {
  if (std::ranges::count(scenario_.names, name, &NameSpec::name) > 0) return name;
  return ipv6 ? server.ipv6 : server.ipv4;
}

adapters::GlibHostConfig Servers::config(wire::Mode mode) const {
  adapters::GlibHostConfig config;
  config.peer.mode = mode;
  const SiteSpec& site = mode == wire::Mode::kListen ? scenario_.listener : scenario_.connector;
  const std::string mailbox = known_as(kMailboxName, kMailboxAddress, !site.ipv4);
  config.peer.rendezvous_servers = {
      fmt::format("ws://{}/v1", adapters::authority_text(mailbox, kMailboxPort))};
  config.peer.software = "peersock-sim";
  config.peer.once = true;
  config.peer.peer_timeout = kPeerTimeout;
  config.ice.stun = adapters::StunServer{known_as(kStunName, kStunAddress, !site.ipv4),
                                         adapters::kDefaultStunPort};
  if (scenario_.relay) {
    const std::string turn = known_as(kTurnName, kTurnAddress, !site.ipv4);
    config.ice.turn.push_back(turn_server(turn, adapters::TurnTransport::kUdp, false));
    if (scenario_.relay_tcp) {
      config.ice.turn.push_back(turn_server(turn, adapters::TurnTransport::kTcp, true));
    }
    config.peer.ice.has_relay = true;
  }
  if (site.proxy) config.ice.proxies = proxy_rules(scenario_.proxy.told);
  config.engine = scenario_.engine;
  config.ice.path = scenario_.path;
  return config;
}

}  // namespace peersock::sim
