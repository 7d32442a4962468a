// The simulation is one thread. GLib has others, which must find the real C library.
#pragma once

namespace peersock::sim {

/// Whether this is the process's first thread, in which simulations run.
[[nodiscard]] bool in_simulation_thread();

}  // namespace peersock::sim
