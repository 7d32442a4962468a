// What every STUN message of ours is made of (RFC 8489 section 5). For the codecs of this folder.
#pragma once

#include <array>
#include <cstdint>

#include "core/bytes.hpp"
#include "wire/stun.hpp"

namespace peersock::wire::stun {

inline constexpr std::array<std::uint8_t, 4> kMagicCookie = {0x21, 0x12, 0xa4, 0x42};
inline constexpr std::size_t kHeaderSize = 20;
inline constexpr std::uint16_t kBindingRequest = 0x0001;
inline constexpr std::uint16_t kBindingSuccess = 0x0101;
inline constexpr std::uint16_t kXorMappedAddress = 0x0020;
inline constexpr std::uint8_t kFamilyIpv4 = 1;

/// Both octets must be there.
[[nodiscard]] inline std::uint16_t number_at(ByteView octets, std::size_t at) {
  return static_cast<std::uint16_t>(octets[at] << 8U | octets[at + 1]);
}

/// The lower 16 bits, in network order.
inline void append_number(Bytes& out, std::size_t number) {
  out.push_back(static_cast<std::uint8_t>((number >> 8U) & 0xffU));
  out.push_back(static_cast<std::uint8_t>(number & 0xffU));
}

/// `length` is that of all attributes, in octets. What follows is to be appended.
[[nodiscard]] Bytes start_message(std::uint16_t type, std::size_t length,
                                  const StunTransaction& transaction);

}  // namespace peersock::wire::stun
