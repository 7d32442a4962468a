#include "app/ice_config.hpp"

#include <utility>

namespace peersock::app {

adapters::IceAgentConfig ice_config(ice::RelayPolicy relay, Settings& settings) {
  adapters::IceAgentConfig config;
  config.relay = relay;
  config.path = settings.path;
  if (!settings.stun_host.empty()) config.stun = {settings.stun_host, settings.stun_port};
  if (!settings.turn_host.empty() && relay != ice::RelayPolicy::kNever) {
    adapters::TurnServer turn;
    turn.host = settings.turn_host;
    turn.port = settings.turn_port;
    turn.username = settings.turn_user;
    turn.password = std::move(settings.turn_password);
    turn.transport = settings.turn_transport == TurnTransport::kTcp ? adapters::TurnTransport::kTcp
                                                                    : adapters::TurnTransport::kUdp;
    config.turn.push_back(std::move(turn));
  }
  return config;
}

}  // namespace peersock::app
