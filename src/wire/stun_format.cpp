#include "wire/stun_format.hpp"

namespace peersock::wire::stun {

Bytes start_message(std::uint16_t type, std::size_t length, const StunTransaction& transaction) {
  Bytes out;
  out.reserve(kHeaderSize + length);
  append_number(out, type);
  append_number(out, length);
  out.insert(out.end(), kMagicCookie.begin(), kMagicCookie.end());
  out.insert(out.end(), transaction.begin(), transaction.end());
  return out;
}

}  // namespace peersock::wire::stun
