#include "programs/sockets.hpp"

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include <sys/socket.h>

namespace peersock::sim {
namespace {

sockaddr_storage storage_of(const SocketName& name, socklen_t& size) {
  sockaddr_storage storage{};
  size = sizeof storage;
  to_sockaddr(name, reinterpret_cast<sockaddr*>(&storage), &size);
  return storage;
}

SocketName name_of(const std::string& address, std::uint16_t port) {
  const auto name = socket_name(address, port);
  if (!name) throw std::invalid_argument(address + " is not a numeric address");
  return *name;
}

adapters::UniqueFd open_socket(int type, const SocketName& name) {
  const int domain = name.family == Family::kIpv4 ? AF_INET : AF_INET6;
  return adapters::UniqueFd(socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

[[noreturn]] void refuse(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

adapters::UniqueFd bound_socket(int type, const std::string& address, std::uint16_t port) {
  const SocketName name = name_of(address, port);
  auto fd = open_socket(type, name);
  socklen_t size = 0;
  const auto storage = storage_of(name, size);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&storage), size) != 0) {
    refuse("bind " + address);
  }
  if (type == SOCK_STREAM && listen(fd.get(), SOMAXCONN) != 0) refuse("listen " + address);
  return fd;
}

adapters::UniqueFd connecting_socket(const std::string& address, std::uint16_t port) {
  const SocketName name = name_of(address, port);
  auto fd = open_socket(SOCK_STREAM, name);
  socklen_t size = 0;
  const auto storage = storage_of(name, size);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&storage), size) != 0 &&
      errno != EINPROGRESS) {
    refuse("connect " + address);
  }
  return fd;
}

adapters::UniqueFd connected_datagrams(const std::string& address, const SocketName& peer) {
  auto fd = bound_socket(SOCK_DGRAM, address, 0);
  socklen_t size = 0;
  const auto storage = storage_of(peer, size);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&storage), size) != 0) {
    refuse("connect a datagram socket of " + address);
  }
  return fd;
}

SocketName local_name(int fd) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  (void)getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size);
  return from_sockaddr(reinterpret_cast<const sockaddr*>(&name), size).value_or(SocketName{});
}

std::optional<Datagram> receive_datagram(int fd) {
  std::array<std::uint8_t, 2048> octets{};
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  const ssize_t got = recvfrom(fd, octets.data(), octets.size(), MSG_DONTWAIT,
                               reinterpret_cast<sockaddr*>(&from), &size);
  const auto name = from_sockaddr(reinterpret_cast<const sockaddr*>(&from), size);
  if (got < 0 || !name) return std::nullopt;
  return Datagram{*name, {octets.begin(), octets.begin() + got}};
}

void send_datagram(int fd, std::span<const std::uint8_t> octets, const SocketName& to) {
  socklen_t size = 0;
  const auto storage = storage_of(to, size);
  // One that cannot be sent is lost, as any datagram may be.
  (void)sendto(fd, octets.data(), octets.size(), 0, reinterpret_cast<const sockaddr*>(&storage),
               size);
}

}  // namespace peersock::sim
