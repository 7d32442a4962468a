// Which local addresses become candidates. Pure; the adapter lists the interfaces.
#pragma once

#include <string>
#include <vector>

namespace peersock::ice {

struct LocalInterface {
  std::string name;     ///< "eth0"
  std::string address;  ///< numeric, without scope
  bool up = false;
  bool loopback = false;
  bool point_to_point = false;  ///< tunnels, VPNs
};

/// The addresses to gather host candidates from, best first: ordinary interfaces; without them
/// VPNs; without them container bridges and IPv6 link-local; without any, loopback. At most 16.
[[nodiscard]] std::vector<std::string> choose_local_addresses(
    const std::vector<LocalInterface>& interfaces);

}  // namespace peersock::ice
