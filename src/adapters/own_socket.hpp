// Which socket of this very process is the other end of a connection on loopback.
#pragma once

#include <optional>

namespace peersock::adapters {

struct OwnSocket {
  bool can_tell = true;   ///< false: this system does not show a process its descriptors
  std::optional<int> fd;  ///< the other end; absent: it belongs to another process
};

/// `accepted` is a connected stream socket that a listener of ours gave. Looks through
/// /proc/self/fd, which costs some microseconds a descriptor.
[[nodiscard]] OwnSocket other_end_of(int accepted);

}  // namespace peersock::adapters
