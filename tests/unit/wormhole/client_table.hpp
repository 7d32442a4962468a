// What the rendezvous client does with every input in every state; see support/machine_table.hpp.
#pragma once

#include "support/machine_table.hpp"

namespace peersock::testing {

[[nodiscard]] Table client_table();

}  // namespace peersock::testing
