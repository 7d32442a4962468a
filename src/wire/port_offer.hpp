// What the two sides tell each other before they search for a port of an endpoint-dependent NAT
// (docs/spec/port-search.md). It travels in a frame of the control stream.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/bytes.hpp"
#include "wire/stun.hpp"

namespace peersock::wire {

/// Authenticates the checks that are sent to who made it, and his answers. It is good for nothing
/// else: what flows on the path is QUIC's.
using CheckKey = std::array<std::uint8_t, 32>;

/// On what the external port of a socket depends (RFC 4787 section 4.1), as far as it is known.
enum class PortMapping : std::uint8_t {
  kUnknown = 0,
  kEndpointIndependent = 1,
  kEndpointDependent = 2,
};

/// More likely ports in one offer are an error.
inline constexpr std::size_t kMaxOfferedPorts = 32;
inline constexpr std::size_t kMinOfferSize = 1 + sizeof(CheckKey) + 4 + 2;
inline constexpr std::size_t kMaxOfferSize = kMinOfferSize + 2 * kMaxOfferedPorts;

struct PortOffer {
  PortMapping mapping = PortMapping::kUnknown;
  CheckKey key{};
  StunAddress external;               ///< IPv4, of the socket that probes leave from; port not 0
  std::vector<std::uint16_t> likely;  ///< where the other sockets may appear, best first

  friend bool operator==(const PortOffer&, const PortOffer&) = default;
};

/// mapping u8 | key 32 octets | address 4 octets | port u16 | likely ports, u16 each. The address
/// is 0.0.0.0 when it is no IPv4 address.
[[nodiscard]] Bytes encode(const PortOffer& offer);
/// Nothing for another length or port 0. An unknown mapping is kUnknown.
[[nodiscard]] std::optional<PortOffer> parse_port_offer(ByteView body);

}  // namespace peersock::wire
