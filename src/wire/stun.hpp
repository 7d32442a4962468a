// The little of STUN that finds out what a NAT does: Binding requests with CHANGE-REQUEST, and what
// comes back (RFC 8489 sections 5 and 14, RFC 5780 section 7).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "core/bytes.hpp"

namespace peersock::wire {

/// Longer datagrams are no answers to what we ask.
inline constexpr std::size_t kMaxStunMessage = 1500;

struct StunAddress {
  std::string address;  ///< numeric IPv4 or IPv6, as inet_ntop writes it
  std::uint16_t port = 0;

  friend bool operator==(const StunAddress&, const StunAddress&) = default;
};

using StunTransaction = std::array<std::uint8_t, 12>;

struct StunRequest {
  StunTransaction transaction{};
  bool change_address = false;  ///< answer from the other address
  bool change_port = false;     ///< answer from the other port
};
[[nodiscard]] Bytes encode(const StunRequest& request);

enum class StunKind : std::uint8_t { kRequest, kSuccess, kError };

struct StunMessage {
  StunKind kind = StunKind::kRequest;
  StunTransaction transaction{};
  std::optional<StunAddress> mapped;  ///< XOR-MAPPED-ADDRESS, else MAPPED-ADDRESS; port not 0
  std::optional<StunAddress> other;   ///< OTHER-ADDRESS, else RFC 3489's CHANGED-ADDRESS
  int error_code = 0;                 ///< 300 to 699 of an error response that has one
};

/// A message of the method Binding. Nothing for other messages, other datagrams, and those whose
/// attributes do not fit; unknown attributes are skipped. Integrity and fingerprint are not looked
/// at: whoever answers knows the transaction, and is believed no further.
[[nodiscard]] std::optional<StunMessage> parse_stun(ByteView datagram);

}  // namespace peersock::wire
