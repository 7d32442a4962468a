// What is allocated in this process, to the octet. malloc and its kin are defined in
// allocations.cpp and forward to glibc's; GLib's own store of small blocks is off.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>

namespace peersock::sim {

/// Octets that all threads have allocated and not freed, as `malloc_usable_size` has them.
[[nodiscard]] std::int64_t allocated_octets();

/// From now on it is remembered where each block was allocated. That takes much time.
void remember_blocks();
[[nodiscard]] bool remembers_blocks();

/// A number that blocks of later have or exceed.
[[nodiscard]] std::uint64_t next_block();

/// Writes the callers of each block since `first` that is still allocated, equal ones together. An
/// object and offset are what `addr2line -e OBJECT OFFSET` takes.
void print_blocks(std::uint64_t first, std::uint64_t end, std::FILE* to);

}  // namespace peersock::sim
