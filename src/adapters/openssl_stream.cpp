#include "adapters/openssl_stream.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <openssl/err.h>

namespace peersock::adapters {

void widen_window(SendBudget& budget, Duration round_trip) {
  constexpr std::int64_t kOctetsPerMicrosecond = 134;  // 128 MiB/s
  constexpr std::size_t kMaxWindow = 4 * kMiB;
  const std::int64_t microseconds = round_trip / 1us;
  budget.set_window(static_cast<std::size_t>(microseconds * kOctetsPerMicrosecond), kMaxWindow);
}

OpenSslStream::OpenSslStream(SslPtr ssl, bool ours, SendBudget& budget)
    : ssl_(std::move(ssl)), id_(SSL_get_stream_id(ssl_.get())), ours_(ours), budget_(budget) {}

OpenSslStream::~OpenSslStream() {
  budget_.give_back(buffer_ - SendBudget::kGuaranteed);
}

quic::ReadOutcome OpenSslStream::read(MutableBytes into) {
  quic::ReadOutcome outcome;
  if (!ssl_ || discards_) return outcome;
  if (into.empty()) {
    outcome.reset = peers_reset();
    return outcome;
  }
  ERR_clear_error();
  if (SSL_read_ex(ssl_.get(), into.data(), into.size(), &outcome.octets) == 1) return outcome;
  outcome.octets = 0;
  if (SSL_get_error(ssl_.get(), 0) == SSL_ERROR_ZERO_RETURN) {
    outcome.end = receive_ended_ = true;
  } else {
    outcome.reset = peers_reset();
  }
  ERR_clear_error();
  return outcome;
}

std::optional<std::uint64_t> OpenSslStream::peers_reset() {
  if (SSL_get_stream_read_state(ssl_.get()) != SSL_STREAM_STATE_RESET_REMOTE) return std::nullopt;
  std::uint64_t code = 0;
  static_cast<void>(SSL_get_stream_read_error_code(ssl_.get(), &code));
  receive_ended_ = true;
  return code;
}

/// Octets written that the peer has not acknowledged.
std::size_t OpenSslStream::used() const {
  std::uint64_t octets = 0;
  static_cast<void>(SSL_get_stream_write_buf_used(ssl_.get(), &octets));
  return static_cast<std::size_t>(octets);
}

std::size_t OpenSslStream::room() const {
  const std::size_t limit = std::min(budget_.window(), buffer_ + budget_.free());
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
  ERR_clear_error();
  send_ended_ = true;
  waits_ = Waits::kNo;
  drop_ = drop_ || discards_;
}

void OpenSslStream::reset(std::uint64_t code) {
  if (!ssl_ || send_ended_) return;
  reset_code_ = code;
  send_ended_ = true;
  waits_ = Waits::kNo;
  drop_ = drop_ || discards_;
}

void OpenSslStream::stop_sending() {
  if (!ssl_ || discards_) return;
  discard_input();
  discards_ = true;
  drop_ = drop_ || send_ended_;
}

void OpenSslStream::abandon() {
  if (ssl_ && !(send_ended_ && receive_ended_)) drop_ = true;
}

/// Freeing the object sends STOP_SENDING, always with code 0, and RESET_STREAM if our direction
/// is open; what was written before `finish` is still delivered.
std::size_t OpenSslStream::settle() {
  std::size_t frames = 0;
  if (ssl_ && reset_code_) {
    const SSL_STREAM_RESET_ARGS arguments{*reset_code_};
    if (SSL_stream_reset(ssl_.get(), &arguments, sizeof arguments) == 1) ++frames;
    reset_code_.reset();
  }
  if (ssl_ && drop_) {
    if (!receive_ended_ && SSL_get_stream_read_state(ssl_.get()) == SSL_STREAM_STATE_OK) ++frames;
    if (!send_ended_) ++frames;
    ssl_.reset();
  }
  drop_ = false;
  ERR_clear_error();
  return frames;
}

bool OpenSslStream::on_stopped() {
  if (!ssl_ || std::exchange(stopped_, true)) return false;
  // OpenSSL has answered with RESET_STREAM, as RFC 9000 section 3.5 wants.
  send_ended_ = true;
  waits_ = Waits::kNo;
  drop_ = drop_ || discards_;
  return true;
}

void OpenSslStream::discard_input() {
  std::array<std::uint8_t, 16 * kKiB> scratch;  // NOLINT(cppcoreguidelines-pro-type-member-init)
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
  // Woken for a quarter of the window: a write for every acknowledged packet would be a waste.
  const std::size_t limit = std::min(budget_.window(), buffer_);
  if (used() > limit - limit / 4) return false;
  if (room() == 0) {
    wait();
    return false;
  }
  waits_ = Waits::kNo;
  return true;
}

}  // namespace peersock::adapters
