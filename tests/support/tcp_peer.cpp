#include "support/tcp_peer.hpp"

#include <array>
#include <cerrno>
#include <stdexcept>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace peersock::testing {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int check(int result, const char* what) {
  if (result < 0) throw std::runtime_error(what);
  return result;
}

}  // namespace

TcpPeer::TcpPeer(GMainContext* context, int fd) : fd_(fd), ready_(context, [this] { pump(); }) {
  check(fcntl(fd_, F_SETFL, fcntl(fd_, F_GETFL) | O_NONBLOCK), "fcntl");
  update();
}

TcpPeer::~TcpPeer() {
  ready_.unwatch();
  close(fd_);
}

std::unique_ptr<TcpPeer> TcpPeer::connect(GMainContext* context, std::uint16_t port,
                                          int receive_buffer) {
  const int fd = check(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  if (receive_buffer > 0) {
    check(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer), "rcvbuf");
  }
  const sockaddr_in address = loopback(port);
  check(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), "connect");
  return std::make_unique<TcpPeer>(context, fd);
}

void TcpPeer::send(std::string_view octets) {
  out_ += octets;
  update();
}

void TcpPeer::stop_reading() {
  reading_ = false;
  update();
}

void TcpPeer::finish() {
  finishing_ = true;
  if (out_.empty()) shutdown(fd_, SHUT_WR);
}

void TcpPeer::reset() {
  const linger at_once{1, 0};
  (void)setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ready_.unwatch();
  ended_ = true;
  // The descriptor stays valid; only the connection goes.
  const int other = check(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  dup2(other, fd_);
  close(other);
}

void TcpPeer::pump() {
  while (!out_.empty()) {
    const auto sent = ::send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      if (errno != EAGAIN) {
        out_.clear();
        ended_ = true;
      }
      break;
    }
    out_.erase(0, static_cast<std::size_t>(sent));
    if (out_.empty() && finishing_) shutdown(fd_, SHUT_WR);
  }
  std::array<char, 65536> buffer{};
  while (reading_ && !ended_) {
    const auto got = recv(fd_, buffer.data(), buffer.size(), 0);
    if (got > 0) {
      in_.append(buffer.data(), static_cast<std::size_t>(got));
      continue;
    }
    ended_ = got == 0 || errno != EAGAIN;
    break;
  }
  update();
  if (on_input) on_input();
}

void TcpPeer::update() {
  int conditions = 0;
  if (reading_ && !ended_) conditions |= G_IO_IN;
  if (!out_.empty() && !ended_) conditions |= G_IO_OUT;
  if (conditions == 0) {
    ready_.unwatch();
  } else {
    ready_.watch(fd_, static_cast<GIOCondition>(conditions));
  }
}

TcpListener::TcpListener(GMainContext* context, std::function<void(TcpPeer&)> on_accept)
    : context_(context),
      on_accept_(std::move(on_accept)),
      fd_(check(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")),
      ready_(context, [this] {
        const int fd = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) return;
        peers_.push_back(std::make_unique<TcpPeer>(context_, fd));
        if (on_accept_) on_accept_(*peers_.back());
      }) {
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  check(bind(fd_, reinterpret_cast<const sockaddr*>(&address), size), "bind");
  check(listen(fd_, 16), "listen");
  check(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
  port_ = ntohs(address.sin_port);
  ready_.watch(fd_, G_IO_IN);
}

TcpListener::~TcpListener() {
  ready_.unwatch();
  close(fd_);
}

}  // namespace peersock::testing
