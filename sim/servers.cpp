#include "servers.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace peersock::sim {
namespace {

constexpr const char* kTurnUser = "simulated";
constexpr const char* kTurnPassword = "not a secret";
constexpr std::uint16_t kMailboxPort = 4000;
constexpr Duration kPeerTimeout = std::chrono::seconds(120);
constexpr Nanos kNextTry = std::chrono::milliseconds(250);

adapters::TurnServer turn_server(std::string host, adapters::TurnTransport transport, bool later) {
  adapters::TurnServer turn;
  turn.host = std::move(host);
  turn.username = kTurnUser;
  turn.password = Secret(std::string_view(kTurnPassword));
  turn.transport = transport;
  turn.later = later;
  return turn;
}

std::vector<std::string> addresses(const Scenario& scenario, const char* ipv4, const char* ipv6) {
  if (scenario.servers_ipv6) return {ipv4, ipv6};
  return {ipv4};
}

std::vector<std::string> mailbox_addresses(const Scenario& scenario) {
  auto all = addresses(scenario, kMailboxAddress, kMailboxIpv6);
  const bool moves =
      std::ranges::count(scenario.happenings, What::kMailboxMoves, &Happening::what) > 0;
  if (moves) all.emplace_back(kMovedMailboxAddress);
  return all;
}

}  // namespace

Servers::Servers(World& world, const Scenario& scenario)
    : world_(world),
      scenario_(scenario),
      mailbox_host_(world.add_server("mailbox", mailbox_addresses(scenario))),
      stun_host_(world.add_server("stun", addresses(scenario, kStunAddress, kStunIpv6))),
      turn_host_(world.add_server("turn", addresses(scenario, kTurnAddress, kTurnIpv6))) {
  for (const NameSpec& name : scenario.names) world.names().add(name);
}

Servers::~Servers() {
  kill_mailbox();
  stun_host_.run([this] { stun_.reset(); });
  turn_host_.run([this] { turn_.reset(); });
}

void Servers::start() {
  start_mailbox();
  stun_host_.run([this] {
    stun_ = std::make_unique<StunServer>(stun_host_.context(), kStunAddress,
                                         adapters::kDefaultStunPort);
  });
  if (!scenario_.relay) return;
  turn_host_.run([this] {
    turn_ =
        std::make_unique<TurnServer>(turn_host_.context(), kTurnAddress, adapters::kDefaultStunPort,
                                     TurnServer::Account{kTurnUser, kTurnPassword});
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
    if (scenario_.servers_ipv6) config.listen.push_back(TcpEndpoint{kMailboxIpv6, kMailboxPort});
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

std::string Servers::known_as(const char* name, const char* address) const {
  return std::ranges::count(scenario_.names, name, &NameSpec::name) > 0 ? name : address;
}

adapters::GlibHostConfig Servers::config(wire::Mode mode) const {
  adapters::GlibHostConfig config;
  config.peer.mode = mode;
  config.peer.rendezvous_servers = {
      fmt::format("ws://{}:{}/v1", known_as(kMailboxName, kMailboxAddress), kMailboxPort)};
  config.peer.software = "peersock-sim";
  config.peer.once = true;
  config.peer.peer_timeout = kPeerTimeout;
  config.ice.stun =
      adapters::StunServer{known_as(kStunName, kStunAddress), adapters::kDefaultStunPort};
  if (scenario_.relay) {
    const std::string turn = known_as(kTurnName, kTurnAddress);
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
