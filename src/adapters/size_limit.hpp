// How large the datagrams of a connection may be: what its path allows, unless large ones have
// stopped to arrive.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>

#include "core/time.hpp"
#include "quic/datagram.hpp"

namespace peersock::adapters {

/// ngtcp2 finds out once which size a path carries, and keeps to it whatever happens. A path that
/// carries less later (another pair, a route that has changed) swallows every full datagram, often
/// without a word: a black hole (RFC 8899 section 4.3).
class SizeLimit {
 public:
  /// Without an acknowledgement of what large datagrams carried, for so many probe time-outs
  /// (RFC 9002 section 6.2), they are given up: three of them, each twice the one before.
  static constexpr int kProbeTimeouts = 7;
  /// But not earlier: a peer may be busy.
  static constexpr Duration kPatience = 1s;
  /// After this long they are tried again, then after twice as long, and so on.
  static constexpr Duration kFirstRetry = 60s;

  [[nodiscard]] std::size_t octets() const {
    return narrow_until_ ? quic::kMinDatagramLimit : allowed_;
  }

  /// There is a new path.
  void allow(std::size_t octets) { *this = SizeLimit(octets); }

  /// A full datagram of this size has left.
  void on_sent(std::size_t octets, Instant now) {
    if (octets > quic::kMinDatagramLimit && !unanswered_since_) unanswered_since_ = now;
  }
  void on_progress() { unanswered_since_.reset(); }

  /// Datagrams of more than the minimum do not arrive.
  void narrow(Instant now) {
    if (narrow_until_) return;
    narrow_until_ = now + retry_;
    retry_ *= 2;
    unanswered_since_.reset();
  }

  /// To be called when a timer has run out.
  void check(Duration probe_timeout, Instant now) {
    if (narrow_until_ && now >= *narrow_until_) narrow_until_.reset();
    const Duration patience = std::max(kProbeTimeouts * probe_timeout, kPatience);
    if (unanswered_since_ && now - *unanswered_since_ > patience) narrow(now);
  }

  SizeLimit() = default;

 private:
  explicit SizeLimit(std::size_t octets) : allowed_(octets) {}

  std::size_t allowed_ = quic::kMinDatagramLimit;
  std::optional<Instant> unanswered_since_;
  std::optional<Instant> narrow_until_;
  Duration retry_ = kFirstRetry;
};

}  // namespace peersock::adapters
