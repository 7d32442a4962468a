#include <cerrno>
#include <utility>

#include "libc/socket_descriptor.hpp"

namespace peersock::sim {
namespace {

class TcpSocket final : public SocketDescriptor {
 public:
  TcpSocket(Host& host, Family family, std::unique_ptr<StackTcp> endpoint)
      : SocketDescriptor(host, family), endpoint_(std::move(endpoint)) {
    endpoint_->set_ready([&host] { host.kick(); });
  }
  ~TcpSocket() override {
    if (reset_on_close_) endpoint_->reset();
  }
  TcpSocket(const TcpSocket&) = delete;
  TcpSocket& operator=(const TcpSocket&) = delete;
  TcpSocket(TcpSocket&&) = delete;
  TcpSocket& operator=(TcpSocket&&) = delete;

  [[nodiscard]] const char* kind() const override { return "tcp"; }
  [[nodiscard]] int type() const override { return SOCK_STREAM; }

  [[nodiscard]] short ready() const override {
    if (endpoint_->listening()) return endpoint_->acceptable() ? POLLIN : 0;
    if (endpoint_->connecting()) return 0;
    if (endpoint_->error() != 0) return POLLIN | POLLOUT | POLLERR | POLLHUP;
    if (!endpoint_->connected()) return POLLOUT | POLLHUP;
    const bool end = endpoint_->at_end();
    int seen = endpoint_->available() > 0 || end || !reading_ ? POLLIN : 0;
    // A socket that can no longer be written to says so to whoever tries.
    if (endpoint_->room() > 0 || !writing_) seen |= POLLOUT;
    if (end && !writing_) seen |= POLLHUP;
    return static_cast<short>(seen);
  }

  // libnice binds after it has connected; the kernel refuses that, and it does not mind.
  int bind(const SocketName& name) override {
    if (has_name_) return -EINVAL;
    const int error = endpoint_->bind(name);
    has_name_ = error == 0;
    return -error;
  }
  int connect(const SocketName& to) override {
    if (!host().has_way(endpoint_->local(), to)) return -ENETUNREACH;
    has_name_ = true;
    return -endpoint_->connect(to);
  }
  int listen() override { return -endpoint_->listen(); }

  std::shared_ptr<SocketDescriptor> accept() override {
    auto accepted = endpoint_->accept();
    if (!accepted) return nullptr;
    return std::make_shared<TcpSocket>(host(), family(), std::move(accepted));
  }

  ssize_t send(std::span<const std::uint8_t> octets,
               const std::optional<SocketName>& /*to*/) override {
    if (endpoint_->error() != 0) return -endpoint_->take_error();
    if (endpoint_->connecting()) return -EAGAIN;
    if (!endpoint_->connected()) return -ENOTCONN;
    if (!writing_) return -EPIPE;
    const auto part = octets.first(std::min(octets.size(), endpoint_->room()));
    if (part.empty()) return octets.empty() ? 0 : -EAGAIN;
    if (const int error = endpoint_->send(part); error != 0) return -error;
    host().note("tsend", part);
    return static_cast<ssize_t>(part.size());
  }

  Received receive(std::span<std::uint8_t> into, bool peek) override {
    const std::size_t size = endpoint_->receive(into, peek);
    if (size > 0 || into.empty()) {
      if (!peek) host().note("trecv", into.first(size));
      return {static_cast<ssize_t>(size), false, std::nullopt};
    }
    if (endpoint_->error() != 0) return {-endpoint_->take_error(), false, std::nullopt};
    if (endpoint_->at_end() || !reading_) return {0, false, std::nullopt};
    return {endpoint_->connected() || endpoint_->connecting() ? -EAGAIN : -ENOTCONN, false,
            std::nullopt};
  }

  [[nodiscard]] SocketName local() const override { return endpoint_->local(); }
  [[nodiscard]] std::optional<SocketName> peer() const override {
    if (!endpoint_->connected()) return std::nullopt;
    return endpoint_->peer();
  }

  int shut_down(int how) override {
    if (!endpoint_->connected()) return -ENOTCONN;
    if (how != SHUT_WR) reading_ = false;
    if (how != SHUT_RD && std::exchange(writing_, false)) {
      host().note("tfin", {});
      endpoint_->shut_down_sending();
    }
    return 0;
  }

  int take_error() override { return endpoint_->take_error(); }
  [[nodiscard]] bool listening() const override { return endpoint_->listening(); }
  [[nodiscard]] std::size_t available() const override { return endpoint_->available(); }
  void reset_on_close(bool wanted) override { reset_on_close_ = wanted; }

 private:
  std::unique_ptr<StackTcp> endpoint_;
  bool has_name_ = false;
  bool reading_ = true;
  bool writing_ = true;
  bool reset_on_close_ = false;
};

}  // namespace

std::shared_ptr<SocketDescriptor> make_tcp_socket(Host& host, Family family) {
  return std::make_shared<TcpSocket>(host, family, host.ip().open_tcp(family));
}

}  // namespace peersock::sim
