// Moves octets between local channels and QUIC streams, one stream a connection. Bounded: it
// reads only what the other side of a connection can take, and never queues without limit.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "core/event.hpp"
#include "quic/connection.hpp"
#include "tunnel/channel.hpp"
#include "wire/stream_header.hpp"

namespace peersock::tunnel {

/// Numbers connections of one session from 1, in the order in which they were opened.
using ConnectionId = std::uint64_t;

/// Octets from the peer that one connection holds at most while its local side does not take them.
inline constexpr std::size_t kMaxPending = std::size_t{16} * 1024 * 1024;
/// Octets that a side may send on a new stream before the receiver grants more. Grants follow what
/// the local side takes, up to kMaxPending ahead of it.
inline constexpr std::size_t kInitialCredit = std::size_t{256} * 1024;
/// Octets that all connections of a tunnel hold together, before none is read from any more.
inline constexpr std::size_t kMaxPendingInAll = std::size_t{64} * 1024 * 1024;
/// Octets moved for one connection and direction before others get their turn.
inline constexpr std::size_t kTurn = std::size_t{256} * 1024;
/// Local connections that wait for stream credit before the listener is to pause.
inline constexpr std::size_t kMaxWaiting = 64;
/// A listener hears of the pause a little later; beyond this, connections are turned away.
inline constexpr std::size_t kMostWaiting = 2 * kMaxWaiting;

struct TunnelConfig {
  /// Openers (listen, stdio-b) open a stream for each local connection, acceptors answer them.
  bool opener = false;
  /// Serve one connection, then be finished (stdio, --once).
  bool single = false;
};

namespace command {
/// Acceptor: connect to the local target; answered by target_connected or target_failed.
struct ConnectTarget {
  ConnectionId connection = 0;
};
/// Acceptor: forget the pending attempt, the peer has given up.
struct CancelTarget {
  ConnectionId connection = 0;
};
/// Opener: stop or go on accepting local connections.
struct PauseAccepting {};
struct ResumeAccepting {};
struct ReportOpened {
  ConnectionId connection = 0;
};
struct ReportClosed {
  event::ConnectionClosed closed;
};
/// Let the peer send so many more octets on this stream (wire::control::Credit).
struct GrantCredit {
  quic::StreamId stream = 0;
  std::uint32_t octets = 0;
};
/// A single tunnel has served its connection, and everything from the peer is delivered.
/// `failed` says why it did not end well, if so (kLocalEndpoint or kConnectionLost).
struct Finished {
  std::optional<Error> failed;
};
}  // namespace command
using TunnelCommand =
    std::variant<command::ConnectTarget, command::CancelTarget, command::PauseAccepting,
                 command::ResumeAccepting, command::ReportOpened, command::ReportClosed,
                 command::GrantCredit, command::Finished>;

/// Why a target could not be connected to.
struct TargetFailure {
  CloseReason reason = CloseReason::kRefused;  ///< kRefused or kUnreachable
  std::string message;                         ///< one sentence for this side's user
};

/// Exists from successful authentication to the end of the session. After every call the owner
/// drains `poll_command()` and then the connection's transmit().
class Tunnel {
 public:
  /// `connection` must outlive the tunnel.
  Tunnel(TunnelConfig config, quic::Connection& connection);
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;
  Tunnel(Tunnel&&) = delete;
  Tunnel& operator=(Tunnel&&) = delete;
  ~Tunnel();

  /// Opener: a local connection came in; returns the id under which `local_ready` is to be called.
  /// 0 when it was turned away and aborted: by a `single` tunnel after the first one, or because
  /// kMostWaiting wait already.
  ConnectionId local_accepted(std::unique_ptr<LocalChannel> channel);
  void target_connected(ConnectionId connection, std::unique_ptr<LocalChannel> channel);
  void target_failed(ConnectionId connection, const TargetFailure& failure);
  /// The channel of `connection` is ready, as asked for with watch().
  void local_ready(ConnectionId connection, bool readable, bool writable);

  /// Every fact of the connection that concerns a stream other than the control stream.
  void on_fact(const quic::ConnectionFact& fact);
  /// The peer lets us send so many more octets on this stream.
  void credit_received(quic::StreamId stream, std::uint32_t octets);
  /// The session is over: aborts what is open and reports each as kSessionLost.
  void shut_down();

  [[nodiscard]] std::optional<TunnelCommand> poll_command();

  [[nodiscard]] std::size_t open_connections() const;
  struct Totals {
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    std::uint64_t opened = 0;
  };
  [[nodiscard]] Totals totals() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace peersock::tunnel
