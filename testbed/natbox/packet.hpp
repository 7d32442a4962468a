// IPv4 packets as a NAT sees them: read the endpoints, write others, keep the checksums right.
// Nothing is allocated, and nothing outside the given octets is read or written.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "nat_engine.hpp"

namespace peersock::testbed {

// Translates the packet in place as the engine says. Nothing: it is to be dropped, because the
// engine says so, or because it is not a whole, unfragmented TCP, UDP or ICMP packet of which a NAT
// knows what to do.
enum class Exit { Outside, Inside };
[[nodiscard]] std::optional<Exit> translate_outbound(std::span<std::uint8_t> packet,
                                                     NatEngine& engine, Time now);
[[nodiscard]] std::optional<Exit> translate_inbound(std::span<std::uint8_t> packet,
                                                    NatEngine& engine, Time now);

[[nodiscard]] std::uint32_t destination_address(std::span<const std::uint8_t> packet);
[[nodiscard]] std::uint32_t source_address(std::span<const std::uint8_t> packet);

// One's complement sum (RFC 1071) of octets; 0 over a header with a right checksum.
[[nodiscard]] std::uint16_t internet_checksum(std::span<const std::uint8_t> octets);

}  // namespace peersock::testbed
