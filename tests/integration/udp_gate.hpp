// A UDP port on loopback in front of another: closed at first, like a NAT's filter, and open later.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "adapters/fd_watch.hpp"
#include "adapters/unique_fd.hpp"

namespace peersock::testing {

class UdpGate {
 public:
  explicit UdpGate(GMainContext* context)
      : socket_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)),
        watch_(context, socket_.get(), [this](bool, bool) { pass_on(); }) {
    sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    EXPECT_EQ(bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &length), 0);
    port_ = ntohs(address.sin_port);
    watch_.watch(true, false);
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// Datagrams that came while it was closed.
  [[nodiscard]] int refused() const { return refused_; }
  void lead_to(std::uint16_t port) { inner_ = port; }
  void open() { open_ = true; }

 private:
  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
  }

  void pass_on() {
    std::array<std::uint8_t, 2048> octets{};
    sockaddr_in from{};
    socklen_t length = sizeof from;
    const auto got = recvfrom(socket_.get(), octets.data(), octets.size(), 0,
                              reinterpret_cast<sockaddr*>(&from), &length);
    if (got < 0) return;
    if (!open_) {
      ++refused_;
      return;
    }
    const bool outwards = ntohs(from.sin_port) == inner_;
    if (!outwards) outer_ = ntohs(from.sin_port);
    const sockaddr_in to = loopback(outwards ? outer_ : inner_);
    static_cast<void>(sendto(socket_.get(), octets.data(), static_cast<std::size_t>(got), 0,
                             reinterpret_cast<const sockaddr*>(&to), sizeof to));
  }

  adapters::UniqueFd socket_;
  adapters::FdWatch watch_;
  std::uint16_t port_ = 0;
  std::uint16_t inner_ = 0;
  std::uint16_t outer_ = 0;
  int refused_ = 0;
  bool open_ = false;
};

}  // namespace peersock::testing
