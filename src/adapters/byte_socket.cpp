#include "adapters/byte_socket.hpp"

#include <cerrno>
#include <utility>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

namespace peersock::adapters {
namespace {

ByteSocket::Outcome conclude(ssize_t result) {
  using State = ByteSocket::State;
  if (result > 0) return {static_cast<std::size_t>(result), State::kOk};
  const bool later = result < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
  return {0, later ? State::kBlocked : State::kOver};
}

}  // namespace

std::optional<ByteSocket> ByteSocket::make(UniqueFd fd, SSL_CTX* tls) {
  SslPtr ssl;
  if (tls != nullptr) {
    ssl.reset(SSL_new(tls));
    if (!ssl || SSL_set_fd(ssl.get(), fd.get()) != 1) {
      ERR_clear_error();
      return std::nullopt;
    }
    SSL_set_accept_state(ssl.get());
  }
  return ByteSocket(std::move(fd), std::move(ssl));
}

ByteSocket::Outcome ByteSocket::read(std::span<char> into) {
  if (!tls_) return conclude(::recv(fd_.get(), into.data(), into.size(), 0));
  std::size_t octets = 0;
  ERR_clear_error();
  const int result = SSL_read_ex(tls_.get(), into.data(), into.size(), &octets);
  return conclude_tls(result, octets, reading_wants_write_);
}

ByteSocket::Outcome ByteSocket::write(std::string_view from) {
  if (!tls_) return conclude(::send(fd_.get(), from.data(), from.size(), MSG_NOSIGNAL));
  std::size_t octets = 0;
  ERR_clear_error();
  const int result = SSL_write_ex(tls_.get(), from.data(), from.size(), &octets);
  bool wants_write = false;
  return conclude_tls(result, octets, wants_write);
}

ByteSocket::Outcome ByteSocket::conclude_tls(int result, std::size_t octets, bool& wants_write) {
  wants_write = false;
  if (result == 1) return {octets, State::kOk};
  switch (SSL_get_error(tls_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return {0, State::kBlocked};
    case SSL_ERROR_WANT_WRITE:
      wants_write = true;
      return {0, State::kBlocked};
    default:
      ERR_clear_error();
      return {0, State::kOver};
  }
}

void ByteSocket::finish() {
  if (tls_) {
    // Says goodbye if there is room for that; nobody waits for the answer.
    ERR_clear_error();
    if (SSL_is_init_finished(tls_.get()) == 1) SSL_shutdown(tls_.get());
    ERR_clear_error();
  }
  ::shutdown(fd_.get(), SHUT_WR);
}

void ByteSocket::abort() {
  const linger at_once{1, 0};
  (void)::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  fd_.reset();
}

}  // namespace peersock::adapters
