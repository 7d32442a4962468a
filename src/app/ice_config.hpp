// The settings as the ICE agent wants them.
#pragma once

#include "adapters/nice_agent.hpp"
#include "app/settings.hpp"
#include "ice/policy.hpp"

namespace peersock::app {

/// STUN and TURN servers, as far as `relay` allows them. Takes the TURN password out of `settings`.
[[nodiscard]] adapters::IceAgentConfig ice_config(ice::RelayPolicy relay, Settings& settings);

}  // namespace peersock::app
