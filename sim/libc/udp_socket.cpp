#include <algorithm>
#include <cerrno>

#include "libc/socket_descriptor.hpp"

namespace peersock::sim {
namespace {

class UdpSocket final : public SocketDescriptor {
 public:
  UdpSocket(Host& host, Family family)
      : SocketDescriptor(host, family), endpoint_(host.ip().open_udp(family)) {
    endpoint_->set_ready([&host] { host.kick(); });
  }

  const char* kind() const override { return "udp"; }
  int type() const override { return SOCK_DGRAM; }
  short ready() const override {
    return static_cast<short>(POLLOUT | (endpoint_->readable() ? POLLIN : 0));
  }
  int bind(const SocketName& name) override {
    if (has_name_) return -EINVAL;
    const int error = endpoint_->bind(name);
    has_name_ = error == 0;
    return -error;
  }
  int connect(const SocketName& to) override {
    if (!host().has_way(endpoint_->local(), to)) return -ENETUNREACH;
    peer_ = to;
    // It sends nothing, but has a port from now on.
    return has_name_ ? 0 : bind(any_name(to.family));
  }
  int listen() override { return -EOPNOTSUPP; }
  std::shared_ptr<SocketDescriptor> accept() override { return nullptr; }

  ssize_t send(std::span<const std::uint8_t> octets, const std::optional<SocketName>& to) override {
    const auto& target = to ? to : peer_;
    if (!target) return -EDESTADDRREQ;
    if (!host().has_way(endpoint_->local(), *target)) return -ENETUNREACH;
    host().note("send", octets);
    const int error = endpoint_->send(octets, *target);
    return error == 0 ? static_cast<ssize_t>(octets.size()) : -error;
  }

  Received receive(std::span<std::uint8_t> into, bool peek) override {
    for (;;) {
      const auto datagram = endpoint_->receive(peek);
      if (!datagram) return {-EAGAIN, false, std::nullopt};
      if (peer_ && datagram->from != *peer_) {
        if (peek) (void)endpoint_->receive(false);
        continue;
      }
      if (!peek) host().note("recv", datagram->octets);
      const std::size_t size = std::min(into.size(), datagram->octets.size());
      std::copy_n(datagram->octets.begin(), size, into.begin());
      return {static_cast<ssize_t>(size), size < datagram->octets.size(), datagram->from};
    }
  }

  // A connected one says from which address it sends.
  SocketName local() const override {
    SocketName name = endpoint_->local();
    if (!peer_ || name.address != any_name(name.family).address) return name;
    if (const auto source = host().source_for(*peer_)) name.address = source->address;
    return name;
  }
  std::optional<SocketName> peer() const override { return peer_; }
  int shut_down(int /*how*/) override { return peer_ ? 0 : -ENOTCONN; }
  int take_error() override { return 0; }
  std::size_t available() const override { return endpoint_->readable() ? 1 : 0; }

 private:
  std::unique_ptr<StackUdp> endpoint_;
  std::optional<SocketName> peer_;
  bool has_name_ = false;
};

}  // namespace

std::shared_ptr<SocketDescriptor> make_udp_socket(Host& host, Family family) {
  return std::make_shared<UdpSocket>(host, family);
}

}  // namespace peersock::sim
