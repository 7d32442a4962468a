// What a router says of a packet that is too long for the line behind it. No I/O.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace peersock::testbed {

// Where the answers come from.
struct Router {
  std::array<std::uint8_t, 4> ipv4{};
  std::array<std::uint8_t, 16> ipv6{};
  friend bool operator==(const Router&, const Router&) = default;
};

// The frame that goes back to who has sent `frame`: "fragmentation needed" of RFC 1191 section 4,
// or "packet too big" of RFC 4443 section 3.2; both tell the line's MTU, in octets of the IP
// packet.
//
// Nothing where a router keeps quiet: about an ICMP error, a fragment but the first, a packet for
// many receivers, and one that may be cut into pieces, which this line does not do but lets vanish.
[[nodiscard]] std::optional<std::vector<std::uint8_t>> too_big_answer(
    std::span<const std::uint8_t> frame, std::uint16_t mtu, const Router& router);

}  // namespace peersock::testbed
