// The order of the stages, and nothing else: rendezvous, ICE, QUIC, proof, tunnel, goodbye.
// Each stage's outputs reach it as facts; its own outputs are commands to the stages. The wiring
// is in peer.hpp. docs/architecture.md has the diagram.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/event.hpp"
#include "core/machine.hpp"
#include "core/secret.hpp"
#include "quic/connection.hpp"
#include "wire/code.hpp"
#include "wire/control_frame.hpp"
#include "wire/introduction.hpp"
#include "wire/mailbox_message.hpp"
#include "wire/stream_header.hpp"

namespace peersock::session {

/// From the peer's verified introduction to a finished QUIC handshake, path search excluded.
inline constexpr Duration kHandshakeTimeout = 15s;
/// From the peer's `pake` to its verified introduction.
inline constexpr Duration kIntroductionTimeout = 60s;
/// How long a leaving side waits for the peer's goodbye.
inline constexpr Duration kGoodbyeTimeout = 2s;

struct SessionConfig {
  wire::Mode mode = wire::Mode::kListen;
  std::string software;
  /// The QUIC engine's name, for users.
  std::string engine;
  /// How long to wait for the peer; nothing: for ever.
  std::optional<Duration> peer_timeout;
  /// End after one connection (stdio always does). It travels as a capability, so that both sides
  /// know when everything is delivered.
  bool once = false;
};
inline constexpr std::string_view kOnceCapability = "once";
/// The side takes part in ICE restarts (docs/spec/ice.md).
inline constexpr std::string_view kRestartCapability = "ice-restart";

/// Whether a side with this mode and `once` option serves a single connection.
[[nodiscard]] bool serves_once(wire::Mode mode, bool once);

// Inputs: facts from the user, the stages and the connection.
struct Started {
  static constexpr std::string_view kName = "Started";
};
struct RendezvousJoined {
  static constexpr std::string_view kName = "RendezvousJoined";
  std::string url;
  std::optional<std::string> motd;
};
struct CodeReady {
  static constexpr std::string_view kName = "CodeReady";
  wire::Code code;
  bool made_here = false;
};
struct PeerSeen {
  static constexpr std::string_view kName = "PeerSeen";
};
struct PeerVerified {
  static constexpr std::string_view kName = "PeerVerified";
  nlohmann::json app_versions;
  Secret wormhole_key;
};
struct RendezvousFailed {
  static constexpr std::string_view kName = "RendezvousFailed";
  Error error;
};
struct RendezvousClosed {
  static constexpr std::string_view kName = "RendezvousClosed";
};
struct StageWarned {
  static constexpr std::string_view kName = "StageWarned";
  std::string message;
};
/// About the link to the rendezvous server, which matters to nobody while the path works.
struct RendezvousWarned {
  static constexpr std::string_view kName = "RendezvousWarned";
  std::string message;
};
/// ICE knows both ends and tries the paths between them: nothing is to be done here for a while.
struct PathSought {
  static constexpr std::string_view kName = "PathSought";
};
struct PathReady {
  static constexpr std::string_view kName = "PathReady";
  PathInfo path;
};
struct PathBroken {
  static constexpr std::string_view kName = "PathBroken";
};
struct PathFailed {
  static constexpr std::string_view kName = "PathFailed";
  Error error;
};
/// Another path is being looked for.
struct PathRestarted {
  static constexpr std::string_view kName = "PathRestarted";
  RestartReason reason = RestartReason::kSilent;
};
/// The peer was silent for too long, by whatever way.
struct PeerSilent {
  static constexpr std::string_view kName = "PeerSilent";
  Error error;
};
/// `exporter` is the keying material that binds the proof to this connection.
struct QuicEstablished {
  static constexpr std::string_view kName = "QuicEstablished";
  Secret exporter;
  std::optional<Duration> round_trip;
};
struct QuicClosed {
  static constexpr std::string_view kName = "QuicClosed";
  std::optional<std::uint64_t> application_code;
  std::string reason;
  std::optional<Error> error;
};
struct ProofSucceeded {
  static constexpr std::string_view kName = "ProofSucceeded";
};
struct ProofFailed {
  static constexpr std::string_view kName = "ProofFailed";
  Error error;
};
struct ControlReceived {
  static constexpr std::string_view kName = "ControlReceived";
  wire::ControlFrame frame;
};
/// The control stream broke: malformed frame, reset or early end.
struct ControlBroken {
  static constexpr std::string_view kName = "ControlBroken";
  Error error;
};
struct TunnelFinished {
  static constexpr std::string_view kName = "TunnelFinished";
  std::optional<Error> failed;
};
/// SIGINT, SIGTERM, or the user's terminal went away.
struct InterruptRequested {
  static constexpr std::string_view kName = "InterruptRequested";
};
/// The local listener broke for good.
struct LocalFailed {
  static constexpr std::string_view kName = "LocalFailed";
  Error error;
};
using SessionInput =
    std::variant<Started, RendezvousJoined, CodeReady, PeerSeen, PeerVerified, RendezvousFailed,
                 RendezvousClosed, StageWarned, RendezvousWarned, PathSought, PathReady, PathBroken,
                 PathFailed, PathRestarted, PeerSilent, QuicEstablished, QuicClosed, ProofSucceeded,
                 ProofFailed, ControlReceived, ControlBroken, TunnelFinished, InterruptRequested,
                 LocalFailed, DeadlineReached>;

// Outputs: commands to the stages.
struct StartRendezvous {
  static constexpr std::string_view kName = "StartRendezvous";
};
struct StartGathering {
  static constexpr std::string_view kName = "StartGathering";
};
/// The key is agreed: ICE messages may leave, in the same flight as our introduction.
struct StartTrickle {
  static constexpr std::string_view kName = "StartTrickle";
};
/// The connection object is made now, so that no datagram is lost; a client starts to send when
/// the path is ready.
struct StartQuic {
  static constexpr std::string_view kName = "StartQuic";
  quic::Role role = quic::Role::kClient;
  wire::Fingerprint peer_fingerprint{};
  /// The session itself watches over the path, and may wait longer than QUIC would.
  bool patient = false;
};
/// The peer, too, takes part in ICE restarts.
struct AllowRestarts {
  static constexpr std::string_view kName = "AllowRestarts";
};
/// Data may flow: a path that breaks is to be replaced.
struct WatchPath {
  static constexpr std::string_view kName = "WatchPath";
};
/// The peer's ICE message came over the control stream.
struct HandOnIce {
  static constexpr std::string_view kName = "HandOnIce";
  std::string json;
};
struct OpenPath {
  static constexpr std::string_view kName = "OpenPath";
};
/// Opener: the peer's first message of the proof is checked while the path is sought.
struct PrepareProof {
  static constexpr std::string_view kName = "PrepareProof";
  Bytes first;
};
struct StartProof {
  static constexpr std::string_view kName = "StartProof";
  Secret secret;
};
struct StartTunnel {
  static constexpr std::string_view kName = "StartTunnel";
  bool opener = false;
  bool single = false;
};
struct StopTunnel {
  static constexpr std::string_view kName = "StopTunnel";
};
struct SendControl {
  static constexpr std::string_view kName = "SendControl";
  wire::ControlFrame frame;
};
struct CloseRendezvous {
  static constexpr std::string_view kName = "CloseRendezvous";
  wire::Mood mood = wire::Mood::kHappy;
};
struct CloseQuic {
  static constexpr std::string_view kName = "CloseQuic";
  std::uint64_t code = 0;
  std::string reason;
};
struct Emit {
  static constexpr std::string_view kName = "Emit";
  Event event;
};
/// Terminal. Everything that was to be sent has been handed over.
struct End {
  static constexpr std::string_view kName = "End";
  ExitCode exit_code = ExitCode::kDone;
};
using SessionOutput =
    std::variant<StartRendezvous, StartGathering, StartTrickle, StartQuic, AllowRestarts,
                 PrepareProof, OpenPath, WatchPath, HandOnIce, StartProof, StartTunnel, StopTunnel,
                 SendControl, CloseRendezvous, CloseQuic, Emit, End>;

/// Openers (listen, stdio-b) lead: they are ICE controlling, QUIC client and the responder of the
/// proof. A session has exactly one, so the roles are known before the peer is.
class Session {
 public:
  using Input = SessionInput;
  using Output = SessionOutput;
  static constexpr std::string_view kName = "session";

  explicit Session(SessionConfig config);

  [[nodiscard]] std::vector<Output> handle(Input input, Instant now);
  [[nodiscard]] std::optional<Instant> deadline() const;
  [[nodiscard]] std::string_view state_name() const;

 private:
  struct Idle {
    static constexpr std::string_view kName = "Idle";
  };
  /// The code is made or given; nobody has proved to know it.
  struct Meeting {
    static constexpr std::string_view kName = "Meeting";
    std::optional<Instant> due;
    bool joined = false;  ///< a rendezvous server has welcomed us
    bool peer_seen = false;
  };
  /// The peer knows the code; ICE looks for a path, QUIC shakes hands on it.
  struct Connecting {
    static constexpr std::string_view kName = "Connecting";
    Secret wormhole_key;
    std::optional<Instant> due;  ///< set when the path is ready
  };
  /// QUIC is up; SMP runs on the control stream.
  struct Proving {
    static constexpr std::string_view kName = "Proving";
  };
  /// Both know the code: the tunnel is open.
  struct Open {
    static constexpr std::string_view kName = "Open";
    bool peer_greeted = false;
    bool finished_here = false;   ///< our single connection is over and delivered
    bool finished_there = false;  ///< the peer said so of its own
  };
  /// Our goodbye is sent; the peer's goodbye or close is awaited.
  struct Leaving {
    static constexpr std::string_view kName = "Leaving";
    ExitCode exit_code = ExitCode::kDone;
    Instant due;
  };
  /// QUIC is closed or never was; the mailbox is being closed.
  struct Closing {
    static constexpr std::string_view kName = "Closing";
    ExitCode exit_code = ExitCode::kDone;
  };
  struct Ended {
    static constexpr std::string_view kName = "Ended";
  };
  using State = std::variant<Idle, Meeting, Connecting, Proving, Open, Leaving, Closing, Ended>;
  enum class Mailbox : std::uint8_t { kIdle, kOpen, kClosing, kClosed };

  // One handler an input; each decides by the state, and hands what does not fit to unexpected().
  void on(Started& input, Instant now);
  void on(RendezvousJoined& input, Instant now);
  void on(CodeReady& input, Instant now);
  void on(PeerSeen& input, Instant now);
  void on(PeerVerified& input, Instant now);
  void on(RendezvousFailed& input, Instant now);
  void on(RendezvousClosed& input, Instant now);
  void on(StageWarned& input, Instant now);
  void on(RendezvousWarned& input, Instant now);
  void on(PathSought& input, Instant now);
  void on(PathReady& input, Instant now);
  void on(PathBroken& input, Instant now);
  void on(PathFailed& input, Instant now);
  void on(PathRestarted& input, Instant now);
  void on(PeerSilent& input, Instant now);
  void on(QuicEstablished& input, Instant now);
  void on(QuicClosed& input, Instant now);
  void on(ProofSucceeded& input, Instant now);
  void on(ProofFailed& input, Instant now);
  void on(ControlReceived& input, Instant now);
  void on(ControlBroken& input, Instant now);
  void on(TunnelFinished& input, Instant now);
  void on(InterruptRequested& input, Instant now);
  void on(LocalFailed& input, Instant now);
  void on(DeadlineReached& input, Instant now);

  void on_hello(const wire::control::Hello& hello, Open& open);
  void on_goodbye(const wire::control::Goodbye& goodbye, Open& open);

  [[nodiscard]] bool leads() const { return wire::is_opener(config_.mode); }
  template <typename T>
  [[nodiscard]] bool in() const {
    return std::holds_alternative<T>(state_);
  }
  void unexpected();
  void emit(Event event);
  [[nodiscard]] bool peer_can(std::string_view capability) const;
  void report_path(std::optional<Duration> round_trip);
  void leave_if_finished(Open& open, Instant now);
  /// Says goodbye over the control stream and waits for the answer.
  void leave(ExitCode exit_code, wire::control::Goodbye goodbye, Instant now);
  /// Ends because of `error`, without a goodbye.
  void fail(Error error);
  /// Closes whatever is open; the mailbox may need a moment.
  void close(ExitCode exit_code, wire::SessionError code, wire::Mood mood);
  void close_rendezvous(wire::Mood mood);
  void end_if_closed();

  SessionConfig config_;
  State state_;
  Mailbox mailbox_ = Mailbox::kIdle;
  std::optional<wire::Code> code_;
  bool code_made_here_ = false;
  std::optional<PathInfo> path_;
  bool path_reported_ = false;
  std::optional<wire::Introduction> peer_;
  std::vector<Output> outputs_;
};

}  // namespace peersock::session
