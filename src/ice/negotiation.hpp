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
#include "ice/policy.hpp"
#include "ice/relay_reason.hpp"
#include "ice/trickle.hpp"
#include "wire/ice_message.hpp"

namespace peersock::ice {

/// Time from the opening of the channel to the peer's credentials, and from these to the first
/// working path, before giving up.
inline constexpr Duration kPathTimeout = 30s;
/// What remains of it once neither side has anything left to try: a check of the peer may still
/// be on its way.
inline constexpr Duration kLastChance = 5s;

/// Time from the first check after which, when all are over, a peer that has not ended is taken to
/// have told everything: the rendezvous may have been left before.
inline constexpr Duration kSettling = 3s;

struct NegotiationConfig {
  RelayPolicy relay = RelayPolicy::kAuto;
  Duration path_timeout = kPathTimeout;
  /// Whether any TURN server is configured; only for the sentence of the error.
  bool has_relay = false;
  /// Whether a STUN server is; only for the reason why a path is relayed.
  bool has_stun = true;
  Generation generation = 0;
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
/// The agent has no pair left to check; more may come. With the peer reflexive candidates of both
/// sides.
struct ChecksFinished {
  static constexpr std::string_view kName = "ChecksFinished";
  std::vector<wire::Candidate> own;
  std::vector<wire::Candidate> peers;
};
using NegotiationInput =
    std::variant<LocalCredentialsMade, LocalCandidateFound, LocalGatheringDone, ChannelOpened,
                 PeerMessageReceived, PairSelected, AgentFailed, ChecksFinished, DeadlineReached>;

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
/// A working path; the first one, and each change of it or of the reason why it is relayed.
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
    Instant give_up;
  };
  struct Checking {
    static constexpr std::string_view kName = "Checking";
    Instant give_up;
    bool agent_failed = false;
  };
  struct Connected {
    static constexpr std::string_view kName = "Connected";
    PathInfo path;
  };
  /// QUIC goes on; its idle time-out decides, so there is no deadline here.
  struct Broken {
    static constexpr std::string_view kName = "Broken";
  };
  struct GivenUp {
    static constexpr std::string_view kName = "Failed";
  };
  using State = std::variant<Gathering, Exchanging, Checking, Connected, Broken, GivenUp>;
  using Outputs = std::vector<Output>;

  void on(LocalCredentialsMade& input, Instant now, Outputs& out);
  void on(LocalCandidateFound& input, Instant now, Outputs& out);
  void on(LocalGatheringDone& input, Instant now, Outputs& out);
  void on(ChannelOpened& input, Instant now, Outputs& out);
  void on(PeerMessageReceived& input, Instant now, Outputs& out);
  void on(PairSelected& input, Instant now, Outputs& out);
  void on(AgentFailed& input, Instant now, Outputs& out);
  void on(ChecksFinished& input, Instant now, Outputs& out);
  void on(DeadlineReached& input, Instant now, Outputs& out);
  /// An input that does not fit the state: late or repeated.
  static void ignore() {}

  void send(Instant now, Outputs& out);
  void start_checks(Instant now, Outputs& out);
  void hand_on(Outputs& out);
  void follow_selection(Outputs& out);
  void shorten_wait(Instant now);
  void give_up(Outputs& out);
  [[nodiscard]] PathInfo described(PathInfo path) const;
  [[nodiscard]] bool may_be_used(const PathInfo& path) const;
  [[nodiscard]] RelayReason reason() const;
  [[nodiscard]] std::string no_path_sentence() const;
  [[nodiscard]] std::string why_no_direct_path() const;

  NegotiationConfig config_;
  State state_;
  OutgoingTrickle outgoing_;
  IncomingTrickle incoming_;
  std::optional<PathInfo> selected_;  // by the agent, while it works
  // Those over UDP, which tell what NATs do; at most kMaxCandidates, as the peer's.
  std::vector<wire::Candidate> own_candidates_;
  std::vector<wire::Candidate> peers_candidates_;
  ChecksFinished seen_;  // as of the last time
  std::optional<Instant> checks_began_;
  bool checks_over_ = false;
  bool settled_ = false;
  bool warned_of_limit_ = false;
};

}  // namespace peersock::ice
