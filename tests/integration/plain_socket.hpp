// A plain UDP socket that stands for one of libnice's, and what is sent over it.
#pragma once

#include <string>
#include <vector>

#include <gio/gio.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "adapters/glib_ptr.hpp"
#include "adapters/socket_address.hpp"
#include "core/bytes.hpp"
#include "ice_world.hpp"

namespace peersock::testing {

/// Short-header packets: the fixed bit is set.
inline Bytes quic_train(std::size_t datagrams, std::size_t size, std::size_t last) {
  Bytes octets((datagrams - 1) * size + last);
  for (std::size_t i = 0; i < octets.size(); ++i) {
    octets[i] = static_cast<std::uint8_t>(i * 131 + i / size);
    if (i % size == 0) octets[i] = 0x40;
  }
  return octets;
}

inline Bytes stun_message() {
  Bytes octets(100, 7);
  octets[0] = 0x00;
  octets[1] = 0x01;
  return octets;
}

/// A socket as libnice makes it, and what comes to it.
class PlainSocket {
 public:
  explicit PlainSocket(const std::string& address) {
    const auto any_port = adapters::numeric_address(address, 0);
    const int fd = socket(any_port->family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::bind(fd, any_port->get(), any_port->size), 0);
    socket_.reset(g_socket_new_from_fd(fd, nullptr));
  }
  [[nodiscard]] adapters::GObjectPtr<GSocket> shared() const {
    return adapters::share(socket_.get());
  }
  [[nodiscard]] GSocket* get() const { return socket_.get(); }
  [[nodiscard]] int fd() const { return g_socket_get_fd(socket_.get()); }
  [[nodiscard]] adapters::SocketAddress address() const { return adapters::bound_address(fd()); }
  void send_to(const PlainSocket& other, const Bytes& octets) const {
    const adapters::SocketAddress to = other.address();
    EXPECT_EQ(sendto(fd(), octets.data(), octets.size(), 0, to.get(), to.size),
              static_cast<ssize_t>(octets.size()));
  }
  /// Datagrams that have come.
  [[nodiscard]] std::vector<Bytes> receive() const {
    std::vector<Bytes> all;
    for (;;) {
      Bytes octets(65536);
      const ssize_t size = recv(fd(), octets.data(), octets.size(), 0);
      if (size < 0) return all;
      octets.resize(static_cast<std::size_t>(size));
      all.push_back(std::move(octets));
    }
  }
  [[nodiscard]] int option(int level, int name) const {
    int value = -1;
    socklen_t size = sizeof value;
    getsockopt(fd(), level, name, &value, &size);
    return value;
  }

 private:
  adapters::GObjectPtr<GSocket> socket_;
};

}  // namespace peersock::testing
