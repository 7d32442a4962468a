// Random numbers that are the same in each run.
#pragma once

#include <cstdint>

namespace peersock::sim {

/// GLib's generator, which all hosts share, and OpenSSL's, which is put before the hosts' own.
/// Called at the beginning of each simulation.
void seed_libraries(std::uint32_t seed);

}  // namespace peersock::sim
