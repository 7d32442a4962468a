// What is known of the NAT between this machine and the internet, in the words of RFC 4787, and
// which peers can be reached through it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/time.hpp"
#include "wire/stun.hpp"

namespace peersock::ice::nat {

/// RFC 4787 section 4.1: when two destinations see the same address and port.
enum class Mapping : std::uint8_t {
  kUnknown,
  kEndpointIndependent,
  kEndpointDependent,  ///< one of the next two
  kAddressDependent,
  kAddressAndPortDependent,
};
[[nodiscard]] std::string_view to_string(Mapping mapping);

/// RFC 4787 section 5: whose datagrams come in.
enum class Filtering : std::uint8_t {
  kUnknown,
  kEndpointIndependent,
  kAddressDependent,
  kAddressAndPortDependent,
};
[[nodiscard]] std::string_view to_string(Filtering filtering);

/// RFC 4787 section 6: whether a datagram to the outer address of a neighbour comes in again.
enum class Hairpin : std::uint8_t { kUnknown, kWorks, kFails };
[[nodiscard]] std::string_view to_string(Hairpin hairpin);

/// Why no server told us our address.
enum class Trouble : std::uint8_t {
  kNone,
  kSilent,   ///< no answer in time
  kRefused,  ///< the answer was an error, or of no use
  kNoRoute,  ///< the system has no way to the server
};

struct Report {
  Trouble trouble = Trouble::kSilent;       ///< kNone if and only if there is `mapped`
  std::optional<wire::StunAddress> mapped;  ///< as a server sees us; absent: none answered
  std::optional<wire::StunAddress> server;  ///< the one that said so
  std::optional<Duration> answered_after;   ///< from the first sending of the request
  bool translated = false;                  ///< `mapped` is not our own address and port
  bool port_kept = false;
  bool address_varies = false;     ///< two mappings had two external addresses (a pool of them)
  bool has_other_address = false;  ///< the server answers from two addresses (RFC 5780)
  Mapping mapping = Mapping::kUnknown;
  Filtering filtering = Filtering::kUnknown;
  Hairpin hairpin = Hairpin::kUnknown;

  friend bool operator==(const Report&, const Report&) = default;
};

/// The NAT of the other side, by the names that people use.
enum class PeerKind : std::uint8_t {
  kOpen,               ///< no NAT and no firewall
  kFullCone,           ///< endpoint-independent mapping and filtering
  kAddressRestricted,  ///< endpoint-independent mapping, address-dependent filtering
  kPortRestricted,     ///< endpoint-independent mapping, address-and-port-dependent filtering
  kSymmetric,          ///< address-and-port-dependent mapping and filtering
};
inline constexpr PeerKind kPeerKinds[] = {PeerKind::kOpen, PeerKind::kFullCone,
                                          PeerKind::kAddressRestricted, PeerKind::kPortRestricted,
                                          PeerKind::kSymmetric};
[[nodiscard]] std::string_view to_string(PeerKind kind);

enum class Reach : std::uint8_t { kDirect, kNotDirect, kUnknown };

/// Whether ICE finds a direct path, if both sides send at about the same time (RFC 8445).
[[nodiscard]] Reach reach(const Report& ours, PeerKind peer);

/// Whether a session that is relayed for want of a direct path searches for a port that leads to
/// one (docs/spec/port-search.md), by the roles that follow from the two mappings. Often it finds
/// one.
[[nodiscard]] bool searches_for_port(const Report& ours, PeerKind peer);

}  // namespace peersock::ice::nat
