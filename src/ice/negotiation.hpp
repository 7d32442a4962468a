// Exchanges ICE credentials and trickled candidates with the peer and follows the agent's state.
// The agent itself (libnice in production) does the checks. docs/spec/ice.md.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/error.hpp"
#include "core/event.hpp"
#include "core/machine.hpp"
#include "wire/ice_message.hpp"

namespace peersock::ice {

/// Candidates that appear within this time of each other leave in one message.
inline constexpr Duration kTrickleBatch = 20ms;
/// Time from knowing both credentials to the first working path, before giving up.
inline constexpr Duration kPathTimeout = 30s;

enum class RelayPolicy : std::uint8_t { kAuto, kOnly, kNever };

struct NegotiationConfig {
  RelayPolicy relay = RelayPolicy::kAuto;
  Duration path_timeout = kPathTimeout;
  /// Whether any TURN server is configured; only for the sentence of the error.
  bool has_relay = false;
};

// Inputs.
/// The agent has its own ufrag and password; the first message can be made.
struct LocalCredentialsMade {
  static constexpr std::string_view kName = "LocalCredentialsMade";
  std::string ufrag;
  std::string password;
};
struct LocalCandidateFound {
  static constexpr std::string_view kName = "LocalCandidateFound";
  wire::Candidate candidate;
};
struct LocalGatheringDone {
  static constexpr std::string_view kName = "LocalGatheringDone";
};
/// The key is known: messages may leave.
struct ChannelOpened {
  static constexpr std::string_view kName = "ChannelOpened";
};
/// An encrypted message of the peer that carries {"ice": …}.
struct PeerMessageReceived {
  static constexpr std::string_view kName = "PeerMessageReceived";
  std::string json;
};
/// The agent selected a pair on which data flows (CONNECTED or better), first or anew.
struct PairSelected {
  static constexpr std::string_view kName = "PairSelected";
  PathInfo path;
};
/// The agent has given up on all pairs, or consent on the selected one has expired.
struct AgentFailed {
  static constexpr std::string_view kName = "AgentFailed";
};
using NegotiationInput =
    std::variant<LocalCredentialsMade, LocalCandidateFound, LocalGatheringDone, ChannelOpened,
                 PeerMessageReceived, PairSelected, AgentFailed, DeadlineReached>;

// Outputs.
/// To the peer through the mailbox, encrypted.
struct SendPeerMessage {
  static constexpr std::string_view kName = "SendPeerMessage";
  std::string json;
};
struct SetRemoteCredentials {
  static constexpr std::string_view kName = "SetRemoteCredentials";
  std::string ufrag;
  std::string password;
};
/// Never before SetRemoteCredentials.
struct AddRemoteCandidates {
  static constexpr std::string_view kName = "AddRemoteCandidates";
  std::vector<wire::Candidate> candidates;
};
struct EndRemoteCandidates {
  static constexpr std::string_view kName = "EndRemoteCandidates";
};
/// A working path; the first one, and each change.
struct PathReady {
  static constexpr std::string_view kName = "PathReady";
  PathInfo path;
};
/// The path broke after it had worked. QUIC goes on; its idle time-out decides.
struct PathBroken {
  static constexpr std::string_view kName = "PathBroken";
};
struct Warned {
  static constexpr std::string_view kName = "Warned";
  std::string message;
};
/// Terminal: kNoPath, or kConnectionLost when the peer's message is malformed.
struct Failed {
  static constexpr std::string_view kName = "Failed";
  Error error;
};
using NegotiationOutput = std::variant<SendPeerMessage, SetRemoteCredentials, AddRemoteCandidates,
                                       EndRemoteCandidates, PathReady, PathBroken, Warned, Failed>;

class Negotiation {
 public:
  using Input = NegotiationInput;
  using Output = NegotiationOutput;
  static constexpr std::string_view kName = "ice";

  explicit Negotiation(NegotiationConfig config);

  [[nodiscard]] std::vector<Output> handle(Input input, Instant now);
  [[nodiscard]] std::optional<Instant> deadline() const;
  /// "Gathering" (channel not open yet), "Exchanging", "Checking" (both credentials known),
  /// "Connected", "Broken", "Failed".
  [[nodiscard]] std::string_view state_name() const;

 private:
  struct Gathering {
    static constexpr std::string_view kName = "Gathering";
  };
  struct Exchanging {
    static constexpr std::string_view kName = "Exchanging";
  };
  struct Checking {
    static constexpr std::string_view kName = "Checking";
    Instant give_up;
  };
  struct Connected {
    static constexpr std::string_view kName = "Connected";
  };
  struct Broken {
    static constexpr std::string_view kName = "Broken";
  };
  struct GivenUp {
    static constexpr std::string_view kName = "Failed";
  };
  using State = std::variant<Gathering, Exchanging, Checking, Connected, Broken, GivenUp>;

  NegotiationConfig config_;
  State state_;
  // What is still to be sent: grows until the batch leaves.
  std::optional<wire::IceMessage> outgoing_;
  std::optional<Instant> batch_due_;
  std::size_t remote_candidates_ = 0;
};

}  // namespace peersock::ice
