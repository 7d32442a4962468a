// The client of a magic-wormhole rendezvous server: nameplate, mailbox, key, ordered messages.
// Source: magic-wormhole-protocols, client-protocol.md; docs/spec/rendezvous.md.
//
// "Is the link up" is kept apart from "how far have we got": every request that is still to have
// an effect is sent again on LinkUp, so that the link may drop at any point.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/machine.hpp"
#include "core/rng.hpp"
#include "core/secret.hpp"
#include "wire/code.hpp"
#include "wire/mailbox_message.hpp"

namespace peersock::wormhole {

struct ClientConfig {
  std::string appid;
  /// 10 hexadecimal digits, random, the same over reconnects.
  std::string side;
  /// URLs, in the order in which the maker of a code tries them; at least one.
  std::vector<std::string> servers;
  /// Absent: allocate a nameplate and make the code. A given code names its server, and no other
  /// one is tried.
  std::optional<wire::Code> code;
  /// Sent in the encrypted `version` phase.
  nlohmann::json app_versions = nlohmann::json::object();
  /// Until our `pake` is stored in the mailbox, each step (welcome, nameplate, mailbox, pake) has
  /// this long, lost links included. Later it bounds a connection attempt and a silence while an
  /// answer is due, after which the link is taken down and opened again.
  Duration link_timeout = 20s;
  /// While a code is to be made and there are several servers, what each of them has to welcome us,
  /// and again to allocate. More than the Host takes for an attempt to connect, as it knows better
  /// what is wrong. When all servers had their turn within link_timeout, they get another one.
  Duration server_timeout = 6s;
};

/// Reconnect delays: 1 s, times 1.5 each time, at most 60 s (as the reference client does).
inline constexpr Duration kFirstReconnectDelay = 1s;
inline constexpr Duration kLongestReconnectDelay = 60s;
/// How long `CloseRequested` waits for the server's `closed` before it gives up politely.
inline constexpr Duration kCloseTimeout = 2s;
/// The same for a link that is in doubt.
inline constexpr Duration kDoubtTimeout = 2s;
/// A link on which nothing was heard for so long is asked whether it is alive.
inline constexpr Duration kPingInterval = 60s;
/// The same while the peer is awaited: what it says meanwhile is lost on a link that a NAT has
/// forgotten. With kPingPatience, the link is up again before the peer gives up on us
/// (ice::kPathTimeout).
inline constexpr Duration kMeetingPingInterval = 15s;
/// For the answer to such a question.
inline constexpr Duration kPingPatience = 10s;
/// Numbered phases that are kept at most: of the peer until it is their turn, of ours until the
/// server has confirmed them. More ends the session.
inline constexpr std::size_t kMaxPendingPhases = 256;
/// Likewise their octets; of ours, counted as they travel, in hexadecimal.
inline constexpr std::size_t kMaxPendingOctets = std::size_t{4} * 1024 * 1024;
/// Longest side id of a peer and longest mailbox id that are accepted, in octets.
inline constexpr std::size_t kMaxIdLength = 256;

// Inputs.
struct Started {
  static constexpr std::string_view kName = "Started";
};
/// The WebSocket is open (nothing has been received yet).
struct LinkUp {
  static constexpr std::string_view kName = "LinkUp";
};
/// The connection attempt failed, or the open link broke. `reason` is for the user.
struct LinkLost {
  static constexpr std::string_view kName = "LinkLost";
  std::string reason;
};
/// One text (or binary) frame.
struct FrameReceived {
  static constexpr std::string_view kName = "FrameReceived";
  std::string frame;
};
/// The application's next message, to be sent in a numbered phase. Legal at any time: it is kept
/// until the key is known, and then leaves in the same flight as `version`.
struct PayloadQueued {
  static constexpr std::string_view kName = "PayloadQueued";
  Bytes payload;
};
/// Something broke that may have broken the link, too: if it seems to be up, it is asked at once
/// whether it is alive; a planned attempt to connect does not wait. Only once the peer is verified.
struct LinkDoubted {
  static constexpr std::string_view kName = "LinkDoubted";
  /// This machine has other addresses than before: the link is opened anew without being asked.
  bool moved = false;
};
/// Leave the mailbox. Ends in Closed: at once when no nameplate was asked for, else within
/// kCloseTimeout.
struct CloseRequested {
  static constexpr std::string_view kName = "CloseRequested";
  wire::Mood mood = wire::Mood::kHappy;
};
using ClientInput = std::variant<Started, LinkUp, LinkLost, FrameReceived, PayloadQueued,
                                 LinkDoubted, CloseRequested, DeadlineReached>;

// Outputs.
/// Open the WebSocket (again); answered by LinkUp or LinkLost. `url` is one of the servers.
struct OpenLink {
  static constexpr std::string_view kName = "OpenLink";
  std::string url;
};
struct SendFrame {
  static constexpr std::string_view kName = "SendFrame";
  std::string frame;
};
/// Close the WebSocket; no LinkLost is expected for it.
struct CloseLink {
  static constexpr std::string_view kName = "CloseLink";
};
/// The server welcomed us for the first time, or for the first time after another one was tried.
struct Joined {
  static constexpr std::string_view kName = "Joined";
  std::string url;
  std::optional<std::string> motd;  ///< fit to be shown
};
/// The code is complete: made by us, or the one that was given.
struct CodeReady {
  static constexpr std::string_view kName = "CodeReady";
  wire::Code code;
  bool made_here = false;
};
/// The peer's `pake` is in: someone is there. Its side id decides who leads.
struct PeerSeen {
  static constexpr std::string_view kName = "PeerSeen";
  std::string peer_side;
};
/// The peer's `version` was decrypted: it used the same code.
struct PeerVerified {
  static constexpr std::string_view kName = "PeerVerified";
  nlohmann::json app_versions;
  /// Derived from the shared key with purpose "peersock/smp", 32 octets.
  Secret wormhole_key;
};
/// The peer's numbered phases, in order, each once, never before PeerVerified.
struct PayloadReceived {
  static constexpr std::string_view kName = "PayloadReceived";
  Bytes payload;
};
/// A condition that the user should know but that does not end the session (link lost, retrying).
struct Warned {
  static constexpr std::string_view kName = "Warned";
  std::string message;
};
/// Terminal: the mailbox is closed, or the time for it is up. The link is closed too.
struct Closed {
  static constexpr std::string_view kName = "Closed";
};
/// Terminal: kUsage (the code names a server that is not there), kRendezvousUnreachable,
/// kCodeInUse, kAuthentication (a message of the peer does not decrypt: wrong code; never retried),
/// kConnectionLost (the peer broke the protocol). The machine has already asked to close the
/// mailbox with the fitting mood, as far as it could, and has closed the link.
struct Failed {
  static constexpr std::string_view kName = "Failed";
  Error error;
};
using ClientOutput = std::variant<OpenLink, SendFrame, CloseLink, Joined, CodeReady, PeerSeen,
                                  PeerVerified, PayloadReceived, Warned, Closed, Failed>;

class Client {
 public:
  using Input = ClientInput;
  using Output = ClientOutput;
  static constexpr std::string_view kName = "wormhole";

  /// `rng` must outlive the machine.
  Client(ClientConfig config, Rng& rng);
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  [[nodiscard]] std::vector<Output> handle(Input input, Instant now);
  [[nodiscard]] std::optional<Instant> deadline() const;
  /// Progress, not link: "Idle", "Allocating", "Claiming", "Opening", "AwaitPake",
  /// "AwaitVersion", "Verified", "Closing", "Done".
  [[nodiscard]] std::string_view state_name() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace peersock::wormhole
