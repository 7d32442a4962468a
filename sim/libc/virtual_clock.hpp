// What the C library's clocks say: a fixed day and virtual time.
#pragma once

#include "stack/scheduler.hpp"

namespace peersock::sim {

/// Library constructors ask before main, when there is no ns-3 yet: until this is called, time
/// stands still.
void start_virtual_clock();

}  // namespace peersock::sim
