// What travels beside the octets in sendmsg() and recvmsg(): cmsg(3).
#pragma once

#include <cstdint>
#include <optional>

#include <sys/socket.h>

#include "stack/socket_name.hpp"

namespace peersock::sim {

/// What a sender says of one message. What it leaves out, the socket's options say.
struct SendControl {
  std::uint16_t segment = 0;  ///< UDP_SEGMENT; 0: as the socket's option
  std::optional<std::uint8_t> traffic_class;
  std::optional<std::uint8_t> hop_limit;
};

/// What a receiver has asked to be told.
struct ReceiveControl {
  std::optional<int> segment;  ///< UDP_GRO
  std::optional<int> hop_limit;
  std::optional<int> traffic_class;
};

/// Of a UDP socket. Nothing: Linux refuses it (EINVAL).
[[nodiscard]] std::optional<SendControl> read_control(const msghdr& message, Family family);

/// In Linux's order; sets msg_controllen, and MSG_CTRUNC where there is no room.
void write_control(const ReceiveControl& control, Family family, msghdr& message);

}  // namespace peersock::sim
