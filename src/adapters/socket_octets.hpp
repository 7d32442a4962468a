// How much a program has read from a TCP socket, as the kernel counts it.
#pragma once

#include <cstdint>
#include <optional>

namespace peersock::adapters {

/// Octets that were read from the connected TCP socket `fd` so far. Nothing where the system does
/// not tell (Linux before 4.2, sockets that are not TCP).
[[nodiscard]] std::optional<std::uint64_t> octets_read(int fd);

}  // namespace peersock::adapters
