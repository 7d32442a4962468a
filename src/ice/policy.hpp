// Which addresses and paths may be used. Pure; the adapter lists the interfaces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "wire/ice_message.hpp"

namespace peersock::ice {

using Generation = wire::IceGeneration;

/// Whether paths through a TURN server are used beside direct ones, alone, or not at all.
enum class RelayPolicy : std::uint8_t { kAuto, kOnly, kNever };

[[nodiscard]] constexpr bool is_allowed(RelayPolicy policy, bool relayed) {
  return policy == RelayPolicy::kAuto || (policy == RelayPolicy::kOnly) == relayed;
}

/// Of a numeric address.
[[nodiscard]] bool is_ipv6(std::string_view address);

/// "192.0.2.1:4000" or "[2001:db8::1]:4000", the form of the addresses in PathInfo.
[[nodiscard]] std::string endpoint_text(std::string_view address, std::uint16_t port);

/// 169.254.0.0/16 (RFC 3927) or fe80::/10 (RFC 4291 section 2.5.6), in numeric form.
[[nodiscard]] bool is_link_local(std::string_view address);

/// Of a numeric address: one that may be reached from anywhere, so none of RFC 1918, RFC 6598,
/// RFC 4193, link-local or loopback.
[[nodiscard]] bool is_public(std::string_view address);

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

/// Of the addresses to listen at for TCP (RFC 6544), and of those of the peer's to connect to.
inline constexpr std::size_t kMaxTcpAddresses = 4;

/// Those of `chosen` (choose_local_interfaces') at which a peer may be let in over TCP: public
/// ones, because a NAT lets nobody in, and on one network nothing blocks UDP. With `anywhere` all
/// of them.
[[nodiscard]] std::vector<LocalInterface> choose_tcp_interfaces(
    const std::vector<LocalInterface>& chosen, bool anywhere);

/// Of the passive host candidate at the address of this number, from 0 (RFC 6544 section 4.2):
/// below host and server reflexive ones over UDP, above relayed ones.
[[nodiscard]] std::uint32_t tcp_priority(std::size_t index);

/// Whether a connection may be opened to what the peer offers: a passive direct candidate, and a
/// public one, so that no peer has this side knock at doors inside its own network. With `anywhere`
/// private ones as well.
[[nodiscard]] bool may_connect_to(const wire::Candidate& candidate, bool anywhere);

/// The same as choose_local_interfaces, addresses only.
[[nodiscard]] std::vector<std::string> choose_local_addresses(
    const std::vector<LocalInterface>& interfaces);

}  // namespace peersock::ice
