// Simulated sockets, as the C library's functions want them.
#pragma once

#include <cerrno>
#include <memory>
#include <optional>

#include "libc/control_messages.hpp"
#include "libc/descriptor.hpp"
#include "stack/stack_tcp.hpp"
#include "stack/stack_udp.hpp"

namespace peersock::sim {

/// Results as in Descriptor.
class SocketDescriptor : public Descriptor {
 public:
  SocketDescriptor(Host& host, Family family) : Descriptor(host), family_(family) {}

  [[nodiscard]] SocketDescriptor* as_socket() final { return this; }

  [[nodiscard]] virtual int type() const = 0;
  [[nodiscard]] virtual int bind(const SocketName& name) = 0;
  /// Of whatever family the socket is.
  [[nodiscard]] virtual int bind_address(const sockaddr* address, socklen_t size) {
    const auto name = from_sockaddr(address, size);
    return name ? bind(*name) : -EINVAL;
  }
  [[nodiscard]] virtual int connect(const SocketName& to) = 0;
  [[nodiscard]] virtual int listen() = 0;
  /// The new socket, or null: nobody waits.
  [[nodiscard]] virtual std::shared_ptr<SocketDescriptor> accept() = 0;
  [[nodiscard]] virtual ssize_t send(std::span<const std::uint8_t> octets,
                                     const std::optional<SocketName>& to) = 0;
  /// With what sendmsg() says beside the octets; a UDP socket's business.
  [[nodiscard]] virtual ssize_t send_with(std::span<const std::uint8_t> octets,
                                          const std::optional<SocketName>& to,
                                          const SendControl& /*control*/) {
    return send(octets, to);
  }
  struct Received {
    ssize_t size = 0;
    bool cut = false;  ///< MSG_TRUNC
    std::optional<SocketName> from{};
    ReceiveControl control{};
  };
  [[nodiscard]] virtual Received receive(std::span<std::uint8_t> into, bool peek) = 0;
  [[nodiscard]] virtual SocketName local() const = 0;
  [[nodiscard]] virtual std::optional<SocketName> peer() const = 0;
  [[nodiscard]] virtual int shut_down(int how) = 0;
  [[nodiscard]] virtual int take_error() = 0;
  [[nodiscard]] virtual bool listening() const { return false; }
  [[nodiscard]] virtual std::size_t available() const = 0;
  /// Nothing: the same option as every socket's.
  [[nodiscard]] virtual std::optional<int> set_option(int /*level*/, int /*option*/,
                                                      const void* /*value*/, std::size_t /*size*/) {
    return std::nullopt;
  }
  [[nodiscard]] virtual std::optional<int> get_option(int /*level*/, int /*option*/) {
    return std::nullopt;
  }
  /// SO_LINGER with a time of 0.
  virtual void reset_on_close(bool /*wanted*/) {}

  [[nodiscard]] Family family() const { return family_; }

  [[nodiscard]] ssize_t read(std::span<std::uint8_t> into) override {
    return receive(into, false).size;
  }
  [[nodiscard]] ssize_t write(std::span<const std::uint8_t> from) override {
    return send(from, std::nullopt);
  }

 private:
  Family family_;
};

[[nodiscard]] std::shared_ptr<SocketDescriptor> make_udp_socket(Host& host, Family family);
[[nodiscard]] std::shared_ptr<SocketDescriptor> make_tcp_socket(Host& host, Family family);
/// NETLINK_ROUTE, for news of addresses only.
[[nodiscard]] std::shared_ptr<SocketDescriptor> make_netlink_socket(Host& host);

}  // namespace peersock::sim
