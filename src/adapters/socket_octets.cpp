#include "adapters/socket_octets.hpp"

// The C library's own tcp_info (netinet/tcp.h) ends before the counters.
#include <cstddef>

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace peersock::adapters {

std::optional<std::uint64_t> octets_read(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  constexpr auto kNeeded =
      offsetof(tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received;
  int waiting = 0;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 || size < kNeeded ||
      ioctl(fd, SIOCINQ, &waiting) != 0) {
    return std::nullopt;
  }
  const auto unread = static_cast<std::uint64_t>(waiting);
  return info.tcpi_bytes_received < unread ? 0 : info.tcpi_bytes_received - unread;
}

}  // namespace peersock::adapters
