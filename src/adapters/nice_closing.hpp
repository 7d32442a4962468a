// The end of an agent, which libnice makes a matter of order.
#pragma once

#include <memory>

#include <nice/agent.h>

#include "adapters/glib_ptr.hpp"

namespace peersock::adapters {

/// Closes sockets, gives allocations on TURN servers back and frees the agent, all of it in later
/// turns of `context`. Nothing of ours may be connected to the agent any more. When the context is
/// not run again, the agent stays with it. `way`, which carries the connection to a TURN server
/// under the selected pair, goes after it: libnice 0.1.21 ends the process ("assertion failed:
/// (priority > 0)") when such a connection ends and the peer still checks another pair.
void close_nice_agent(GObjectPtr<::NiceAgent> agent, guint stream, GMainContext* context,
                      std::shared_ptr<void> way);

}  // namespace peersock::adapters
