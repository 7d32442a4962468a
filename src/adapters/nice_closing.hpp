// The end of an agent, which libnice makes a matter of order.
#pragma once

#include <nice/agent.h>

#include "adapters/glib_ptr.hpp"

namespace peersock::adapters {

/// Closes sockets, gives allocations on TURN servers back and frees the agent, all of it in later
/// turns of `context`. Nothing of ours may be connected to the agent any more. When the context is
/// not run again, the agent stays with it.
void close_nice_agent(GObjectPtr<::NiceAgent> agent, guint stream, GMainContext* context);

}  // namespace peersock::adapters
