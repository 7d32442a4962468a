// Every situation of the ICE restarts x every input, as they behave.
#pragma once

#include "support/machine_table.hpp"

namespace peersock::testing {

[[nodiscard]] Table restarts_table();

}  // namespace peersock::testing
