#include "adapters/tcp_sockets.hpp"

#include <utility>

#include <fmt/format.h>
#include <netinet/in.h>

namespace peersock::adapters {
namespace {

/// How often a free port of one family is tried in the other, when the system may choose the port.
constexpr int kPortAttempts = 16;
/// Connections that wait to be accepted; the system has its own bound below this.
constexpr int kListenBacklog = 1024;

std::string authority(GInetSocketAddress* address) {
  const GCharPtr host(g_inet_address_to_string(g_inet_socket_address_get_address(address)));
  const auto port = g_inet_socket_address_get_port(address);
  const bool ipv6 = g_socket_address_get_family(G_SOCKET_ADDRESS(address)) == G_SOCKET_FAMILY_IPV6;
  return ipv6 ? fmt::format("[{}]:{}", host.get(), port) : fmt::format("{}:{}", host.get(), port);
}

/// What a failed attempt says, and whether the machine merely lacks the address family.
struct Refusal {
  std::string message;
  bool family_missing = false;
  bool in_use = false;
};

Refusal refusal(const GError& error, GInetSocketAddress* address) {
  const std::string where = authority(address);
  if (g_error_matches(&error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE)) {
    return {
        fmt::format("{} is in use by another program: stop that, or listen on another port", where),
        false, true};
  }
  if (g_error_matches(&error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED)) {
    return {fmt::format("no permission to listen on {}: choose a port from 1024 on", where)};
  }
  const bool missing = g_error_matches(&error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED) ||
                       g_error_matches(&error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT) ||
                       g_error_matches(&error, G_IO_ERROR, G_IO_ERROR_FAILED);
  return {fmt::format("cannot listen on {} ({}): choose an address of this machine", where,
                      error.message),
          missing};
}

using Attempt = tl::expected<GObjectPtr<GSocket>, Refusal>;

Attempt listen_at(const std::string& host, std::uint16_t port) {
  const GObjectPtr<GSocketAddress> address(
      g_inet_socket_address_new_from_string(host.c_str(), port));
  if (!address) {
    return tl::unexpected(
        Refusal{fmt::format("{} is not a numeric address: give one of this machine, or *", host)});
  }
  auto* inet = G_INET_SOCKET_ADDRESS(address.get());
  GError* raw = nullptr;
  GObjectPtr<GSocket> socket(g_socket_new(g_socket_address_get_family(address.get()),
                                          G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, &raw));
  if (socket) {
    g_socket_set_blocking(socket.get(), FALSE);
    g_socket_set_listen_backlog(socket.get(), kListenBacklog);
    // Each family has a socket of its own, so that one does not take the other's port.
    if (g_socket_get_family(socket.get()) == G_SOCKET_FAMILY_IPV6) {
      g_socket_set_option(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1, nullptr);
    }
    if (g_socket_bind(socket.get(), address.get(), TRUE, &raw) &&
        g_socket_listen(socket.get(), &raw)) {
      return socket;
    }
  }
  const ErrorPtr error(raw);
  return tl::unexpected(refusal(*error, inet));
}

std::uint16_t port_of(GSocket* socket) {
  const GObjectPtr<GSocketAddress> address(g_socket_get_local_address(socket, nullptr));
  return address ? g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(address.get())) : 0;
}

Result<std::vector<GObjectPtr<GSocket>>> listen_in_both(const char* ipv4, const char* ipv6,
                                                        std::uint16_t port) {
  Refusal last;
  for (int attempt = 0; attempt < kPortAttempts; ++attempt) {
    std::vector<GObjectPtr<GSocket>> sockets;
    auto first = listen_at(ipv4, port);
    if (!first && !first.error().family_missing) {
      return fail(ErrorKind::kLocalEndpoint, first.error().message);
    }
    const std::uint16_t chosen = first ? port_of(first->get()) : port;
    if (first) sockets.push_back(std::move(*first));
    auto second = listen_at(ipv6, chosen);
    if (second) sockets.push_back(std::move(*second));
    if (second || (second.error().family_missing && !sockets.empty())) return sockets;
    last = second.error();
    if (port != 0 || !last.in_use) break;
  }
  return fail(ErrorKind::kLocalEndpoint, last.message);
}

}  // namespace

Result<std::vector<GObjectPtr<GSocket>>> listen_tcp(const TcpEndpoint& endpoint) {
  if (endpoint.host.empty()) return listen_in_both("127.0.0.1", "::1", endpoint.port);
  if (endpoint.host == "*") return listen_in_both("0.0.0.0", "::", endpoint.port);
  auto socket = listen_at(endpoint.host, endpoint.port);
  if (!socket) return fail(ErrorKind::kLocalEndpoint, socket.error().message);
  std::vector<GObjectPtr<GSocket>> sockets;
  sockets.push_back(std::move(*socket));
  return sockets;
}

std::string local_authority(GSocket* socket) {
  const GObjectPtr<GSocketAddress> address(g_socket_get_local_address(socket, nullptr));
  return address ? authority(G_INET_SOCKET_ADDRESS(address.get())) : std::string();
}

}  // namespace peersock::adapters
