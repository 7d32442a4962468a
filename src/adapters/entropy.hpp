// The operating system's random numbers, by libsodium.
#pragma once

#include "core/rng.hpp"

namespace peersock::adapters {

/// Ends the process when the system has no random source: nothing could go on safely without.
class SystemRng final : public Rng {
 public:
  SystemRng();
  void fill(MutableBytes out) override;
};

}  // namespace peersock::adapters
