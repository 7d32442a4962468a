// An address and a port, apart from both the C library's and ns-3's forms.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include <sys/socket.h>

namespace peersock::sim {

enum class Family : std::uint8_t { kIpv4, kIpv6 };

struct SocketName {
  Family family = Family::kIpv4;
  std::array<std::uint8_t, 16> address{};  ///< IPv4 in the first four octets
  std::uint16_t port = 0;                  ///< in host order

  friend bool operator==(const SocketName&, const SocketName&) = default;
};

/// Of a numeric address.
[[nodiscard]] std::optional<SocketName> socket_name(const std::string& address, std::uint16_t port);
[[nodiscard]] SocketName any_name(Family family);
/// 127.0.0.0/8 or ::1.
[[nodiscard]] bool is_loopback(const SocketName& name);

[[nodiscard]] std::optional<SocketName> from_sockaddr(const sockaddr* address, socklen_t size);
/// As the system calls do it: cut to `size`, which then says the whole length.
void to_sockaddr(const SocketName& name, sockaddr* address, socklen_t* size);

}  // namespace peersock::sim
