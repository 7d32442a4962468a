#include "adapters/turn_bridge.hpp"

#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "adapters/own_socket.hpp"
#include "adapters/socket_address.hpp"
#include "adapters/tcp_sockets.hpp"

namespace peersock::adapters {
namespace {

/// Octets that wait on loopback in each direction. The system's choice is megabytes, which QUIC
/// would take for a longer way.
constexpr int kLoopbackBuffer = 128 * 1024;

void bound_buffer(int fd, int option) {
  // A larger one only costs delay.
  static_cast<void>(setsockopt(fd, SOL_SOCKET, option, &kLoopbackBuffer, sizeof kLoopbackBuffer));
}

}  // namespace

TurnBridge::TurnBridge(GMainContext* context, TurnBridgeConfig config,
                       TurnBridgeCallbacks callbacks)
    : context_(context),
      connect_timeout_(config.connect_timeout),
      callbacks_(std::move(callbacks)),
      timeout_(context, [this] { failed(dial_->timeout_reason(connect_timeout_)); }) {
  dial_.emplace(context_, std::move(config.server), config.dial,
                StreamDialCallbacks{
                    [this](GObjectPtr<GIOStream> stream) { connected(std::move(stream)); },
                    [this](const std::string& reason) { failed(reason); },
                });
}

TurnBridge::~TurnBridge() = default;

void TurnBridge::start() {
  timeout_.after(connect_timeout_);
  dial_->start();
}

void TurnBridge::connected(GObjectPtr<GIOStream> stream) {
  timeout_.cancel();
  server_ = std::move(stream);
  if (const auto on_connected = callbacks_.on_connected) on_connected();
}

// The reason is the dial's own, which goes.
void TurnBridge::failed(std::string reason) {
  timeout_.cancel();
  dial_.reset();
  if (const auto on_failed = callbacks_.on_failed) on_failed(std::move(reason));
}

std::optional<std::uint16_t> TurnBridge::listen(bool ipv6) {
  auto sockets = listen_tcp({ipv6 ? "::1" : "127.0.0.1", 0});
  if (!sockets || !server_) return std::nullopt;
  listener_ = std::move(sockets->front());
  const int fd = g_socket_get_fd(listener_.get());
  port_ = port_of(bound_address(fd));
  // What is accepted takes it over.
  bound_buffer(fd, SO_RCVBUF);
  bound_buffer(fd, SO_SNDBUF);
  arrivals_ = std::make_unique<FdWatch>(context_, fd, [this](bool, bool) { accept(); });
  arrivals_->watch(true, false);
  return port_;
}

void TurnBridge::accept() {
  GObjectPtr<GSocket> socket(g_socket_accept(listener_.get(), nullptr, nullptr));
  if (!socket) return;
  const OwnSocket ours = other_end_of(g_socket_get_fd(socket.get()));
  if (ours.can_tell && !ours.fd) return;
  if (ours.fd) bound_buffer(*ours.fd, SO_SNDBUF);
  g_socket_set_option(socket.get(), IPPROTO_TCP, TCP_NODELAY, 1, nullptr);
  arrivals_->watch(false, false);
  g_socket_close(listener_.get(), nullptr);
  GObjectPtr<GIOStream> local(
      G_IO_STREAM(g_socket_connection_factory_create_connection(socket.get())));
  pump_ = std::make_unique<StreamPump>(context_, std::move(local), std::move(server_),
                                       callbacks_.on_ended);
}

}  // namespace peersock::adapters
