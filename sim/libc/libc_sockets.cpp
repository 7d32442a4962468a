// The socket calls. On a simulated host, sockets of the Internet families are simulated ones.
#include <algorithm>
#include <cerrno>
#include <vector>

#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "libc/real.hpp"
#include "libc/socket_descriptor.hpp"

namespace peersock::sim {
namespace {

SocketDescriptor* find_socket(int number) {
  Descriptor* descriptor = find_descriptor(number);
  return descriptor == nullptr ? nullptr : descriptor->as_socket();
}

/// Another host's programs are other processes. Who looks for the other end of a connection on
/// loopback among all descriptors must not find that of another host.
bool is_ours(const SocketDescriptor& socket) {
  const Host* host = Host::current();
  return host == nullptr || host == &socket.host();
}

std::optional<SocketName> name_of(const void* address, socklen_t size) {
  return from_sockaddr(static_cast<const sockaddr*>(address), size);
}

std::span<std::uint8_t> span_of(const iovec& part) {
  return {static_cast<std::uint8_t*>(part.iov_base), part.iov_len};
}

std::vector<std::uint8_t> gathered(const msghdr& message) {
  std::vector<std::uint8_t> whole;
  for (std::size_t i = 0; i < message.msg_iovlen; ++i) {
    const auto part = span_of(message.msg_iov[i]);
    whole.insert(whole.end(), part.begin(), part.end());
  }
  return whole;
}

ssize_t send_octets(SocketDescriptor& socket, const msghdr& message,
                    std::span<const std::uint8_t> octets) {
  const auto to = name_of(message.msg_name, message.msg_namelen);
  if (socket.type() != SOCK_DGRAM) return socket.send(octets, to);
  const auto control = read_control(message, socket.family());
  return control ? socket.send_with(octets, to, *control) : -EINVAL;
}

ssize_t send_parts(SocketDescriptor& socket, const msghdr& message) {
  if (message.msg_iovlen == 1) return send_octets(socket, message, span_of(message.msg_iov[0]));
  return send_octets(socket, message, gathered(message));
}

SocketDescriptor::Received receive_scattered(SocketDescriptor& socket, const msghdr& message,
                                             bool peek) {
  std::size_t room = 0;
  for (std::size_t i = 0; i < message.msg_iovlen; ++i) room += message.msg_iov[i].iov_len;
  std::vector<std::uint8_t> whole(room);
  const auto received = socket.receive(whole, peek);
  if (received.size < 0) return received;
  auto rest = std::span<const std::uint8_t>(whole).first(static_cast<std::size_t>(received.size));
  for (std::size_t i = 0; i < message.msg_iovlen && !rest.empty(); ++i) {
    const auto part = span_of(message.msg_iov[i]);
    const auto size = std::min(rest.size(), part.size());
    std::copy_n(rest.begin(), size, part.begin());
    rest = rest.subspan(size);
  }
  return received;
}

ssize_t receive_parts(SocketDescriptor& socket, msghdr& message, int flags) {
  const bool peek = (flags & MSG_PEEK) != 0;
  // libnice comes with one part of 64 KiB, for each datagram.
  const auto received = message.msg_iovlen == 1 ? socket.receive(span_of(message.msg_iov[0]), peek)
                                                : receive_scattered(socket, message, peek);
  if (received.size < 0) return received.size;
  message.msg_flags = received.cut ? MSG_TRUNC : 0;
  write_control(received.control, socket.family(), message);
  if (received.from && message.msg_name != nullptr) {
    to_sockaddr(*received.from, static_cast<sockaddr*>(message.msg_name), &message.msg_namelen);
  } else {
    message.msg_namelen = 0;
  }
  return received.size;
}

int socket_option(SocketDescriptor& socket, int level, int option) {
  if (const auto own = socket.get_option(level, option)) return *own;
  if (level == SOL_SOCKET) {
    switch (option) {
      case SO_TYPE:
        return socket.type();
      case SO_DOMAIN:
        return socket.family() == Family::kIpv4 ? AF_INET : AF_INET6;
      case SO_PROTOCOL:
        return socket.type() == SOCK_DGRAM ? IPPROTO_UDP : IPPROTO_TCP;
      case SO_ERROR:
        return socket.take_error();
      case SO_ACCEPTCONN:
        return socket.listening() ? 1 : 0;
      case SO_SNDBUF:
      case SO_RCVBUF:
        return 212992;
      case SO_KEEPALIVE:
      case SO_REUSEADDR:
      case SO_BROADCAST:
        return 0;
      default:
        return -ENOPROTOOPT;
    }
  }
  return level == IPPROTO_TCP || level == IPPROTO_IPV6 || level == IPPROTO_IP ? 0 : -ENOPROTOOPT;
}

/// Those that change nothing in a simulated network; others are refused, so that code which can do
/// without them does.
bool is_harmless(int level, int option) {
  switch (level) {
    case SOL_SOCKET:
      return option == SO_REUSEADDR || option == SO_KEEPALIVE || option == SO_BROADCAST ||
             option == SO_SNDBUF || option == SO_RCVBUF || option == SO_LINGER;
    case IPPROTO_TCP:
      return option == TCP_NODELAY || option == TCP_KEEPIDLE || option == TCP_KEEPINTVL ||
             option == TCP_KEEPCNT || option == TCP_USER_TIMEOUT;
    case IPPROTO_IP:
      return option == IP_TOS || option == IP_TTL;
    case IPPROTO_IPV6:
      return option == IPV6_V6ONLY || option == IPV6_TCLASS || option == IPV6_UNICAST_HOPS;
    default:
      return false;
  }
}

}  // namespace
}  // namespace peersock::sim

using namespace peersock::sim;

extern "C" {

int socket(int domain, int type, int protocol) noexcept {
  Host* host = Host::current();
  // News of the real machine's interfaces is none of a simulated host's.
  if (host != nullptr && domain == AF_NETLINK) {
    if (protocol != NETLINK_ROUTE) return conclude(-EPROTONOSUPPORT);
    return conclude(give_number(make_netlink_socket(*host), (type & SOCK_CLOEXEC) != 0));
  }
  if (host == nullptr || (domain != AF_INET && domain != AF_INET6)) {
    return PEERSOCK_REAL(socket)(domain, type, protocol);
  }
  const Family family = domain == AF_INET ? Family::kIpv4 : Family::kIpv6;
  if (!host->ip().has(family)) return conclude(-EAFNOSUPPORT);
  const int kind = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (kind != SOCK_DGRAM && kind != SOCK_STREAM) return conclude(-EPROTONOSUPPORT);
  return conclude(give_number(
      kind == SOCK_DGRAM ? make_udp_socket(*host, family) : make_tcp_socket(*host, family),
      (type & SOCK_CLOEXEC) != 0));
}

int bind(int number, const sockaddr* address, socklen_t size) noexcept {
  auto* socket = find_socket(number);
  if (socket == nullptr) return PEERSOCK_REAL(bind)(number, address, size);
  return conclude(socket->bind_address(address, size));
}

int connect(int number, const sockaddr* address, socklen_t size) {
  auto* socket = find_socket(number);
  if (socket == nullptr) return PEERSOCK_REAL(connect)(number, address, size);
  const auto name = from_sockaddr(address, size);
  return conclude(name ? socket->connect(*name) : -EAFNOSUPPORT);
}

int listen(int number, int backlog) noexcept {
  auto* socket = find_socket(number);
  if (socket == nullptr) return PEERSOCK_REAL(listen)(number, backlog);
  return conclude(socket->listen());
}

int accept4(int number, sockaddr* address, socklen_t* size, int flags) {
  auto* socket = find_socket(number);
  if (socket == nullptr) return PEERSOCK_REAL(accept4)(number, address, size, flags);
  auto accepted = socket->accept();
  if (!accepted) return conclude(-EAGAIN);
  if (const auto peer = accepted->peer()) to_sockaddr(*peer, address, size);
  return conclude(give_number(std::move(accepted), (flags & SOCK_CLOEXEC) != 0));
}

int accept(int number, sockaddr* address, socklen_t* size) {
  if (find_socket(number) == nullptr) return PEERSOCK_REAL(accept)(number, address, size);
  return accept4(number, address, size, 0);
}

int shutdown(int number, int how) noexcept {
  auto* socket = find_socket(number);
  if (socket == nullptr) return PEERSOCK_REAL(shutdown)(number, how);
  return conclude(socket->shut_down(how));
}

ssize_t sendmsg(int number, const msghdr* message, int flags) {
  auto* socket = find_socket(number);
  if (socket == nullptr) return PEERSOCK_REAL(sendmsg)(number, message, flags);
  return conclude(send_parts(*socket, *message));
}

ssize_t sendto(int number, const void* from, std::size_t size, int flags, const sockaddr* address,
               socklen_t address_size) {
  auto* socket = find_socket(number);
  if (socket == nullptr) {
    return PEERSOCK_REAL(sendto)(number, from, size, flags, address, address_size);
  }
  return conclude(socket->send({static_cast<const std::uint8_t*>(from), size},
                               from_sockaddr(address, address_size)));
}

ssize_t send(int number, const void* from, std::size_t size, int flags) {
  if (find_socket(number) == nullptr) return PEERSOCK_REAL(send)(number, from, size, flags);
  return sendto(number, from, size, flags, nullptr, 0);
}

int sendmmsg(int number, mmsghdr* messages, unsigned count, int flags) {
  auto* socket = find_socket(number);
  if (socket == nullptr) return PEERSOCK_REAL(sendmmsg)(number, messages, count, flags);
  for (unsigned i = 0; i < count; ++i) {
    const ssize_t sent = send_parts(*socket, messages[i].msg_hdr);
    if (sent < 0) return i > 0 ? static_cast<int>(i) : conclude(static_cast<int>(sent));
    messages[i].msg_len = static_cast<unsigned>(sent);
  }
  return static_cast<int>(count);
}

ssize_t recvmsg(int number, msghdr* message, int flags) {
  auto* socket = find_socket(number);
  if (socket == nullptr) return PEERSOCK_REAL(recvmsg)(number, message, flags);
  return conclude(receive_parts(*socket, *message, flags));
}

ssize_t recvfrom(int number, void* into, std::size_t size, int flags, sockaddr* address,
                 socklen_t* address_size) {
  auto* socket = find_socket(number);
  if (socket == nullptr) {
    return PEERSOCK_REAL(recvfrom)(number, into, size, flags, address, address_size);
  }
  const auto received =
      socket->receive({static_cast<std::uint8_t*>(into), size}, (flags & MSG_PEEK) != 0);
  if (received.size >= 0 && received.from) to_sockaddr(*received.from, address, address_size);
  return conclude(received.size);
}

ssize_t recv(int number, void* into, std::size_t size, int flags) {
  if (find_socket(number) == nullptr) return PEERSOCK_REAL(recv)(number, into, size, flags);
  return recvfrom(number, into, size, flags, nullptr, nullptr);
}

int recvmmsg(int number, mmsghdr* messages, unsigned count, int flags, timespec* timeout) {
  auto* socket = find_socket(number);
  if (socket == nullptr) return PEERSOCK_REAL(recvmmsg)(number, messages, count, flags, timeout);
  for (unsigned i = 0; i < count; ++i) {
    const ssize_t received = receive_parts(*socket, messages[i].msg_hdr, flags);
    if (received < 0) return i > 0 ? static_cast<int>(i) : conclude(static_cast<int>(received));
    messages[i].msg_len = static_cast<unsigned>(received);
  }
  return static_cast<int>(count);
}

int getsockname(int number, sockaddr* address, socklen_t* size) noexcept {
  auto* socket = find_socket(number);
  if (socket == nullptr) return PEERSOCK_REAL(getsockname)(number, address, size);
  if (!is_ours(*socket)) return conclude(-EBADF);
  to_sockaddr(socket->local(), address, size);
  return 0;
}

int getpeername(int number, sockaddr* address, socklen_t* size) noexcept {
  auto* socket = find_socket(number);
  if (socket == nullptr) return PEERSOCK_REAL(getpeername)(number, address, size);
  if (!is_ours(*socket)) return conclude(-EBADF);
  const auto peer = socket->peer();
  if (!peer) return conclude(-ENOTCONN);
  to_sockaddr(*peer, address, size);
  return 0;
}

int getsockopt(int number, int level, int option, void* value, socklen_t* size) noexcept {
  auto* socket = find_socket(number);
  if (socket == nullptr) return PEERSOCK_REAL(getsockopt)(number, level, option, value, size);
  const int found = socket_option(*socket, level, option);
  if (found < 0) return conclude(found);
  if (*size < sizeof found) return conclude(-EINVAL);
  std::copy_n(reinterpret_cast<const char*>(&found), sizeof found, static_cast<char*>(value));
  *size = sizeof found;
  return 0;
}

int setsockopt(int number, int level, int option, const void* value, socklen_t size) noexcept {
  auto* socket = find_socket(number);
  if (socket == nullptr) return PEERSOCK_REAL(setsockopt)(number, level, option, value, size);
  if (const auto own = socket->set_option(level, option, value, size)) return conclude(*own);
  if (!is_harmless(level, option)) return conclude(-ENOPROTOOPT);
  if (level == SOL_SOCKET && option == SO_LINGER && size >= sizeof(linger)) {
    const auto* wanted = static_cast<const linger*>(value);
    socket->reset_on_close(wanted->l_onoff != 0 && wanted->l_linger == 0);
  }
  return 0;
}

}  // extern "C"
