// A random source that gives the same numbers for the same seed. Tests only.
#pragma once

#include <cstdint>

#include "core/rng.hpp"

namespace peersock::testing {

class SeededRng final : public Rng {
 public:
  explicit SeededRng(std::uint64_t seed) : state_(seed) {}

  void fill(MutableBytes out) override {
    for (std::uint8_t& octet : out) octet = static_cast<std::uint8_t>(next() >> 56);
  }

 private:
  // SplitMix64 (Steele, Lea, Flood 2014).
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  std::uint64_t state_;
};

}  // namespace peersock::testing
