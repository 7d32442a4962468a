#include "servers.hpp"

#include <utility>

#include <fmt/format.h>

namespace peersock::sim {

struct ServerAddress {
  const char* ipv4;
  const char* ipv6;
};

namespace {

constexpr ServerAddress kMailbox{.ipv4 = "198.51.100.1", .ipv6 = "2001:db8:ffff:1::1"};
constexpr ServerAddress kStun{.ipv4 = "198.51.100.2", .ipv6 = "2001:db8:ffff:2::1"};
constexpr ServerAddress kTurn{.ipv4 = "198.51.100.3", .ipv6 = "2001:db8:ffff:3::1"};
constexpr const char* kTurnUser = "simulated";
constexpr const char* kTurnPassword = "not a secret";
constexpr std::uint16_t kMailboxPort = 4000;
constexpr Duration kPeerTimeout = std::chrono::seconds(120);
constexpr Nanos kNextTry = std::chrono::milliseconds(250);

/// Somebody who starts there can reach no IPv4 address.
bool is_without_ipv4(const SiteSpec& site) {
  return !site.ipv4;
}

adapters::TurnServer turn_server(const char* host, adapters::TurnTransport transport, bool later) {
  adapters::TurnServer turn;
  turn.host = host;
  turn.username = kTurnUser;
  turn.password = Secret(std::string_view(kTurnPassword));
  turn.transport = transport;
  turn.later = later;
  return turn;
}

}  // namespace

Servers::Servers(World& world, const Scenario& scenario)
    : scenario_(scenario),
      ipv6_(is_without_ipv4(scenario.listener) || is_without_ipv4(scenario.connector)),
      mailbox_host_(world.add_server("mailbox", addresses_of(kMailbox))),
      stun_host_(world.add_server("stun", addresses_of(kStun))),
      turn_host_(world.add_server("turn", addresses_of(kTurn))) {}

std::vector<std::string> Servers::addresses_of(const ServerAddress& server) const {
  if (!ipv6_) return {server.ipv4};
  return {server.ipv4, server.ipv6};
}

Servers::~Servers() {
  kill_mailbox();
  stun_host_.run([this] { stun_.clear(); });
  turn_host_.run([this] { turn_.clear(); });
}

void Servers::start() {
  start_mailbox();
  stun_host_.run([this] {
    for (const auto& address : addresses_of(kStun)) {
      stun_.push_back(
          std::make_unique<StunServer>(stun_host_.context(), address, adapters::kDefaultStunPort));
    }
  });
  if (!scenario_.relay) return;
  turn_host_.run([this] {
    for (const auto& address : addresses_of(kTurn)) {
      turn_.push_back(std::make_unique<TurnServer>(turn_host_.context(), address,
                                                   adapters::kDefaultStunPort, kTurn.ipv4,
                                                   TurnServer::Account{kTurnUser, kTurnPassword}));
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
    for (const auto& address : addresses_of(kMailbox)) {
      config.listen.push_back(TcpEndpoint{address, kMailboxPort});
    }
    auto made = adapters::MailboxServer::create(mailbox_host_.context(), config, rng_);
    // After a restart, until the old connections have gone.
    if (!made) return post(kNextTry, [this] { start_mailbox(); });
    mailbox_ = std::move(*made);
  });
}

adapters::GlibHostConfig Servers::config(wire::Mode mode) const {
  adapters::GlibHostConfig config;
  config.peer.mode = mode;
  const bool without_ipv4 =
      is_without_ipv4(mode == wire::Mode::kListen ? scenario_.listener : scenario_.connector);
  config.peer.rendezvous_servers = {
      without_ipv4 ? fmt::format("ws://[{}]:{}/v1", kMailbox.ipv6, kMailboxPort)
                   : fmt::format("ws://{}:{}/v1", kMailbox.ipv4, kMailboxPort)};
  config.peer.software = "peersock-sim";
  config.peer.once = true;
  config.peer.peer_timeout = kPeerTimeout;
  config.ice.stun =
      adapters::StunServer{without_ipv4 ? kStun.ipv6 : kStun.ipv4, adapters::kDefaultStunPort};
  if (scenario_.relay) {
    const char* turn = without_ipv4 ? kTurn.ipv6 : kTurn.ipv4;
    config.ice.turn.push_back(turn_server(turn, adapters::TurnTransport::kUdp, false));
    if (scenario_.relay_tcp) {
      config.ice.turn.push_back(turn_server(turn, adapters::TurnTransport::kTcp, true));
    }
    config.peer.ice.has_relay = true;
  }
  config.engine = scenario_.engine;
  return config;
}

}  // namespace peersock::sim
