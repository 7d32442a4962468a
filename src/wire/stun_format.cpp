#include "wire/stun_format.hpp"

#include <algorithm>

namespace peersock::wire::stun {

Bytes start_message(std::uint16_t type, std::size_t length, const StunTransaction& transaction) {
  const std::array<std::uint8_t, 4> first = {
      static_cast<std::uint8_t>(type >> 8U), static_cast<std::uint8_t>(type & 0xffU),
      static_cast<std::uint8_t>((length >> 8U) & 0xffU), static_cast<std::uint8_t>(length & 0xffU)};
  // Copied into place: of what grows g++ 12 and g++ 14 warn, each in its own way, without a cause.
  Bytes out;
  out.reserve(kHeaderSize + length);
  out.resize(kHeaderSize);
  auto end = std::copy(first.begin(), first.end(), out.begin());
  end = std::copy(kMagicCookie.begin(), kMagicCookie.end(), end);
  std::copy(transaction.begin(), transaction.end(), end);
  return out;
}

}  // namespace peersock::wire::stun
