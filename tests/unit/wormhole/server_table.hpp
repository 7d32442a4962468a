// The rendezvous server as a table: every situation of a connection x every kind of input.
#pragma once

#include "support/machine_table.hpp"

namespace peersock::testing {

/// States are how far the connection has come; `outputs` are the frames that it hears, in short.
[[nodiscard]] Table server_table();

}  // namespace peersock::testing
