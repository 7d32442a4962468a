// Addresses of stream sockets as the system calls want them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <sys/socket.h>

#include "adapters/unique_fd.hpp"

namespace peersock::adapters {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  [[nodiscard]] int family() const { return storage.ss_family; }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

/// Nothing when `host` is not a numeric address (IPv6 possibly with %zone). Does not block.
[[nodiscard]] std::optional<SocketAddress> numeric_address(const std::string& host,
                                                           std::uint16_t port);
/// Nothing when the path is longer than a socket address may hold.
[[nodiscard]] std::optional<SocketAddress> unix_address(const std::string& path);

/// `192.0.2.1:80` or `[::1]:80`.
[[nodiscard]] std::string to_string(const SocketAddress& address);

/// The address that a socket is bound to.
[[nodiscard]] SocketAddress bound_address(int fd);
[[nodiscard]] std::uint16_t port_of(const SocketAddress& address);

/// A non-blocking stream socket; errno tells why there is none.
[[nodiscard]] UniqueFd open_socket(int family);

}  // namespace peersock::adapters
