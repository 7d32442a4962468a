// Every situation of the search for a NAT's behaviour x every input, as it behaves.
#pragma once

#include "support/machine_table.hpp"

namespace peersock::testing {

[[nodiscard]] Table nat_probe_table();

}  // namespace peersock::testing
