// Random numbers are injected. Production uses the operating system's generator
// (adapters/entropy), tests and the simulation a seeded one; no option reaches a seed.
#pragma once

#include <cstdint>

#include "core/bytes.hpp"

namespace peersock {

class Rng {
 public:
  Rng() = default;
  Rng(const Rng&) = delete;
  Rng& operator=(const Rng&) = delete;
  Rng(Rng&&) = delete;
  Rng& operator=(Rng&&) = delete;
  virtual ~Rng() = default;

  /// Fills all of `out`. Never fails: an implementation that cannot deliver ends the process.
  virtual void fill(MutableBytes out) = 0;
};

/// Uniform in [0, bound), without modulo bias. `bound` is at least 1.
[[nodiscard]] std::uint32_t random_below(Rng& rng, std::uint32_t bound);
[[nodiscard]] std::uint64_t random_u64(Rng& rng);
[[nodiscard]] Bytes random_bytes(Rng& rng, std::size_t count);

}  // namespace peersock
