// The options of a UDP socket that are numbers: udp(7), ip(7), ipv6(7), socket(7).
#pragma once

#include <cstdint>
#include <optional>

#include "stack/socket_name.hpp"
#include "stack/stack_udp.hpp"

namespace peersock::sim {

struct UdpOptions {
  int reuse_port = 0;
  int segment = 0;  ///< UDP_SEGMENT; 0: none
  int coalesces = 0;
  // Of IPv4; what is negative stands for the system's.
  int tos = 0;
  int ttl = -1;
  int mtu_discover;
  int receive_tos = 0;
  int receive_ttl = 0;
  // Of IPv6.
  int only_ipv6 = 0;
  int traffic_class = -1;
  int hop_limit = -1;
  int mtu_discover_ipv6;
  int receive_traffic_class = 0;
  int receive_hop_limit = 0;

  UdpOptions();

  /// What the system call answers, with a negative value of errno; nothing: another option.
  [[nodiscard]] std::optional<int> set(int level, int option, const void* value, std::size_t size);
  [[nodiscard]] std::optional<int> get(int level, int option) const;

  [[nodiscard]] IpMarks marks(Family family) const;
  /// Datagrams that do not fit the link are refused: IP_PMTUDISC_DO, IP_PMTUDISC_PROBE.
  [[nodiscard]] bool never_fragments(Family family) const;
};

}  // namespace peersock::sim
