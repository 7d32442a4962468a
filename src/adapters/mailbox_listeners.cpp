#include "adapters/mailbox_listeners.hpp"

#include <cerrno>
#include <utility>

#include <sys/socket.h>

#include "adapters/tcp_sockets.hpp"

namespace peersock::adapters {
namespace {

/// Connections that are accepted in one turn of the loop.
constexpr int kAcceptsPerTurn = 32;
/// When the process has no more descriptors, it waits this long for some to be closed.
constexpr Duration kAcceptPause = 1s;

}  // namespace

MailboxListeners::MailboxListeners(GMainContext* context, Accepted accepted)
    : context_(context),
      accepted_(std::move(accepted)),
      accept_again_(context, [this] { watch(); }) {}

Result<void> MailboxListeners::add(const Endpoint& endpoint, mode_t unix_mode) {
  if (const auto* local = std::get_if<UnixEndpoint>(&endpoint)) return add_unix(*local, unix_mode);
  auto sockets = listen_tcp(std::get<TcpEndpoint>(endpoint));
  if (!sockets) return tl::unexpected(sockets.error());
  for (auto& socket : *sockets) {
    addresses_.push_back({local_authority(socket.get()), false});
    keep(std::move(socket), nullptr);
  }
  return {};
}

Result<void> MailboxListeners::add_unix(const UnixEndpoint& endpoint, mode_t mode) {
  auto bound = UnixSocketFile::bind(endpoint.path, mode);
  if (!bound) return tl::unexpected(bound.error());
  GError* raw = nullptr;
  GObjectPtr<GSocket> socket(g_socket_new_from_fd(bound->fd.get(), &raw));
  const ErrorPtr error(raw);
  if (!socket) return fail(ErrorKind::kLocalEndpoint, error->message);
  (void)bound->fd.release();
  g_socket_set_blocking(socket.get(), FALSE);
  addresses_.push_back({"unix:" + endpoint.path, true});
  keep(std::move(socket), std::make_unique<UnixSocketFile>(std::move(bound->file)));
  return {};
}

void MailboxListeners::keep(GObjectPtr<GSocket> socket, std::unique_ptr<UnixSocketFile> file) {
  GSocket* listening = socket.get();
  auto ready = std::make_unique<Wakeup>(context_, [this, listening] { accept(listening); });
  listeners_.push_back({std::move(socket), std::move(file), std::move(ready)});
}

void MailboxListeners::watch() {
  for (const Listener& listener : listeners_) {
    listener.ready->watch(g_socket_get_fd(listener.socket.get()), G_IO_IN);
  }
}

void MailboxListeners::accept(GSocket* listening) {
  bool progress = false;
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    sockaddr_storage remote{};
    socklen_t size = sizeof remote;
    UniqueFd socket(::accept4(g_socket_get_fd(listening), reinterpret_cast<sockaddr*>(&remote),
                              &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket) {
      progress = true;
      const GObjectPtr<GSocketAddress> address(g_socket_address_new_from_native(&remote, size));
      if (address) accepted_(std::move(socket), address.get());
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return;
    } else if (errno == EMFILE || errno == ENFILE) {
      break;  // any other error is about one client that has gone again
    }
  }
  if (progress) return;
  // The socket stays readable, and nothing helps but to wait until something is closed.
  for (const Listener& listener : listeners_) listener.ready->unwatch();
  accept_again_.after(kAcceptPause);
}

}  // namespace peersock::adapters
