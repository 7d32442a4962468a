// STUN messages as a server reads and writes them (RFC 8489 section 5 and 14), and those of RFC
// 3489, which libnice sends to find its own addresses.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stack/socket_name.hpp"

namespace peersock::sim {

using Octets = std::vector<std::uint8_t>;
using OctetView = std::span<const std::uint8_t>;

enum class StunClass : std::uint16_t {
  kRequest = 0x000,
  kIndication = 0x010,
  kSuccess = 0x100,
  kError = 0x110
};

enum class StunMethod : std::uint16_t {
  kBinding = 0x001,
  kAllocate = 0x003,  ///< from here on RFC 8656 section 17
  kRefresh = 0x004,
  kSend = 0x006,
  kData = 0x007,
  kCreatePermission = 0x008,
  kChannelBind = 0x009,
};

enum class StunAttribute : std::uint16_t {
  kMappedAddress = 0x0001,
  kUsername = 0x0006,
  kMessageIntegrity = 0x0008,
  kErrorCode = 0x0009,
  kUnknownAttributes = 0x000a,
  kChannelNumber = 0x000c,
  kLifetime = 0x000d,
  kXorPeerAddress = 0x0012,
  kData = 0x0013,
  kRealm = 0x0014,
  kNonce = 0x0015,
  kXorRelayedAddress = 0x0016,
  kRequestedAddressFamily = 0x0017,
  kRequestedTransport = 0x0019,
  kXorMappedAddress = 0x0020,
};

/// The magic cookie and the transaction; RFC 3489 has no cookie, and an identifier of this length.
using StunId = std::array<std::uint8_t, 16>;
[[nodiscard]] bool has_cookie(const StunId& id);

/// Points into the datagram that it was read from.
struct StunView {
  StunClass kind{};
  StunMethod method{};
  StunId id{};
  OctetView datagram;
  std::vector<std::pair<StunAttribute, OctetView>> attributes;

  [[nodiscard]] std::optional<OctetView> find(StunAttribute attribute) const;
  [[nodiscard]] std::optional<std::uint32_t> find_number(StunAttribute attribute) const;
  [[nodiscard]] std::vector<SocketName> addresses(StunAttribute attribute) const;
  /// HMAC-SHA1 over what is before it (section 14.5).
  [[nodiscard]] bool is_signed_with(OctetView key) const;
};

[[nodiscard]] std::optional<StunView> read_stun(OctetView datagram);

class StunWriter {
 public:
  StunWriter(StunClass kind, StunMethod method, const StunId& id);
  StunWriter& add(StunAttribute attribute, OctetView value);
  StunWriter& add_text(StunAttribute attribute, std::string_view text);
  StunWriter& add_number(StunAttribute attribute, std::uint32_t number);
  StunWriter& add_address(StunAttribute attribute, const SocketName& name);
  /// Whose request this answers: XOR-MAPPED-ADDRESS, or RFC 3489's MAPPED-ADDRESS.
  StunWriter& add_mapped(const SocketName& name);
  StunWriter& add_error(int code, std::string_view reason);
  StunWriter& sign(OctetView key);
  [[nodiscard]] const Octets& octets() const { return octets_; }

 private:
  void set_length(std::size_t length);
  StunId id_;
  Octets octets_;
};

/// The key of a long-term credential (section 9.2.2).
[[nodiscard]] Octets long_term_key(std::string_view user, std::string_view realm,
                                   std::string_view password);

}  // namespace peersock::sim
