#include "core/rng.hpp"

#include <array>
#include <cstring>

namespace peersock {

std::uint64_t random_u64(Rng& rng) {
  std::array<std::uint8_t, 8> raw{};
  rng.fill(raw);
  std::uint64_t value = 0;
  std::memcpy(&value, raw.data(), raw.size());
  return value;
}

std::uint32_t random_below(Rng& rng, std::uint32_t bound) {
  // Reject the incomplete last run of multiples so that every value is equally likely.
  const std::uint64_t limit = (std::uint64_t{1} << 32) / bound * bound;
  for (;;) {
    const std::uint64_t candidate = random_u64(rng) >> 32;
    if (candidate < limit) return static_cast<std::uint32_t>(candidate % bound);
  }
}

Bytes random_bytes(Rng& rng, std::size_t count) {
  Bytes out(count);
  rng.fill(out);
  return out;
}

}  // namespace peersock
