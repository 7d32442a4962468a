// Between ns-3's forms of addresses and ours. Only for the ns_*.cpp files.
#pragma once

#include <ns3/address.h>
#include <ns3/socket.h>

#include "stack/socket_name.hpp"

namespace peersock::sim {

[[nodiscard]] ns3::Address to_ns(const SocketName& name);
[[nodiscard]] SocketName from_ns(const ns3::Address& address);
/// As a value of errno.
[[nodiscard]] int errno_of(ns3::Socket::SocketErrno error);

}  // namespace peersock::sim
