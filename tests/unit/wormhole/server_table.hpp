// The rendezvous server as a table: every situation of a connection x every kind of input.
#pragma once

#include "support/machine_table.hpp"

namespace peersock::testing {

/// `outputs` are the frames that the connection hears, in short.
[[nodiscard]] Table server_table();

}  // namespace peersock::testing
