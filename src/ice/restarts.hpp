// Which generation of ICE carries the data, and when another one is begun (RFC 8445 section 9).
//
// A generation is an agent and a Negotiation of its own. The old one goes on carrying data until
// the new one has a path, and is dropped a little later. Here they are numbers only.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/error.hpp"
#include "core/event.hpp"
#include "core/machine.hpp"
#include "ice/policy.hpp"

namespace peersock::ice {

/// After so long without a word the peer is asked, and again each time so long after.
inline constexpr Duration kProbeAfter = 2500ms;
/// A question that has waited so long for an answer means that the path is broken.
inline constexpr Duration kProbePatience = 1500ms;
/// Silence that ends the session, unless the peer shows by other ways that it lives.
inline constexpr Duration kSilenceLimit = 12s;
/// Silence that ends the session in any case.
inline constexpr Duration kLongestSilence = 30s;
/// The peer may still send on the path that was replaced.
inline constexpr Duration kLinger = 3s;
/// NegotiationConfig::path_timeout of a restart.
inline constexpr Duration kRestartTimeout = 10s;
/// A first search whose checks have found nothing for so long is followed by a second one beside
/// it: what a STUN server has shown may be of yesterday's NAT, or no server could be asked then.
inline constexpr Duration kSecondSearchAfter = 3s;
/// From one restart of ours to the next: the first, twice as long each time, at most the second.
inline constexpr Duration kFirstPause = 1s;
inline constexpr Duration kLongestPause = 16s;
/// A restart so long after the one before is the first of a new row.
inline constexpr Duration kCalm = 60s;
/// Restarts of the peer that are followed within kCalm. More are ignored, so that a peer cannot
/// make us open sockets without end.
inline constexpr std::size_t kMostFollowed = 16;

// Inputs.
/// Both sides can restart. Without it nothing here ever begins.
struct RestartsAgreed {
  static constexpr std::string_view kName = "RestartsAgreed";
};
/// The first search knows the credentials of both sides.
struct ChecksBegan {
  static constexpr std::string_view kName = "ChecksBegan";
};
/// The session is open: the path is watched from now on.
struct DataFlows {
  static constexpr std::string_view kName = "DataFlows";
};
/// The latest instant at which something that only the peer can have sent came over any path. To
/// be told before each DeadlineReached.
struct PeerHeard {
  static constexpr std::string_view kName = "PeerHeard";
  Instant at;
};
/// This machine's addresses have changed.
struct NetworkChanged {
  static constexpr std::string_view kName = "NetworkChanged";
};
/// A message of the peer, by any way. `generation` is what it says; 0 for one that cannot be read.
struct MessageReceived {
  static constexpr std::string_view kName = "MessageReceived";
  Generation generation = 0;
  std::string json;
};
struct SearchSucceeded {
  static constexpr std::string_view kName = "SearchSucceeded";
  Generation generation = 0;
  PathInfo path;
};
/// The agent has given up the path that it had found.
struct SearchBroke {
  static constexpr std::string_view kName = "SearchBroke";
  Generation generation = 0;
};
struct SearchFailed {
  static constexpr std::string_view kName = "SearchFailed";
  Generation generation = 0;
  Error error;
};
using RestartsInput =
    std::variant<RestartsAgreed, ChecksBegan, DataFlows, PeerHeard, NetworkChanged, MessageReceived,
                 SearchSucceeded, SearchBroke, SearchFailed, DeadlineReached>;

// Outputs.
/// A new agent and a new negotiation.
struct StartSearch {
  static constexpr std::string_view kName = "StartSearch";
  Generation generation = 0;
};
struct DropSearch {
  static constexpr std::string_view kName = "DropSearch";
  Generation generation = 0;
};
/// The message is for this negotiation.
struct HandOn {
  static constexpr std::string_view kName = "HandOn";
  Generation generation = 0;
  std::string json;
};
/// Data goes this way from now on. `replaces`: it is not an agent's change of mind, but another
/// agent.
struct UsePath {
  static constexpr std::string_view kName = "UsePath";
  Generation generation = 0;
  PathInfo path;
  bool replaces = false;
};
/// Send something that the peer answers.
struct AskPeer {
  static constexpr std::string_view kName = "AskPeer";
  bool again = false;  ///< there was no answer to the last question
};
/// Whatever broke the path may have broken the link to the rendezvous server, too.
struct DoubtRendezvous {
  static constexpr std::string_view kName = "DoubtRendezvous";
  bool moved = false;  ///< surely so: our addresses have changed
};
/// For the user; once until the path is replaced.
struct TellRestart {
  static constexpr std::string_view kName = "TellRestart";
  RestartReason reason = RestartReason::kSilent;
};
/// The path broke, and nothing can be done about it.
struct PathLost {
  static constexpr std::string_view kName = "PathLost";
};
/// The first search failed, and the second one if there was any. With the error of the first.
struct NoPath {
  static constexpr std::string_view kName = "NoPath";
  Error error;
};
/// Terminal.
struct PeerSilent {
  static constexpr std::string_view kName = "PeerSilent";
  Error error;
};
using RestartsOutput = std::variant<StartSearch, DropSearch, HandOn, UsePath, AskPeer,
                                    DoubtRendezvous, TellRestart, PathLost, NoPath, PeerSilent>;

class Restarts {
 public:
  using Input = RestartsInput;
  using Output = RestartsOutput;
  static constexpr std::string_view kName = "restart";

  [[nodiscard]] std::vector<Output> handle(Input input, Instant now);
  [[nodiscard]] std::optional<Instant> deadline() const;
  /// "Single" (no restarts), "Agreed" (no data yet), "Steady", "Searching", "Pausing", "Lost".
  [[nodiscard]] std::string_view state_name() const;

 private:
  struct Single {
    static constexpr std::string_view kName = "Single";
  };
  /// Data does not flow yet: the peer's restarts are followed, because it may be ahead of us.
  struct Agreed {
    static constexpr std::string_view kName = "Agreed";
    std::optional<Instant> again;  ///< when the second search begins
    std::optional<Error> failure;  ///< of the first search, while the second one goes on
  };
  struct Steady {
    static constexpr std::string_view kName = "Steady";
  };
  /// The generation `newest_` is looking for a path.
  struct Searching {
    static constexpr std::string_view kName = "Searching";
    RestartReason reason = RestartReason::kSilent;
    bool outdated = false;  ///< our addresses have changed since
  };
  /// A restart is wanted, but not so soon after the last one.
  struct Pausing {
    static constexpr std::string_view kName = "Pausing";
    RestartReason reason = RestartReason::kSilent;
  };
  struct Lost {
    static constexpr std::string_view kName = "Lost";
  };
  using State = std::variant<Single, Agreed, Steady, Searching, Pausing, Lost>;
  struct Retired {
    Generation generation = 0;
    Instant until;
  };

  void on(RestartsAgreed& input, Instant now);
  void on(ChecksBegan& input, Instant now);
  void on(DataFlows& input, Instant now);
  void on(PeerHeard& input, Instant now);
  void on(NetworkChanged& input, Instant now);
  void on(MessageReceived& input, Instant now);
  void on(SearchSucceeded& input, Instant now);
  void on(SearchBroke& input, Instant now);
  void on(SearchFailed& input, Instant now);
  void on(DeadlineReached& input, Instant now);
  /// An input that does not fit the state: late or repeated.
  static void ignore() {}

  template <typename T>
  [[nodiscard]] bool in() const {
    return std::holds_alternative<T>(state_);
  }
  [[nodiscard]] bool watching() const { return in<Steady>() || in<Searching>() || in<Pausing>(); }
  [[nodiscard]] Instant probe_due() const;
  [[nodiscard]] Instant give_up_due() const;
  [[nodiscard]] std::optional<Instant> restart_due() const;
  [[nodiscard]] std::optional<Instant> second_search_due() const;
  [[nodiscard]] bool silent(Instant now) const;

  void follow(Generation generation, Instant now);
  [[nodiscard]] bool may_follow(Instant now);
  void ask_for_restart(RestartReason reason, Instant now);
  void begin(RestartReason reason, Instant now);
  void drop_pending();
  void start_search(RestartReason reason, Instant now);
  void replace_path(Generation generation, PathInfo path, Instant now);
  void no_second_search();
  void first_search_failed(Error error);
  void pending_search_failed(Instant now);
  void give_up(Instant now);

  State state_;
  Generation active_ = 0;  ///< carries the data
  Generation newest_ = 0;  ///< the latest that was begun, by either side
  bool pending_ = false;   ///< `newest_` is neither in use nor dropped
  std::vector<Retired> retired_;
  Instant heard_{};               ///< the peer, over any path
  Instant alive_{};               ///< the latest sign of the peer's life, by whatever way
  Instant probed_{};              ///< the latest question
  std::optional<Instant> asked_;  ///< the first question that nothing was heard after
  std::optional<Instant> begun_;  ///< the latest restart
  Duration pause_ = kFirstPause;  ///< from begun_ to the next one of ours
  std::deque<Instant> followed_;  ///< the peer's restarts of the last kCalm
  bool told_ = false;
  std::vector<Output> outputs_;
};

}  // namespace peersock::ice
