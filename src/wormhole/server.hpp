// The embedded rendezvous server as a machine: nameplates, mailboxes, history, crowding, pruning.
// Source: magic-wormhole-protocols, server-protocol.md; docs/spec/rendezvous-server.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/machine.hpp"
#include "core/rng.hpp"
#include "wormhole/server_state.hpp"

namespace peersock::wormhole {

struct ServerConfig {
  std::optional<std::string> motd;
  std::optional<std::string> welcome_error;
  std::optional<std::string> advertised_version;  ///< `current_cli_version` of the welcome
  bool allow_list = true;
  /// Says every change of what a restart must not lose (StoreChange).
  bool store_changes = false;
  /// Idle nameplates and mailboxes without a listener are dropped after this long …
  Duration prune_after = 11min;
  /// … checked this often.
  Duration prune_every = 5min;
  /// Octets; longer: error, connection closed.
  std::size_t max_frame = std::size_t{4} * 1024 * 1024;
  std::size_t max_messages_per_mailbox = 1024;  ///< then `add` is refused with an error
  std::size_t max_octets_per_mailbox = std::size_t{16} * 1024 * 1024;
  /// Connections that hear one mailbox; one more makes the oldest of them go.
  std::size_t max_listeners_per_mailbox = 16;
  std::size_t max_mailboxes = 65536;
  /// Nameplates in use that connections of one origin have made; one that holds all the short ones
  /// would make everybody else's codes longer.
  std::size_t max_nameplates_per_origin = 64;
  /// Everything that is kept for all mailboxes together; then requests that need more are refused.
  std::size_t max_octets = std::size_t{256} * 1024 * 1024;
};

/// Where a connection comes from; told to the client as `your-address`, and not kept.
struct ClientAddress {
  enum class Family : std::uint8_t { kIpv4, kIpv6 };
  Family family = Family::kIpv4;
  std::string host;  ///< numeric
  std::uint16_t port = 0;
};

/// Names one WebSocket connection; the shell never reuses one.
using ConnectionId = std::uint64_t;

// Inputs.
struct ClientConnected {
  static constexpr std::string_view kName = "ClientConnected";
  ConnectionId connection = 0;
  std::optional<ClientAddress> address = std::nullopt;
  /// Connections of the same origin share max_nameplates_per_origin; empty: no such limit. The
  /// machine only compares it.
  std::string origin = std::string();
};
struct ClientFrameReceived {
  static constexpr std::string_view kName = "ClientFrameReceived";
  ConnectionId connection = 0;
  std::string frame;
};
struct ClientDisconnected {
  static constexpr std::string_view kName = "ClientDisconnected";
  ConnectionId connection = 0;
};
using ServerInput =
    std::variant<ClientConnected, ClientFrameReceived, ClientDisconnected, DeadlineReached>;

// Outputs.
/// One text frame.
struct SendToClient {
  static constexpr std::string_view kName = "SendToClient";
  ConnectionId connection = 0;
  std::string frame;
};
/// Close the connection once what was sent has left. ClientDisconnected may follow or not.
struct DropClient {
  static constexpr std::string_view kName = "DropClient";
  ConnectionId connection = 0;
};
/// To be kept before anything that follows it is sent. Only with ServerConfig::store_changes.
struct StoreChange {
  static constexpr std::string_view kName = "StoreChange";
  StateChange change;
};
using ServerOutput = std::variant<SendToClient, DropClient, StoreChange>;

class Server {
 public:
  using Input = ServerInput;
  using Output = ServerOutput;
  static constexpr std::string_view kName = "mailbox";

  /// `epoch` is the wall-clock time in seconds that `started` corresponds to; it only fills the
  /// `server_tx` / `server_rx` fields. `rng` must outlive the machine. `restored` is the state of
  /// an earlier server; what does not fit together in it is left out.
  Server(ServerConfig config, Rng& rng, double epoch, Instant started, ServerState restored = {});
  Server(Server&&) noexcept;
  Server& operator=(Server&&) noexcept;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  [[nodiscard]] std::vector<Output> handle(Input input, Instant now);
  [[nodiscard]] std::optional<Instant> deadline() const;
  [[nodiscard]] std::string_view state_name() const { return "Serving"; }

  /// How mailboxes ended; the words of the reference server.
  struct Outcomes {
    std::uint64_t happy = 0;
    std::uint64_t lonely = 0;   ///< only one side ever came, or a side said so
    std::uint64_t scary = 0;    ///< a side reported a wrong code
    std::uint64_t errory = 0;   ///< a side reported an error
    std::uint64_t pruney = 0;   ///< idle for too long
    std::uint64_t crowded = 0;  ///< a third side came
    friend bool operator==(const Outcomes&, const Outcomes&) = default;
  };
  struct Counts {
    std::size_t connections = 0;
    std::size_t nameplates = 0;
    std::size_t mailboxes = 0;
    std::size_t messages = 0;
    std::size_t octets = 0;  ///< what ServerConfig::max_octets bounds
    Outcomes outcomes;
  };
  [[nodiscard]] Counts counts() const;
  /// A copy of all that a restart must not lose.
  [[nodiscard]] ServerState state() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace peersock::wormhole
