// A number that stands for everything that a simulation's sockets have carried, and when.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "stack/scheduler.hpp"

namespace peersock::sim {

/// Not cryptographic: it tells two runs apart, not an attacker from a friend.
class Digest {
 public:
  void add(std::string_view what, std::uint64_t who, Nanos when,
           std::span<const std::uint8_t> octets);
  [[nodiscard]] std::uint64_t value() const { return state_; }

 private:
  void mix(std::uint64_t word);
  /// What is left is less than a block.
  [[nodiscard]] std::span<const std::uint8_t> mix_blocks(std::span<const std::uint8_t> octets);
  std::uint64_t state_ = 0x243f6a8885a308d3U;
};

}  // namespace peersock::sim
