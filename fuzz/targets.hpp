// What is fuzzed. Each target feeds octets that a stranger could have sent to one entrance and
// checks what must hold whatever they were. libFuzzer runs them for as long as one likes
// (scripts/fuzz), the test `fuzz` runs a fixed number of seeded mutations of the seeds.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.hpp"

namespace peersock::fuzz {

struct Target {
  std::string_view name;
  /// Inputs that get far, to start from.
  std::vector<Bytes> (*seeds)();
  /// Empty, or which property did not hold.
  std::string (*run)(ByteView input);
};

/// The readers of src/wire.
[[nodiscard]] std::span<const Target> wire_targets();
/// Machines that strangers talk to: the input is a sequence of operations.
[[nodiscard]] std::span<const Target> machine_targets();
/// All of them.
[[nodiscard]] std::vector<Target> all_targets();

}  // namespace peersock::fuzz
