// The round-trip time of a connection, from one packet at a time: OpenSSL measures it but does
// not tell.
#pragma once

#include <algorithm>
#include <optional>

#include "core/bytes.hpp"
#include "core/time.hpp"

namespace peersock::adapters {

class RoundTrip {
 public:
  /// A packet with a short header left that asks for an acknowledgement. Its packet number is the
  /// end of the header (RFC 9000 section 17.3.1).
  void on_sent(ByteView header, Instant now) {
    const std::size_t size = (header[0] & 0x03) + 1U;
    if (pending_ || header.size() <= size) return;
    Pending packet{0, size * 8, now};
    for (const std::uint8_t octet : header.last(size)) packet.number = packet.number << 8 | octet;
    pending_ = packet;
  }

  /// `delay` is how long the peer says that it held the acknowledgement back.
  void on_acknowledged(std::uint64_t largest, Duration delay, Instant now) {
    if (!pending_) return;
    // Packet numbers are cut to `bits`: compare on the circle.
    const std::uint64_t distance = (largest - pending_->number) << (64 - pending_->bits);
    if (distance >> 63 != 0) return;
    const Duration gross = now - pending_->sent;
    pending_.reset();
    minimum_ = std::min(minimum_.value_or(gross), gross);
    // RFC 9002 section 5.3: the delay counts as far as it leaves a plausible value.
    const Duration net = gross - delay >= *minimum_ ? gross - delay : gross;
    smoothed_ = smoothed_ ? *smoothed_ + (net - *smoothed_) / 8 : net;
  }

  [[nodiscard]] std::optional<Duration> smoothed() const { return smoothed_; }
  [[nodiscard]] std::optional<Duration> minimum() const { return minimum_; }

 private:
  struct Pending {
    std::uint64_t number = 0;
    std::size_t bits = 0;
    Instant sent;
  };
  std::optional<Pending> pending_;
  std::optional<Duration> smoothed_;
  std::optional<Duration> minimum_;
};

}  // namespace peersock::adapters
