#include "adapters/fd_channel.hpp"

#include <cerrno>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace peersock::adapters {
namespace {

// A silent local connection is probed after two minutes and given up one minute later.
constexpr int kKeepAliveIdleSeconds = 120;
constexpr int kKeepAliveIntervalSeconds = 15;
constexpr int kKeepAliveProbes = 4;

bool is_tcp(int fd) {
  int domain = 0;
  socklen_t size = sizeof domain;
  return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
         (domain == AF_INET || domain == AF_INET6);
}

void set(int fd, int level, int option, int value) {
  // None of these is needed for correctness, so a refusal does no harm.
  static_cast<void>(setsockopt(fd, level, option, &value, sizeof value));
}

bool would_block(int error) {
  return error == EAGAIN || error == EWOULDBLOCK;
}

std::string sentence(int error) {
  switch (error) {
    case ECONNRESET:
      return "the local program reset the connection; look there for the cause";
    case EPIPE:
      return "the local program closed the connection before it had read everything; look there "
             "for the cause";
    default:
      return fmt::format(
          "the local connection broke ({}); check the local program and connect "
          "again",
          g_strerror(error));
  }
}

}  // namespace

FdChannel::FdChannel(GMainContext* context, UniqueFd fd, ReadyHandler ready) : fd_(std::move(fd)) {
  watch_.emplace(context, fd_.get(), std::move(ready));
  if (!is_tcp(fd_.get())) return;
  set(fd_.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  set(fd_.get(), SOL_SOCKET, SO_KEEPALIVE, 1);
  set(fd_.get(), IPPROTO_TCP, TCP_KEEPIDLE, kKeepAliveIdleSeconds);
  set(fd_.get(), IPPROTO_TCP, TCP_KEEPINTVL, kKeepAliveIntervalSeconds);
  set(fd_.get(), IPPROTO_TCP, TCP_KEEPCNT, kKeepAliveProbes);
}

tunnel::LocalRead FdChannel::read(MutableBytes into) {
  ssize_t size = 0;
  do {
    size = recv(fd_.get(), into.data(), into.size(), MSG_DONTWAIT);
  } while (size < 0 && errno == EINTR);
  if (size > 0) return {static_cast<std::size_t>(size), false, {}};
  if (size == 0) {
    if (is_reset_) return {0, false, sentence(ECONNRESET)};
    return {0, true, {}};
  }
  if (would_block(errno)) return {};
  return {0, false, sentence(errno)};
}

tunnel::LocalWrite FdChannel::write(ByteView from) {
  ssize_t size = 0;
  do {
    size = send(fd_.get(), from.data(), from.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (size < 0 && errno == EINTR);
  if (size >= 0) return {static_cast<std::size_t>(size), {}, false};
  if (would_block(errno)) return {};
  // Linux tells a socket's error once; what was received before it can still be read, and is then
  // followed by what looks like an orderly end. EPIPE follows one that really was orderly.
  is_reset_ = errno != EPIPE;
  return {0, sentence(errno), false};
}

void FdChannel::finish() {
  // Fails when the peer has reset the connection, which reading will tell.
  static_cast<void>(shutdown(fd_.get(), SHUT_WR));
}

void FdChannel::abort() {
  watch_.reset();
  if (is_tcp(fd_.get())) {
    const linger at_once{1, 0};
    static_cast<void>(setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once));
  }
  fd_.reset();
}

void FdChannel::watch(bool readable, bool writable) {
  if (watch_) watch_->watch(readable, writable);
}

}  // namespace peersock::adapters
