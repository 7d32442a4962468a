#include "app/ice_config.hpp"

#include <utility>

namespace peersock::app {
namespace {

TurnTransports ways_to_turn(const Settings& settings) {
  if (!settings.turn_transports.empty()) return settings.turn_transports;
  TurnTransports ways{TurnTransport::kUdp, TurnTransport::kTcp};
  if (is_tls_port(settings.turn_port)) ways.push_back(TurnTransport::kTls);
  return ways;
}

}  // namespace

adapters::IceAgentConfig ice_config(ice::RelayPolicy relay, Settings& settings) {
  adapters::IceAgentConfig config;
  config.relay = relay;
  config.path = settings.path;
  config.proxies = settings.proxies;
  if (!settings.stun_host.empty()) config.stun = {settings.stun_host, settings.stun_port};
  if (!settings.turn_host.empty() && relay != ice::RelayPolicy::kNever) {
    const Secret password = std::move(settings.turn_password);
    for (const TurnTransport transport : ways_to_turn(settings)) {
      adapters::TurnServer turn;
      turn.host = settings.turn_host;
      turn.port = settings.turn_port;
      turn.username = settings.turn_user;
      turn.password = password.clone();
      turn.transport = transport;
      turn.later = !config.turn.empty();
      config.turn.push_back(std::move(turn));
    }
  }
  return config;
}

}  // namespace peersock::app
