#include "wire/stun_format.hpp"

namespace peersock::wire::stun {

Bytes start_message(std::uint16_t type, std::size_t length, const StunTransaction& transaction) {
  // At once: octet by octet g++ 14 sees a free() inside of what was reserved.
  const std::array<std::uint8_t, 4> first = {
      static_cast<std::uint8_t>(type >> 8U), static_cast<std::uint8_t>(type & 0xffU),
      static_cast<std::uint8_t>((length >> 8U) & 0xffU), static_cast<std::uint8_t>(length & 0xffU)};
  Bytes out;
  out.reserve(kHeaderSize + length);
  out.insert(out.end(), first.begin(), first.end());
  out.insert(out.end(), kMagicCookie.begin(), kMagicCookie.end());
  out.insert(out.end(), transaction.begin(), transaction.end());
  return out;
}

}  // namespace peersock::wire::stun
