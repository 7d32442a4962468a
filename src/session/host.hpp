// What a session needs of the world. Two implementations: GLib, libnice and sockets in adapters/,
// and the virtual network of the integration tests.
//
// No method calls back into the Peer before it returns: answers come later, as calls of Peer.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "auth/handshake.hpp"
#include "core/event.hpp"
#include "ice/policy.hpp"
#include "quic/connection.hpp"
#include "quic/datagram.hpp"
#include "tunnel/tunnel.hpp"
#include "wire/ice_message.hpp"
#include "wire/port_offer.hpp"

namespace peersock::session {

class Host {
 public:
  Host() = default;
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  Host(Host&&) = delete;
  Host& operator=(Host&&) = delete;
  virtual ~Host() = default;

  // The rendezvous link. Answers: Peer::link_up, link_lost, frame_received.
  virtual void open_link(const std::string& url) = 0;
  virtual void send_frame(std::string frame) = 0;
  virtual void close_link() = 0;

  // ICE agents, one a generation; openers are controlling. Answers, with the generation:
  // Peer::local_credentials, local_candidate, gathering_done, pair_selected, agent_failed,
  // checks_finished.
  /// Makes the agent, with the addresses that the machine has now.
  virtual void start_agent(ice::Generation generation) = 0;
  virtual void set_remote_credentials(ice::Generation generation, const std::string& ufrag,
                                      const std::string& password) = 0;
  virtual void add_remote_candidates(ice::Generation generation,
                                     const std::vector<wire::Candidate>& candidates) = 0;
  virtual void end_remote_candidates(ice::Generation generation) = 0;
  /// Datagrams leave by this agent from now on; before, they leave by none.
  virtual void use_agent(ice::Generation generation) = 0;
  virtual void stop_agent(ice::Generation generation) = 0;

  // The search for a port of an endpoint-dependent NAT, while the path leads through a relay.
  // Answers: Peer::port_offer_made, port_path_found, port_path_lost.
  /// The path that ICE gives, and each change.
  virtual void path_ready(const PathInfo& path) = 0;
  /// The proof has succeeded: a search may begin.
  virtual void session_opened() = 0;
  virtual void port_offer_received(const wire::PortOffer& offer) = 0;

  /// Datagrams over the pair that the agent in use has selected, or over the path that a search has
  /// found; kError while there is none. Answers to kWouldBlock: Peer::path_writable. Received ones,
  /// by whatever way, come as
  /// Peer::datagrams_received.
  virtual quic::SendOutcome send_batch(const quic::DatagramTrain& train) = 0;

  virtual quic::Engine& engine() = 0;
  virtual std::unique_ptr<auth::SmpEngine> make_smp_engine() = 0;

  // Local endpoints. Answers: Peer::local_accepted; Peer::target_connected or target_failed;
  // Peer::local_ready.
  virtual void start_accepting() = 0;
  virtual void pause_accepting() = 0;
  virtual void stop_accepting() = 0;
  virtual void connect_target(tunnel::ConnectionId connection) = 0;
  virtual void cancel_target(tunnel::ConnectionId connection) = 0;

  virtual void emit(Event event) = 0;
  /// The session is over; the Peer may be destroyed once this call has returned to the loop.
  virtual void ended(ExitCode exit_code) = 0;
};

}  // namespace peersock::session
