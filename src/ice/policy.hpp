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

  friend bool operator==(const LocalInterface&, const LocalInterface&) = default;
};

/// Every address costs a socket, candidates and checks.
inline constexpr std::size_t kMaxLocalAddresses = 16;
/// Of one family on one interface: IPv6 privacy extensions can leave dozens behind.
inline constexpr std::size_t kMaxAddressesOfOneKind = 4;

/// The interfaces' addresses to gather host candidates from, best first: ordinary interfaces, then
/// VPNs; without any of them container bridges and link-local addresses; without any, loopback.
/// No duplicates; at most kMaxLocalAddresses.
[[nodiscard]] std::vector<LocalInterface> choose_local_interfaces(
    const std::vector<LocalInterface>& interfaces);

/// The same, addresses only.
[[nodiscard]] std::vector<std::string> choose_local_addresses(
    const std::vector<LocalInterface>& interfaces);

}  // namespace peersock::ice
