#include "adapters/local_listener.hpp"

#include <cerrno>
#include <utility>

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "adapters/socket_address.hpp"
#include "core/machine.hpp"

namespace peersock::adapters {
namespace {

/// How often a free port of one family is tried in the other.
constexpr int kPortAttempts = 16;
/// Connections taken before the loop gets its turn, and with it a pause its effect: well below
/// tunnel::kMaxWaiting.
constexpr int kAcceptBatch = 16;
/// Until descriptors may have become free.
constexpr Duration kRetryDelay = 250ms;

struct Refusal {
  int error = 0;
  std::string message;
};
using BoundTcp = tl::expected<UniqueFd, Refusal>;

void set(int fd, int level, int option, int value) {
  static_cast<void>(setsockopt(fd, level, option, &value, sizeof value));
}

Refusal refusal(const TcpEndpoint& endpoint, int error) {
  const std::string where = to_string(Endpoint(endpoint));
  switch (error) {
    case EADDRINUSE:
      return {error, fmt::format("port {} is already in use on this machine; stop the program that "
                                 "uses it or choose another port",
                                 endpoint.port)};
    case EACCES:
      return {error, fmt::format("no permission to listen on port {}; choose one from 1024 on",
                                 endpoint.port)};
    case EADDRNOTAVAIL:
      return {error, fmt::format("can not listen on {}: that is no address of this machine; leave "
                                 "the address out to listen on loopback",
                                 where)};
    default:
      return {error, fmt::format("can not listen on {} ({}); choose another address", where,
                                 g_strerror(error))};
  }
}

BoundTcp bind_tcp(const TcpEndpoint& endpoint) {
  const auto address = numeric_address(endpoint.host, endpoint.port);
  if (!address) return tl::unexpected(refusal(endpoint, EADDRNOTAVAIL));
  UniqueFd fd = open_socket(address->family());
  if (!fd) return tl::unexpected(refusal(endpoint, errno));
  // Each family has a socket of its own.
  if (address->family() == AF_INET6) set(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (::bind(fd.get(), address->get(), address->size) == 0) return fd;
  if (errno != EADDRINUSE) return tl::unexpected(refusal(endpoint, errno));
  // Only connections of an earlier run may be in the way (TIME_WAIT). The option goes off again,
  // so that until we listen nobody else gets the port in the same manner.
  set(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (::bind(fd.get(), address->get(), address->size) != 0) {
    return tl::unexpected(refusal(endpoint, errno));
  }
  set(fd.get(), SOL_SOCKET, SO_REUSEADDR, 0);
  return fd;
}

/// Whether the machine merely lacks an address family.
bool family_is_missing(const Refusal& refusal) {
  return refusal.error == EAFNOSUPPORT || refusal.error == EADDRNOTAVAIL;
}

/// Sockets on one port in both families, or in the one that the machine has.
Result<std::vector<UniqueFd>> bind_both(const char* ipv4, const char* ipv6, std::uint16_t port) {
  Refusal last;
  for (int attempt = 0; attempt < kPortAttempts; ++attempt) {
    std::vector<UniqueFd> sockets;
    auto first = bind_tcp({ipv4, port});
    if (!first && !family_is_missing(first.error())) {
      return fail(ErrorKind::kLocalEndpoint, first.error().message);
    }
    const std::uint16_t chosen = first ? port_of(bound_address(first->get())) : port;
    if (first) sockets.push_back(std::move(*first));
    auto second = bind_tcp({ipv6, chosen});
    if (second) sockets.push_back(std::move(*second));
    if (second || (family_is_missing(second.error()) && !sockets.empty())) return sockets;
    last = second.error();
    // The system chose a port that is taken in the other family: let it choose again.
    if (port != 0 || last.error != EADDRINUSE) break;
  }
  return fail(ErrorKind::kLocalEndpoint, last.message);
}

Result<std::vector<UniqueFd>> bind_all(const TcpEndpoint& endpoint) {
  if (endpoint.host.empty()) return bind_both("127.0.0.1", "::1", endpoint.port);
  if (endpoint.host == "*") return bind_both("0.0.0.0", "::", endpoint.port);
  auto fd = bind_tcp(endpoint);
  if (!fd) return fail(ErrorKind::kLocalEndpoint, fd.error().message);
  std::vector<UniqueFd> sockets;
  sockets.push_back(std::move(*fd));
  return sockets;
}

}  // namespace

LocalListener::LocalListener(GMainContext* context, Handlers handlers)
    : context_(context),
      handlers_(std::make_shared<Handlers>(std::move(handlers))),
      retry_(context, [this] { resume(); }),
      alive_(std::make_shared<bool>(true)) {}

LocalListener::~LocalListener() {
  *alive_ = false;
}

Result<std::unique_ptr<LocalListener>> LocalListener::bind(GMainContext* context,
                                                           const Endpoint& endpoint,
                                                           Handlers handlers) {
  std::unique_ptr<LocalListener> made(new LocalListener(context, std::move(handlers)));
  if (const auto* file = std::get_if<UnixEndpoint>(&endpoint)) {
    auto bound = UnixSocketFile::bind(file->path);
    if (!bound) return tl::unexpected(bound.error());
    made->file_.emplace(std::move(bound->file));
    made->add(std::move(bound->fd), to_string(endpoint), /*listens=*/true);
    return made;
  }
  auto sockets = bind_all(std::get<TcpEndpoint>(endpoint));
  if (!sockets) return tl::unexpected(sockets.error());
  for (UniqueFd& fd : *sockets) {
    std::string address = to_string(bound_address(fd.get()));
    made->add(std::move(fd), std::move(address), /*listens=*/false);
  }
  return made;
}

void LocalListener::add(UniqueFd fd, std::string address, bool listens) {
  const std::size_t index = sockets_.size();
  auto watch = std::make_unique<FdWatch>(context_, fd.get(),
                                         [this, index](bool, bool) { accept_from(index); });
  sockets_.push_back({std::move(fd), std::move(watch), listens});
  addresses_.push_back(std::move(address));
}

void LocalListener::start() {
  accepting_ = !failed_;
  // A failure is told from the loop, like everything else.
  if (accepting_ && listen_and_watch() != 0) retry_.soon();
}

void LocalListener::resume() {
  if (const int error = listen_and_watch(); error != 0) fail_with(error);
}

int LocalListener::listen_and_watch() {
  for (Listening& socket : sockets_) {
    if (!socket.listens) {
      // So that a later run can bind while connections of this one are in TIME_WAIT.
      set(socket.fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
      if (::listen(socket.fd.get(), SOMAXCONN) != 0) return errno;
      socket.listens = true;
    }
    socket.watch->watch(true, false);
  }
  return 0;
}

void LocalListener::pause() {
  accepting_ = false;
  retry_.cancel();
  for (Listening& socket : sockets_) socket.watch->watch(false, false);
}

void LocalListener::accept_from(std::size_t index) {
  // A handler may destroy the listener.
  const auto alive = alive_;
  const auto handlers = handlers_;
  for (int count = 0; count < kAcceptBatch && *alive && accepting_; ++count) {
    UniqueFd fd(
        ::accept4(sockets_[index].fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd) {
      handlers->accepted(std::move(fd));
      continue;
    }
    switch (errno) {
      case EAGAIN:
        return;
      case EMFILE:
      case ENFILE:
      case ENOBUFS:
      case ENOMEM:
        return out_of_descriptors(errno);
      case EBADF:
      case EINVAL:
      case ENOTSOCK:
      case EOPNOTSUPP:
        return fail_with(errno);
      default:
        // Interrupted, or a connection that failed before it was accepted (accept(2)).
        break;
    }
  }
}

void LocalListener::out_of_descriptors(int error) {
  // The connection stays in the queue and would wake the loop without end.
  for (Listening& socket : sockets_) socket.watch->watch(false, false);
  retry_.after(kRetryDelay);
  if (std::exchange(warned_, true)) return;
  const auto handlers = handlers_;
  handlers->warned(
      fmt::format("no further local connection can be accepted for now ({}); end some, or raise "
                  "the limit with ulimit -n",
                  g_strerror(error)));
}

void LocalListener::fail_with(int error) {
  pause();
  failed_ = true;
  const auto handlers = handlers_;
  handlers->failed(
      {ErrorKind::kLocalEndpoint,
       fmt::format("listening on {} failed ({}); choose another address and start again",
                   addresses_.front(), g_strerror(error))});
}

}  // namespace peersock::adapters
