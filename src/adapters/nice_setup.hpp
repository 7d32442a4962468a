// How libnice is set up: what of ICE it does, in what time, and what its states mean here.
#pragma once

#include <nice/agent.h>

#include "adapters/glib_ptr.hpp"
#include "adapters/nice_agent.hpp"

namespace peersock::adapters {

/// Ta, in milliseconds. A check leaves one Ta after the credentials are known, so it is most of
/// the time to connect on a LAN. RFC 8445 section 14.2 allows no less than 5.
inline constexpr guint kNicePacing = 5;

/// An agent without a stream, on `context`.
[[nodiscard]] GObjectPtr<::NiceAgent> make_nice_agent(const IceAgentConfig& config,
                                                      GMainContext* context);

/// READY only says that no better pair is being tried any more.
[[nodiscard]] inline bool carries_data(::NiceComponentState state) {
  return state == NICE_COMPONENT_STATE_CONNECTED || state == NICE_COMPONENT_STATE_READY;
}

}  // namespace peersock::adapters
