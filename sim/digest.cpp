#include "digest.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace peersock::sim {

namespace {

/// Side by side, so that no word waits for the one before it.
constexpr std::size_t kLanes = 4;
constexpr std::size_t kBlock = kLanes * sizeof(std::uint64_t);

// The finalizer of SplitMix64, word by word.
std::uint64_t mixed(std::uint64_t state, std::uint64_t word) {
  state = (std::rotl(state, 23) ^ word) * 0xbf58476d1ce4e5b9U;
  return state ^ state >> 31;
}

}  // namespace

void Digest::mix(std::uint64_t word) {
  state_ = mixed(state_, word);
}

std::span<const std::uint8_t> Digest::mix_blocks(std::span<const std::uint8_t> octets) {
  if (octets.size() < kBlock) return octets;
  std::array<std::uint64_t, kLanes> lanes{1, 2, 3, 4};
  for (; octets.size() >= kBlock; octets = octets.subspan(kBlock)) {
    std::array<std::uint64_t, kLanes> words;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    std::memcpy(words.data(), octets.data(), kBlock);
    for (std::size_t i = 0; i < kLanes; ++i) lanes.at(i) = mixed(lanes.at(i), words.at(i));
  }
  for (const std::uint64_t lane : lanes) mix(lane);
  return octets;
}

void Digest::add(std::string_view what, std::uint64_t who, Nanos when,
                 std::span<const std::uint8_t> octets) {
  mix(what.empty() ? 0 : static_cast<std::uint64_t>(what.front()) << 32 | what.size());
  mix(who);
  mix(static_cast<std::uint64_t>(when.count()));
  mix(octets.size());
  for (auto rest = mix_blocks(octets); !rest.empty();) {
    std::uint64_t word = 0;
    const std::size_t size = std::min(sizeof word, rest.size());
    std::memcpy(&word, rest.data(), size);
    mix(word);
    rest = rest.subspan(size);
  }
}

}  // namespace peersock::sim
