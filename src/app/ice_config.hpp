// The settings as the ICE agent wants them.
#pragma once

#include "adapters/nice_agent.hpp"
#include "app/settings.hpp"
#include "ice/policy.hpp"

namespace peersock::app {

/// Ports on which a TURN server is likely to speak TLS (RFC 8656 section 5, and that of HTTPS).
[[nodiscard]] constexpr bool is_tls_port(std::uint16_t port) {
  return port == 443 || port == 5349;
}

/// STUN and TURN servers, as far as `relay` allows them. The TURN server comes once for each way to
/// it: the first of those that the user has named at once, the others later. If none is named: UDP
/// at once, TCP later, and TLS later too if is_tls_port(). Takes the TURN password out of
/// `settings`.
[[nodiscard]] adapters::IceAgentConfig ice_config(ice::RelayPolicy relay, Settings& settings);

}  // namespace peersock::app
