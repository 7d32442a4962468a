#include "adapters/openssl_stream.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <openssl/err.h>

namespace peersock::adapters {

OpenSslStream::OpenSslStream(SslPtr ssl, quic::StreamId id, bool ours, SendBudget& budget)
    : ssl_(std::move(ssl)), id_(id), ours_(ours), budget_(budget) {}

OpenSslStream::~OpenSslStream() {
  budget_.give_back(buffer_ - SendBudget::kGuaranteed);
}

quic::ReadOutcome OpenSslStream::read(MutableBytes into) {
  quic::ReadOutcome outcome;
  if (!ssl_ || discards_) return outcome;
  ERR_clear_error();
  if (!into.empty() && SSL_read_ex(ssl_.get(), into.data(), into.size(), &outcome.octets) == 1) {
    return outcome;
  }
  outcome.octets = 0;
  if (!into.empty() && SSL_get_error(ssl_.get(), 0) == SSL_ERROR_ZERO_RETURN) {
    outcome.end = true;
  } else if (SSL_get_stream_read_state(ssl_.get()) == SSL_STREAM_STATE_RESET_REMOTE) {
    std::uint64_t code = 0;
    static_cast<void>(SSL_get_stream_read_error_code(ssl_.get(), &code));
    outcome.reset = code;
  }
  ERR_clear_error();
  return outcome;
}

/// Octets written that the peer has not acknowledged.
std::size_t OpenSslStream::used() const {
  std::uint64_t octets = 0;
  static_cast<void>(SSL_get_stream_write_buf_used(ssl_.get(), &octets));
  return static_cast<std::size_t>(octets);
}

std::size_t OpenSslStream::room() const {
  const std::size_t limit = std::min(SendBudget::kMaxPerStream, buffer_ + budget_.free());
  const std::size_t held = used();
  const std::size_t buffer_room = limit > held ? limit - held : 0;
  return static_cast<std::size_t>(std::min<std::uint64_t>(buffer_room, credit_ - written_));
}

void OpenSslStream::wait() {
  waits_ = credit_ == written_ ? Waits::kForCredit : Waits::kForRoom;
}

std::size_t OpenSslStream::capacity() {
  if (!ssl_ || send_ended_) return 0;
  const std::size_t octets = room();
  if (octets == 0) wait();
  return octets;
}

std::size_t OpenSslStream::write(ByteView from) {
  if (!ssl_ || send_ended_ || from.empty()) return 0;
  const std::size_t offered = std::min(from.size(), room());
  std::size_t taken = 0;
  if (offered > 0) {
    ERR_clear_error();
    if (SSL_write_ex(ssl_.get(), from.data(), offered, &taken) != 1) {
      taken = 0;
      // Anything but "no room" means that this direction, or the connection, is over.
      if (SSL_get_error(ssl_.get(), 0) != SSL_ERROR_WANT_WRITE) {
        ERR_clear_error();
        return 0;
      }
    }
    written_ += taken;
    if (taken < offered) credit_ = written_;
    if (const std::size_t held = used(); held > buffer_) {
      budget_.take(held - buffer_);
      buffer_ = held;
    }
  }
  if (taken < from.size()) wait();
  return taken;
}

void OpenSslStream::finish() {
  if (!ssl_ || send_ended_) return;
  static_cast<void>(SSL_stream_conclude(ssl_.get(), 0));
  end_sending();
}

void OpenSslStream::reset(std::uint64_t code) {
  if (!ssl_ || send_ended_) return;
  const SSL_STREAM_RESET_ARGS arguments{code};
  static_cast<void>(SSL_stream_reset(ssl_.get(), &arguments, sizeof arguments));
  end_sending();
}

void OpenSslStream::stop_sending() {
  if (!ssl_ || discards_) return;
  discards_ = true;
  discard_input();
  drop_if_done();
}

void OpenSslStream::end_sending() {
  send_ended_ = true;
  waits_ = Waits::kNo;
  ERR_clear_error();
  drop_if_done();
}

/// Freeing the object is OpenSSL's only way to send STOP_SENDING, always with code 0; what was
/// written before the end of our direction is still delivered.
void OpenSslStream::drop_if_done() {
  if (discards_ && send_ended_) ssl_.reset();
}

bool OpenSslStream::on_stopped() {
  if (!ssl_ || std::exchange(stopped_, true)) return false;
  // OpenSSL has answered with RESET_STREAM, as RFC 9000 section 3.5 wants.
  end_sending();
  return true;
}

void OpenSslStream::discard_input() {
  std::array<std::uint8_t, 16 * 1024> scratch;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  std::size_t octets = 0;
  while (ssl_ && SSL_read_ex(ssl_.get(), scratch.data(), scratch.size(), &octets) == 1) {
  }
  ERR_clear_error();
}

bool OpenSslStream::on_credit(std::uint64_t limit) {
  credit_ = std::max(credit_, limit);
  if (waits_ != Waits::kForCredit || credit_ == written_) return false;
  waits_ = Waits::kNo;
  return true;
}

bool OpenSslStream::on_acknowledged() {
  if (waits_ != Waits::kForRoom) return false;
  // Woken for a quarter of the buffer: a write for every acknowledged packet would be a waste.
  if (used() > buffer_ - buffer_ / 4) return false;
  if (room() == 0) {
    wait();
    return false;
  }
  waits_ = Waits::kNo;
  return true;
}

}  // namespace peersock::adapters
