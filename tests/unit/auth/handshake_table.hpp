// What the proof's machine does with every input in every state.
#pragma once

#include "support/machine_table.hpp"

namespace peersock::testing {

[[nodiscard]] Table handshake_table();

}  // namespace peersock::testing
