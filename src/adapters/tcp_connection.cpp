#include "adapters/tcp_connection.hpp"

#include <array>
#include <cerrno>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace peersock::adapters {
namespace {

constexpr std::size_t kReadSize = 65536;
constexpr int kMaxUnsent = 128 * 1024;
/// At the end: as much of what has come as fits a usual buffer.
constexpr int kLastReads = 64;

bool is_transient(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

}  // namespace

void set_datagram_options(int fd) {
  const int on = 1;
  // Without them it is only slower.
  static_cast<void>(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
  static_cast<void>(setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kMaxUnsent, sizeof kMaxUnsent));
}

TcpConnection::TcpConnection(GMainContext* context, UniqueFd fd, ReadyHandler ready)
    : fd_(std::move(fd)), watch_(context, fd_.get(), std::move(ready)) {
  set_datagram_options(fd_.get());
  watch_.watch(/*readable=*/true, /*writable=*/false);
}

std::unique_ptr<TcpConnection> TcpConnection::connect(GMainContext* context,
                                                      const SocketAddress& remote,
                                                      ReadyHandler ready) {
  UniqueFd fd = open_socket(remote.family());
  if (!fd) return nullptr;
  if (::connect(fd.get(), remote.get(), remote.size) != 0 && errno != EINPROGRESS) return nullptr;
  auto made = std::make_unique<TcpConnection>(context, std::move(fd), std::move(ready));
  made->watch_.watch(/*readable=*/false, /*writable=*/true);
  return made;
}

TcpConnection::~TcpConnection() {
  static_cast<void>(flush());
  watch_.watch(false, false);
  static_cast<void>(::shutdown(fd_.get(), SHUT_WR));
  // Octets that nobody reads would make the system end the connection at once, and throw away what
  // is still to be sent.
  std::array<std::uint8_t, 4096> rest{};
  for (int i = 0; i < kLastReads; ++i) {
    if (::recv(fd_.get(), rest.data(), rest.size(), MSG_DONTWAIT) <= 0) break;
  }
}

bool TcpConnection::conclude() {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) return false;
  watch_.watch(/*readable=*/true, /*writable=*/false);
  return true;
}

TcpConnection::State TcpConnection::read() {
  std::array<std::uint8_t, kReadSize> octets;  // NOLINT: written before it is read
  const ssize_t got = ::recv(fd_.get(), octets.data(), octets.size(), MSG_DONTWAIT);
  if (got < 0) return is_transient(errno) ? State::kNothing : State::kOver;
  if (got == 0) return State::kOver;
  reader_.add(ByteView(octets).first(static_cast<std::size_t>(got)));
  return State::kSome;
}

quic::SendOutcome TcpConnection::send(const quic::DatagramTrain& train) {
  if (failed_) return quic::SendOutcome::kError;
  const std::size_t longest = train.segment == 0 ? train.bytes.size() : train.segment;
  if (longest > wire::kMaxTcpFrame) return quic::SendOutcome::kTooBig;
  if (!waiting_.empty()) return quic::SendOutcome::kWouldBlock;
  quic::for_each_datagram(
      train, [this](ByteView datagram) { wire::append_tcp_frame(waiting_, datagram); });
  static_cast<void>(flush());
  return failed_ ? quic::SendOutcome::kError : quic::SendOutcome::kSent;
}

bool TcpConnection::send_frame(ByteView content) {
  if (waiting_.size() > kMaxWaiting) return false;
  wire::append_tcp_frame(waiting_, content);
  static_cast<void>(flush());
  return true;
}

bool TcpConnection::flush() {
  while (sent_ < waiting_.size() && !failed_) {
    const ssize_t count = ::send(fd_.get(), waiting_.data() + sent_, waiting_.size() - sent_,
                                 MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) {
      sent_ += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      watch_.watch(/*readable=*/true, /*writable=*/true);
      return false;
    } else if (errno != EINTR) {
      // Reading tells of the end, in the next turn of the loop.
      failed_ = true;
    }
  }
  waiting_.clear();
  sent_ = 0;
  watch_.watch(/*readable=*/true, /*writable=*/false);
  return true;
}

}  // namespace peersock::adapters
