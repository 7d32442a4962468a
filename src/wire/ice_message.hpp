// ICE credentials and candidates as they travel in the encrypted mailbox phases
// (docs/spec/ice.md). Candidate lines follow RFC 8839 section 5.1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace peersock::wire {

/// Counts the ICE restarts of a session (RFC 8445 section 9), from 0.
using IceGeneration = std::uint32_t;

/// More candidates than this in one generation are ignored (one warning), so that a peer cannot
/// make the number of candidate pairs explode.
inline constexpr std::size_t kMaxCandidates = 64;
/// Longest candidate line, and longest message as JSON text, that we read; in octets.
inline constexpr std::size_t kMaxCandidateLine = 512;
inline constexpr std::size_t kMaxIceMessage = std::size_t{1024} * 1024;

/// Whether `text` is `least` to `most` ice-char: letters, digits, '+' and '/'.
[[nodiscard]] bool is_ice_text(std::string_view text, std::size_t least, std::size_t most);

enum class CandidateType : std::uint8_t { kHost, kServerReflexive, kPeerReflexive, kRelayed };
[[nodiscard]] std::string_view to_string(
    CandidateType type);  ///< "host", "srflx", "prflx", "relay"

enum class CandidateTransport : std::uint8_t { kUdp, kTcpActive, kTcpPassive, kTcpSimultaneous };

/// One candidate of component 1. Addresses are numeric, IPv4 or IPv6 without scope, in their
/// shortest form, and can be reached in principle: not unspecified, multicast, broadcast or an
/// IPv4 address mapped into IPv6. The port is never 0 (TCP active candidates carry 9, RFC 6544).
struct Candidate {
  std::string foundation;  ///< 1 to 32 ice-char
  CandidateTransport transport = CandidateTransport::kUdp;
  std::uint32_t priority = 0;  ///< 1 to 2^31-1
  std::string address;
  std::uint16_t port = 0;
  CandidateType type = CandidateType::kHost;
  std::optional<std::string> related_address;  ///< numeric; for diagnosis only, may be 0.0.0.0
  std::optional<std::uint16_t> related_port;   ///< present whenever related_address is

  friend bool operator==(const Candidate&, const Candidate&) = default;
};

/// `candidate:FOUNDATION 1 udp PRIORITY ADDRESS PORT typ TYPE [raddr A rport P] [tcptype T]`
[[nodiscard]] std::string format_candidate(const Candidate& candidate);
/// Error kind kConnectionLost (the peer broke the protocol). Unknown extension attributes are
/// ignored. Also usable for the lines that libnice makes (with or without a leading "a=").
[[nodiscard]] Result<Candidate> parse_candidate(std::string_view line);

/// One message of the trickle (RFC 8838 in spirit): credentials in the first, candidates as they
/// appear, `end_of_candidates` in the last.
struct IceMessage {
  IceGeneration generation = 0;  ///< credentials change with it
  std::optional<std::string> ufrag;
  std::optional<std::string> password;
  std::vector<Candidate> candidates;
  bool end_of_candidates = false;

  friend bool operator==(const IceMessage&, const IceMessage&) = default;
};

/// JSON: {"ice":{"generation":0,"ufrag":"…","pwd":"…","candidates":["candidate:…"],"end":true}}
[[nodiscard]] std::string encode(const IceMessage& message);

struct ParsedIceMessage {
  IceMessage message;
  /// Lines that were malformed, not usable, or beyond the first kMaxCandidates, and skipped.
  std::size_t refused_candidates = 0;
};
/// To whom a message belongs; nothing when `json` is not of the form at all.
[[nodiscard]] std::optional<IceGeneration> generation_of(std::string_view json);
/// A bad candidate is skipped and counted; a message that is not of this form is an error
/// (kConnectionLost). ufrag 4 to 256, pwd 22 to 256 ice-char (RFC 8839 section 5.4),
/// both or neither. Unknown members are ignored.
[[nodiscard]] Result<ParsedIceMessage> parse_ice_message(std::string_view json);

}  // namespace peersock::wire
