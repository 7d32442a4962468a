#include "digest.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace peersock::sim {

// The finalizer of SplitMix64, word by word.
void Digest::mix(std::uint64_t word) {
  state_ = std::rotl(state_, 23) ^ word;
  state_ *= 0xbf58476d1ce4e5b9U;
  state_ ^= state_ >> 31;
}

void Digest::add(std::string_view what, std::uint64_t who, Nanos when,
                 std::span<const std::uint8_t> octets) {
  mix(what.empty() ? 0 : static_cast<std::uint64_t>(what.front()) << 32 | what.size());
  mix(who);
  mix(static_cast<std::uint64_t>(when.count()));
  mix(octets.size());
  for (std::size_t at = 0; at < octets.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, octets.data() + at, std::min(sizeof word, octets.size() - at));
    mix(word);
  }
}

}  // namespace peersock::sim
