// How libnice is set up: what of ICE it does, and in what time.
#pragma once

#include <nice/agent.h>

#include "adapters/glib_ptr.hpp"
#include "adapters/nice_agent.hpp"

namespace peersock::adapters {

/// An agent without a stream, on `context`.
[[nodiscard]] GObjectPtr<::NiceAgent> make_nice_agent(const IceAgentConfig& config,
                                                      GMainContext* context);

}  // namespace peersock::adapters
