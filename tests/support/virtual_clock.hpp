// Virtual time for a whole process: the test executable defines gettimeofday, which is all that
// OpenSSL's QUIC asks for the time. Link virtual_clock.cpp into executables that use this.
#pragma once

#include "core/time.hpp"

namespace peersock::testing {

class VirtualClock {
 public:
  [[nodiscard]] static Instant now();
  /// Never goes backwards.
  static void advance_to(Instant instant);
  static void advance(Duration by) { advance_to(now() + by); }
};

}  // namespace peersock::testing
