// The kernel's filter between libnice's socket and ours.
#pragma once

#include <vector>

#include <linux/filter.h>

#include "adapters/socket_address.hpp"

namespace peersock::adapters {

/// Indices of the sockets in their group: in the order in which they were bound.
inline constexpr unsigned kNiceSocket = 0;
inline constexpr unsigned kOwnSocket = 1;

/// A program for SO_ATTACH_REUSEPORT_CBPF, which sees the payload of a UDP datagram, and its
/// headers at SKF_NET_OFF: kOwnSocket for what may be QUIC and comes from `remote`, else
/// kNiceSocket.
[[nodiscard]] std::vector<sock_filter> split_filter(const SocketAddress& remote);

}  // namespace peersock::adapters
