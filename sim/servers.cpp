#include "servers.hpp"

#include <utility>

#include <fmt/format.h>

namespace peersock::sim {
namespace {

constexpr const char* kMailboxAddress = "198.51.100.1";
constexpr const char* kStunAddress = "198.51.100.2";
constexpr const char* kTurnAddress = "198.51.100.3";
constexpr const char* kTurnUser = "simulated";
constexpr const char* kTurnPassword = "not a secret";
constexpr std::uint16_t kMailboxPort = 4000;
constexpr Duration kPeerTimeout = std::chrono::seconds(120);
constexpr Nanos kNextTry = std::chrono::milliseconds(250);

adapters::TurnServer turn_server(adapters::TurnTransport transport, bool later) {
  adapters::TurnServer turn;
  turn.host = kTurnAddress;
  turn.username = kTurnUser;
  turn.password = Secret(std::string_view(kTurnPassword));
  turn.transport = transport;
  turn.later = later;
  return turn;
}

}  // namespace

Servers::Servers(World& world, const Scenario& scenario)
    : scenario_(scenario),
      mailbox_host_(world.add_server("mailbox", {kMailboxAddress})),
      stun_host_(world.add_server("stun", {kStunAddress})),
      turn_host_(world.add_server("turn", {kTurnAddress})) {}

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
    config.listen = {TcpEndpoint{kMailboxAddress, kMailboxPort}};
    auto made = adapters::MailboxServer::create(mailbox_host_.context(), config, rng_);
    // After a restart, until the old connections have gone.
    if (!made) return post(kNextTry, [this] { start_mailbox(); });
    mailbox_ = std::move(*made);
  });
}

adapters::GlibHostConfig Servers::config(wire::Mode mode) const {
  adapters::GlibHostConfig config;
  config.peer.mode = mode;
  config.peer.rendezvous_servers = {fmt::format("ws://{}:{}/v1", kMailboxAddress, kMailboxPort)};
  config.peer.software = "peersock-sim";
  config.peer.once = true;
  config.peer.peer_timeout = kPeerTimeout;
  config.ice.stun = adapters::StunServer{kStunAddress, adapters::kDefaultStunPort};
  if (scenario_.relay) {
    config.ice.turn.push_back(turn_server(adapters::TurnTransport::kUdp, false));
    if (scenario_.relay_tcp) {
      config.ice.turn.push_back(turn_server(adapters::TurnTransport::kTcp, true));
    }
    config.peer.ice.has_relay = true;
  }
  config.engine = scenario_.engine;
  config.ice.path = scenario_.path;
  return config;
}

}  // namespace peersock::sim
