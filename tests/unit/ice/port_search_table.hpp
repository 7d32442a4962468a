// Every situation of the search for a port x every input, as it behaves.
#pragma once

#include "support/machine_table.hpp"

namespace peersock::testing {

[[nodiscard]] Table port_search_table();

}  // namespace peersock::testing
