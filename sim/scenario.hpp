// What a simulation is made of: who is where, what happens, and what must come of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/path_policy.hpp"
#include "adapters/quic_engine.hpp"
#include "world.hpp"

namespace peersock::sim {

/// How a session ended, seen from both sides together.
enum class Outcome : std::uint8_t {
  kDirect,   ///< everything arrived, over a direct path; both sides exit with 0
  kRelayed,  ///< likewise, over a relay
  kNoPath,   ///< no data; each side exits with 6, or 8 when the other told it so
  kLost,     ///< no side exits with 0 but when the other was interrupted, or everything had
             ///< arrived when it lost touch; and each has said why
  kBroken,   ///< anything else: a defect
};
[[nodiscard]] std::string_view to_string(Outcome outcome);

/// Something that happens on the way.
enum class What : std::uint8_t {
  kMailboxDown,        ///< the rendezvous server's cable is out for `lasts`
  kMailboxRestarts,    ///< it forgets everybody, and is back after `lasts`
  kListenerUnplugged,  ///< the first side's way to the Internet is cut for `lasts`
  kConnectorUnplugged,
  kListenerNatReboots,
  kConnectorNatReboots,
  kListenerInterrupted,  ///< its user ends it
  kConnectorInterrupted,
  // What follows is not in `chaos`, so that its seeds go on to mean what they meant.
  kListenerMoves,  ///< to `listener_next`, having been nowhere for `lasts`
  kConnectorMoves,
  kListenerClockJumps,  ///< its CLOCK_REALTIME, by `lasts`
  kConnectorClockJumps,
  kMailboxClockJumps,
  kMailboxMoves,  ///< is back after `lasts`, with everything forgotten, at another address
  kTurnRestarts,  ///< the TURN server closes its connections; one that is back after `lasts`, with
                  ///< everything forgotten, has reset them
};

enum class When : std::uint8_t {
  kListenerStarted,
  kConnectorStarted,
  kAuthenticated,  ///< on the listening side
  kHalfWay,        ///< the service has got half of the octets
  kStep,           ///< of one of the machines
};

enum class Who : std::uint8_t { kListener, kConnector };

/// A machine is in a state for the first time (docs/architecture.md has them all).
struct Step {
  Who who{};
  std::string machine{};
  std::string state{};
  friend bool operator==(const Step&, const Step&) = default;
};

struct Happening {
  What what{};
  When when{};
  Step step{};     ///< with kStep
  Nanos delay{0};  ///< after `when`
  Nanos lasts{0};
  friend bool operator==(const Happening&, const Happening&) = default;
};

inline constexpr Nanos kForEver = std::chrono::hours(24);

/// How the HTTP proxy is, and what sessions are told of it.
struct ProxySpec {
  std::uint64_t status = 200;  ///< of all its answers; 0: it gives none
  std::string credentials{};   ///< that it wants, `user:password`; empty: none
  std::string told{};          ///< those that sessions have
  friend bool operator==(const ProxySpec&, const ProxySpec&) = default;
};

struct Scenario {
  std::string name;
  SiteSpec listener;
  SiteSpec connector;
  Who first = Who::kListener;  ///< starts first and makes the code, which the other one types
  adapters::QuicEngine engine = adapters::kDefaultQuicEngine;
  /// The default is a user's; kNice keeps to libnice's calls, as on systems that refuse the rest.
  adapters::PathPolicy path = adapters::PathPolicy::kAuto;
  std::uint64_t octets = std::uint64_t{1} << 20;  ///< each way
  bool relay = false;                             ///< there is a TURN server
  /// It is asked over TCP as well when it is slow over UDP, as the program does of itself.
  bool relay_tcp = false;
  int pairs = 1;     ///< of hosts like these two; happenings are the first pair's
  int sessions = 1;  ///< between the two hosts of a pair, at the same time
  std::vector<Happening> happenings{};
  /// Where a side moves to; absent: to a network like its own.
  std::optional<SiteSpec> listener_next{};
  std::optional<SiteSpec> connector_next{};
  /// Both local programs are silent for so long when half of their octets are gone.
  Nanos idle{0};
  /// What names mean. The sessions know a server by its name in servers.hpp when it is one of
  /// these, and otherwise by its address.
  std::vector<NameSpec> names{};
  bool servers_ipv6 = false;         ///< the servers have addresses of both families
  std::string target = "127.0.0.1";  ///< where the service is, as the connecting side is told
  ProxySpec proxy{};                 ///< for sites that go through it
  /// A part of a warning, or of the last sentence, that one of the sides has to show its user.
  std::string says{};
  /// Any of them; empty: whatever hurts no invariant.
  std::vector<Outcome> expected{Outcome::kDirect};
  Nanos bound = std::chrono::seconds(60);  ///< of virtual time, from the start of the first side
  /// Fills in what depends on the seed.
  void (*vary)(Scenario& scenario, std::uint64_t seed) = nullptr;
  friend bool operator==(const Scenario&, const Scenario&) = default;
};

struct RunOptions {
  std::uint64_t seed = 1;
  std::string pcap_folder;  ///< empty: no files
  bool trace = false;       ///< the machines' steps, to standard error
};

struct SideReport {
  std::optional<int> exit;
  std::optional<double> authenticated;  ///< seconds of virtual time
  std::optional<double> ended;
  std::string path;    ///< types of the two candidates, `srflx/prflx`
  bool split = false;  ///< over a socket beside libnice's, or of the search for a port
  std::string failure;
};

struct Report {
  Outcome outcome = Outcome::kBroken;
  SideReport listener;
  SideReport connector;
  /// From the start of the second side to the listening socket.
  std::optional<double> connect_seconds;
  /// From the start of the second side to the first octet that the local program there, behind the
  /// listening socket, gets.
  std::optional<double> first_octet_seconds;
  /// Goodput in virtual time, each way: from the local connection until both ends have everything.
  std::optional<double> octets_per_second;
  double virtual_seconds = 0;
  std::uint64_t digest = 0;
  /// What went against an invariant; one sentence each.
  std::vector<std::string> violations;
};

/// Runs it once, from nothing to nothing. `vary` has been called. Of several sessions the first one
/// is reported, unless another one has not ended as expected.
[[nodiscard]] Report run(const Scenario& scenario, const RunOptions& options);

/// It ended as expected and in time, and no invariant was hurt.
[[nodiscard]] bool passed(const Scenario& scenario, const Report& report);

}  // namespace peersock::sim
