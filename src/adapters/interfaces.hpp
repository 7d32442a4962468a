// The network interfaces of this machine.
#pragma once

#include <vector>

#include "ice/policy.hpp"

namespace peersock::adapters {

/// One entry for each IPv4 and IPv6 address, in the system's order. Empty when the system refuses
/// to say.
[[nodiscard]] std::vector<ice::LocalInterface> list_interfaces();

}  // namespace peersock::adapters
