#include "adapters/otr_message.hpp"

#include "auth/handshake.hpp"

namespace peersock::adapters {
namespace {

std::uint32_t read_u32(ByteView bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 |
         std::uint32_t{bytes[2]} << 8 | std::uint32_t{bytes[3]};
}

}  // namespace

std::vector<ByteView> numbers_of(ByteView message, std::uint32_t count) {
  if (message.size() < 4 || message.size() > auth::kMaxMessage) return {};
  if (read_u32(message) != count) return {};
  std::vector<ByteView> numbers;
  ByteView rest = message.subspan(4);
  while (numbers.size() < count) {
    if (rest.size() < 4) return {};
    const std::size_t size = read_u32(rest);
    rest = rest.subspan(4);
    if (size == 0 || size > kMaxSmpNumber || size > rest.size() || rest[0] == 0) return {};
    numbers.push_back(rest.first(size));
    rest = rest.subspan(size);
  }
  return rest.empty() ? numbers : std::vector<ByteView>();
}

}  // namespace peersock::adapters
