// Connectivity checks with integrity: Binding requests and their answers, each with
// MESSAGE-INTEGRITY-SHA256 (RFC 8489 section 14.6) and, to nominate, USE-CANDIDATE (RFC 8445
// section 16.1).
#pragma once

#include <optional>

#include "core/bytes.hpp"
#include "wire/port_offer.hpp"
#include "wire/stun.hpp"

namespace peersock::wire {

struct StunCheck {
  StunTransaction transaction{};
  bool answer = false;
  bool nominates = false;             ///< of requests
  std::optional<StunAddress> mapped;  ///< of answers: where the request came from, IPv4

  friend bool operator==(const StunCheck&, const StunCheck&) = default;
};

/// `key` is that of who is asked, for both the request and the answer.
[[nodiscard]] Bytes encode(const StunCheck& check, const CheckKey& key);
/// Nothing unless the message carries the integrity that `key` gives. Attributes that are not known
/// are skipped.
[[nodiscard]] std::optional<StunCheck> parse_check(ByteView datagram, const CheckKey& key);

/// Whether a datagram is STUN rather than QUIC (RFC 7983 section 7).
[[nodiscard]] inline bool looks_like_stun(ByteView datagram) {
  return !datagram.empty() && datagram[0] < 4;
}

}  // namespace peersock::wire
