// One side of a session: the machines, the QUIC connection and the tunnel, wired together.
// Production and the simulated tests use this same object; only the Host differs.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/rng.hpp"
#include "core/runner.hpp"
#include "ice/negotiation.hpp"
#include "session/host.hpp"
#include "session/session.hpp"
#include "tunnel/tunnel.hpp"
#include "wormhole/client.hpp"

namespace peersock::session {

struct PeerConfig {
  wire::Mode mode = wire::Mode::kListen;
  std::optional<wire::Code> code;  ///< absent: make one
  /// URLs, at least one; the maker of a code tries them in this order.
  std::vector<std::string> rendezvous_servers;
  std::string software;
  std::optional<Duration> peer_timeout;
  bool once = false;
  ice::NegotiationConfig ice;
  /// Of QUIC, when the peer cannot restart ICE; otherwise ice::kLongestSilence, and the session
  /// ends itself earlier.
  Duration idle_timeout = 12s;
};

/// Calls in, commands out through Host. After one or more calls the owner calls `process` once;
/// so a whole train of datagrams costs one round of work and leaves as one batch.
class Peer {
 public:
  /// `host` and `rng` must outlive the peer.
  Peer(PeerConfig config, Host& host, Rng& rng);
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  Peer(Peer&&) = delete;
  Peer& operator=(Peer&&) = delete;
  ~Peer();

  void set_trace(const TraceHook& hook);
  void start();
  void interrupt();

  void link_up();
  void link_lost(std::string reason);
  void frame_received(std::string frame);

  void local_credentials(ice::Generation generation, std::string ufrag, std::string password);
  void local_candidate(ice::Generation generation, wire::Candidate candidate);
  void gathering_done(ice::Generation generation);
  void pair_selected(ice::Generation generation, PathInfo path);
  void agent_failed(ice::Generation generation);
  void checks_finished(ice::Generation generation, ice::ChecksFinished seen);
  /// The machine has other addresses than before.
  void network_changed();

  void port_offer_made(const wire::PortOffer& offer);
  /// A path beside ICE's carries the datagrams from now on, and until it is lost.
  void port_path_found(PathInfo path, Instant now);
  void port_path_lost(Instant now);

  void datagrams_received(const quic::DatagramTrain& train, Instant now);
  void path_writable();

  /// Returns the id for local_ready, or 0 when the connection was refused and is gone.
  tunnel::ConnectionId local_accepted(std::unique_ptr<tunnel::LocalChannel> channel);
  void target_connected(tunnel::ConnectionId connection,
                        std::unique_ptr<tunnel::LocalChannel> channel);
  void target_failed(tunnel::ConnectionId connection, const tunnel::TargetFailure& failure);
  void local_ready(tunnel::ConnectionId connection, bool readable, bool writable);
  void local_failed(Error error);

  /// Runs everything that is due, sends what is to be sent.
  void process(Instant now);
  [[nodiscard]] std::optional<Instant> deadline() const;

  /// For the live status line.
  struct Status {
    std::optional<PathInfo> path;
    std::optional<Duration> round_trip;
    std::size_t open_connections = 0;
    tunnel::Tunnel::Totals totals;
  };
  [[nodiscard]] Status status() const;
  [[nodiscard]] bool ended() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace peersock::session
