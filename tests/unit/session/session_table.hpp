#pragma once

#include "support/machine_table.hpp"

namespace peersock::testing {

/// The session machine: all states x all inputs.
[[nodiscard]] Table session_table();

}  // namespace peersock::testing
