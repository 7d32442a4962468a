// What users see: a closed set of events, rendered as text or as JSON lines by app/.
// The JSON form is a specified interface (docs/spec/events.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/error.hpp"
#include "core/secret.hpp"
#include "core/time.hpp"

namespace peersock {

/// Why a path goes through a relay.
enum class RelayReason : std::uint8_t {
  kNone,                  ///< it does not
  kStillChecking,         ///< direct paths are still being tried
  kRelayOnlyHere,         ///< no others are allowed on this side
  kRelayOnlyThere,        ///< the peer offers no others
  kNoCommonFamily,        ///< IPv4 alone on one side, IPv6 alone on the other
  kUdpBlockedHere,        ///< STUN was asked, and nothing came back
  kNoPublicAddressHere,   ///< STUN was not asked, or is silent
  kNoPublicAddressThere,  ///< the peer names none
  kBothNatsDependent,     ///< endpoint-dependent mapping (RFC 4787 section 4.1) on both sides
  kNatHereDependent,      ///< on this side, and the other one does not let it in
  kNatThereDependent,
  kChecksUnanswered,  ///< nothing is known but that
};
/// "still_checking", "udp_blocked_here", …; empty for kNone.
[[nodiscard]] std::string_view to_string(RelayReason reason);
/// For people, as the end of a sentence; empty for kNone.
[[nodiscard]] std::string_view text_of(RelayReason reason);

/// How the two sides reach each other.
struct PathInfo {
  bool relayed = false;
  std::string local_type;   ///< "host", "srflx", "prflx" or "relay" (RFC 8839 section 5.1)
  std::string remote_type;  ///< likewise
  std::string local_address;
  std::string remote_address;
  std::string transport;                    ///< "udp", or "tcp" for an ICE-TCP pair
  RelayReason reason = RelayReason::kNone;  ///< of a relayed one
  /// Datagrams go through a socket of our own beside libnice's, and are never fragmented.
  bool split = false;
  /// How this side talks to its own relay: "udp", "tcp" or "tls"; empty without one.
  std::string relay_transport{};

  friend bool operator==(const PathInfo&, const PathInfo&) = default;
};

/// Why another path is looked for in the middle of a session.
enum class RestartReason : std::uint8_t {
  kSilent,   ///< the other side does not answer
  kBroken,   ///< the path reported that it is gone
  kNetwork,  ///< this machine's addresses have changed
  kPeer,     ///< the other side asked for it
};
[[nodiscard]] std::string_view to_string(RestartReason reason);

/// How a tunnelled connection ended.
enum class CloseReason : std::uint8_t {
  kFinished,     ///< both directions ended with end-of-file
  kAborted,      ///< one side reset it
  kRefused,      ///< the target refused the connection
  kUnreachable,  ///< the target could not be reached or resolved
  kSessionLost,  ///< the session ended under it
};
[[nodiscard]] std::string_view to_string(CloseReason reason);

namespace event {

/// This side made the code; the user reads it to the other side.
struct CodeMade {
  Secret code;
};
struct RendezvousJoined {
  std::string url;
};
/// The rendezvous server's message of the day, control characters removed.
struct Motd {
  std::string text;
};
/// The peer's encrypted introduction was read: it knows the code.
struct PeerArrived {
  std::string mode;
};
struct PathChosen {
  PathInfo path;
  std::optional<Duration> round_trip;
};
/// Another path is looked for; PathChosen follows when there is one.
struct PathRestarted {
  RestartReason reason = RestartReason::kSilent;
};
/// Both sides know the code; data may flow.
struct Authenticated {
  std::string engine;  ///< what carries out QUIC on this side
};
/// A local socket accepts connections.
struct Listening {
  std::string address;
};
struct ConnectionOpened {
  std::uint64_t id = 0;
};
struct ConnectionClosed {
  std::uint64_t id = 0;
  CloseReason reason = CloseReason::kFinished;
  std::uint64_t bytes_sent = 0;      ///< from the local connection to the peer
  std::uint64_t bytes_received = 0;  ///< from the peer to the local connection
};
struct PeerLeft {};
struct Warning {
  std::string message;
};
struct Failed {
  Error error;
};
/// Always the last event.
struct Ended {
  ExitCode exit_code = ExitCode::kDone;
};
/// The embedded rendezvous server accepts clients.
struct MailboxListening {
  std::string url;
};

}  // namespace event

using Event =
    std::variant<event::CodeMade, event::RendezvousJoined, event::Motd, event::PeerArrived,
                 event::PathChosen, event::PathRestarted, event::Authenticated, event::Listening,
                 event::ConnectionOpened, event::ConnectionClosed, event::PeerLeft, event::Warning,
                 event::Failed, event::Ended, event::MailboxListening>;

}  // namespace peersock
