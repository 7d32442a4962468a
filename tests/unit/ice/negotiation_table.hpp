// Every situation of the ICE negotiation x every input, as it behaves.
#pragma once

#include "support/machine_table.hpp"

namespace peersock::testing {

[[nodiscard]] Table negotiation_table();

}  // namespace peersock::testing
