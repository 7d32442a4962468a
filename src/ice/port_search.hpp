// Finds a direct path between a NAT whose external ports depend on the destination and one that
// lets in only what it has sent to (docs/spec/port-search.md). The side behind the first one opens
// many sockets towards the other's one known endpoint; the other probes ports of the first one's
// address until a probe meets one of them. The session meanwhile runs through the relay, and goes
// back to it when the path that was found breaks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/machine.hpp"
#include "core/rng.hpp"
#include "ice/mapping_observation.hpp"
#include "ice/port_plan.hpp"
#include "wire/port_offer.hpp"

namespace peersock::ice {

/// A path that ICE finds takes less, and a session that is over by then needs none.
inline constexpr Duration kSearchDelay = 2s;
/// How long the peer's offer is waited for.
inline constexpr Duration kOfferLimit = 10s;
/// 256 sockets and 1000 probes meet in 98 of 100 cases when ports are random.
inline constexpr std::size_t kSpreadSockets = 256;
inline constexpr std::size_t kMaxProbes = 1000;
inline constexpr Duration kProbeInterval = 10ms;
/// Between two sockets' openings; each of them sends one in each round.
inline constexpr Duration kOpeningInterval = 5ms;
inline constexpr std::size_t kOpeningRounds = 2;
inline constexpr Duration kOpeningRoundInterval = 4s;
/// After the peer's offer: the probes take 10 s, and their answers some time.
inline constexpr Duration kSearchLimit = 15s;
/// Of the path in use: so many checks close together, then one a second. Without an answer for the
/// limit the path has broken; QUIC's own idle time-out is longer.
inline constexpr std::size_t kQuickChecks = 5;
inline constexpr Duration kQuickCheckInterval = 100ms;
inline constexpr Duration kCheckInterval = 1s;
inline constexpr Duration kPathLimit = 6s;

struct PortSearchConfig {
  std::vector<wire::StunAddress> servers;    ///< numeric; IPv4 ones are asked
  std::vector<std::string> local_addresses;  ///< numeric, of this machine
};

/// Sockets are counted from 0 in the order in which they were opened.
using SocketIndex = std::size_t;
/// Names a check that was sent.
using CheckId = std::uint32_t;

// Inputs.
/// The session is open: the peer knows the code.
struct SessionOpened {
  static constexpr std::string_view kName = "SessionOpened";
};
/// By ICE: the first path, and each change.
struct PathChanged {
  static constexpr std::string_view kName = "PathChanged";
  bool relayed = false;
};
struct PeerOffered {
  static constexpr std::string_view kName = "PeerOffered";
  wire::PortOffer offer;
};
/// After OpenSockets; fewer than were wanted when the system has no more.
struct SocketsOpened {
  static constexpr std::string_view kName = "SocketsOpened";
  std::vector<std::uint16_t> ports;  ///< of the new ones
};
struct ServerAnswered {
  static constexpr std::string_view kName = "ServerAnswered";
  SocketIndex socket = 0;
  wire::StunAddress from;
  wire::StunAddress mapped;
  std::optional<wire::StunAddress> other;
};
/// With the integrity of our key.
struct CheckReceived {
  static constexpr std::string_view kName = "CheckReceived";
  SocketIndex socket = 0;
  wire::StunAddress from;
  wire::StunTransaction transaction{};
  bool nominates = false;
};
/// With the integrity of the peer's key.
struct AnswerReceived {
  static constexpr std::string_view kName = "AnswerReceived";
  SocketIndex socket = 0;
  wire::StunAddress from;
};
using PortSearchInput =
    std::variant<SessionOpened, PathChanged, PeerOffered, SocketsOpened, ServerAnswered,
                 CheckReceived, AnswerReceived, DeadlineReached>;

// Outputs.
struct OpenSockets {
  static constexpr std::string_view kName = "OpenSockets";
  std::size_t count = 0;
};
struct AskServer {
  static constexpr std::string_view kName = "AskServer";
  SocketIndex socket = 0;
  wire::StunAddress server;
};
/// To the peer, over the control stream.
struct SendOffer {
  static constexpr std::string_view kName = "SendOffer";
  wire::PortOffer offer;
};
struct SendCheck {
  static constexpr std::string_view kName = "SendCheck";
  SocketIndex socket = 0;
  wire::StunAddress destination;
  CheckId id = 0;
  bool nominates = false;
};
struct SendAnswer {
  static constexpr std::string_view kName = "SendAnswer";
  SocketIndex socket = 0;
  wire::StunAddress destination;
  wire::StunTransaction transaction{};
};
/// Data goes this way from now on; the other sockets are of no more use.
struct UsePath {
  static constexpr std::string_view kName = "UsePath";
  SocketIndex socket = 0;
  wire::StunAddress remote;
  bool found_by_probe = false;  ///< of ours, so that the peer's port is the one that was guessed
};
/// Terminal: the path broke; data goes by ICE's again.
struct LeavePath {
  static constexpr std::string_view kName = "LeavePath";
};
/// Terminal: nothing was found, or nothing is needed.
struct GiveUp {
  static constexpr std::string_view kName = "GiveUp";
};
using PortSearchOutput = std::variant<OpenSockets, AskServer, SendOffer, SendCheck, SendAnswer,
                                      UsePath, LeavePath, GiveUp>;

class PortSearch {
 public:
  using Input = PortSearchInput;
  using Output = PortSearchOutput;
  static constexpr std::string_view kName = "ports";

  /// `rng` outlives the machine.
  PortSearch(PortSearchConfig config, Rng& rng);

  [[nodiscard]] std::vector<Output> handle(Input input, Instant now);
  [[nodiscard]] std::optional<Instant> deadline() const;
  /// "Idle", "Waiting" (for ICE to do better), "Observing", "Spreading" (more sockets are being
  /// opened), "Offered", "Searching", "Using", "Over".
  [[nodiscard]] std::string_view state_name() const;

 private:
  struct Idle {
    static constexpr std::string_view kName = "Idle";
  };
  struct Waiting {
    static constexpr std::string_view kName = "Waiting";
    Instant due;
  };
  struct Observing {
    static constexpr std::string_view kName = "Observing";
    MappingObservation observation;
    bool opened = false;
  };
  struct Spreading {
    static constexpr std::string_view kName = "Spreading";
    MappingObservation observation;
  };
  struct Offered {
    static constexpr std::string_view kName = "Offered";
    Instant due;
  };
  struct Searching {
    static constexpr std::string_view kName = "Searching";
    Instant give_up;
    std::optional<PortPlan> plan;  ///< if this side probes
    std::size_t probes = 0;
    std::optional<Instant> next_probe;
    SocketIndex next_opening = 0;
    std::size_t rounds = 0;
    std::optional<Instant> next_open;  ///< if this side opens
  };
  struct Using {
    static constexpr std::string_view kName = "Using";
    SocketIndex socket = 0;
    wire::StunAddress remote;
    bool nominates = false;
    std::size_t checks = 0;
    Instant next_check;
    Instant last_answer;
  };
  struct Over {
    static constexpr std::string_view kName = "Over";
  };
  using State = std::variant<Idle, Waiting, Observing, Spreading, Offered, Searching, Using, Over>;
  using Outputs = std::vector<Output>;

  void on(SessionOpened& input, Instant now, Outputs& out);
  void on(PathChanged& input, Instant now, Outputs& out);
  void on(PeerOffered& input, Instant now, Outputs& out);
  void on(SocketsOpened& input, Instant now, Outputs& out);
  void on(ServerAnswered& input, Instant now, Outputs& out);
  void on(CheckReceived& input, Instant now, Outputs& out);
  void on(AnswerReceived& input, Instant now, Outputs& out);
  void on(DeadlineReached& input, Instant now, Outputs& out);
  /// An input that does not fit the state: late, early or repeated.
  static void ignore() {}

  void wait_or_begin(Instant now, Outputs& out);
  void observe(Outputs& out);
  void go_on(Observing& observing, Instant now, Outputs& out);
  void make_offer(const MappingObservation& observation, Instant now, Outputs& out);
  void begin_search(Instant now, Outputs& out);
  void work(Searching& searching, Instant now, Outputs& out);
  void probe(Searching& searching, Instant now, Outputs& out);
  void open(Searching& searching, Instant now, Outputs& out);
  void use(SocketIndex socket, wire::StunAddress remote, bool nominates, Instant now, Outputs& out);
  void keep_up(Using& path, Instant now, Outputs& out);
  void give_up(Outputs& out);
  void check(SocketIndex socket, const wire::StunAddress& to, bool nominates, Outputs& out);

  PortSearchConfig config_;
  Rng& rng_;
  State state_;
  bool session_open_ = false;
  bool relayed_ = false;
  std::vector<std::uint16_t> ports_;  ///< of our sockets
  wire::PortOffer own_;
  std::optional<wire::PortOffer> peer_;
  CheckId next_id_ = 0;
};

/// Whether probes may be sent there, whoever asks for it: not to this machine, nor into a private
/// network (RFC 1918), a link's (RFC 3927), or to many at once.
[[nodiscard]] bool may_be_probed(const std::string& ipv4_address);

}  // namespace peersock::ice
