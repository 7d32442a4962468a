// The world of a session in production: one GMainContext that carries the rendezvous link, the
// ICE agent, the local endpoints and the timer.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "adapters/entropy.hpp"
#include "adapters/fd_watch.hpp"
#include "adapters/local_connector.hpp"
#include "adapters/local_listener.hpp"
#include "adapters/mailbox_link.hpp"
#include "adapters/network_watch.hpp"
#include "adapters/nice_agent.hpp"
#include "adapters/port_search_sockets.hpp"
#include "adapters/quic_engine.hpp"
#include "adapters/wakeup.hpp"
#include "core/endpoint.hpp"
#include "session/peer.hpp"

namespace peersock::adapters {

struct GlibHostConfig {
  session::PeerConfig peer;
  /// Where to listen or to connect; absent for the standard streams.
  std::optional<Endpoint> endpoint;
  /// The role and the resolver are filled in by the host. Its proxies are also those of the
  /// rendezvous.
  IceAgentConfig ice;
  QuicEngine engine = kDefaultQuicEngine;
  Congestion congestion = kDefaultCongestion;
  /// Whether a relayed session looks for a port of an endpoint-dependent NAT.
  bool port_search = true;
};

/// What the application shows or does.
struct GlibHostCallbacks {
  std::function<void(const Event&)> event;
  /// The session is over; the host may be destroyed once the loop has come round.
  std::function<void(ExitCode)> ended;
};

class GlibHost final : public session::Host {
 public:
  /// `context` must be iterated by the thread that made it, and outlive the host. A local address
  /// that can not be bound is an error before anything touches the network.
  [[nodiscard]] static Result<std::unique_ptr<GlibHost>> create(GMainContext* context,
                                                                GlibHostConfig config,
                                                                GlibHostCallbacks callbacks);
  GlibHost(const GlibHost&) = delete;
  GlibHost& operator=(const GlibHost&) = delete;
  GlibHost(GlibHost&&) = delete;
  GlibHost& operator=(GlibHost&&) = delete;
  ~GlibHost() override;

  void start();
  void interrupt();
  void set_trace(const TraceHook& hook);
  [[nodiscard]] session::Peer::Status status() const { return peer_->status(); }

  void open_link(const std::string& url) override;
  void send_frame(std::string frame) override;
  void close_link() override;
  void start_agent(ice::Generation generation) override;
  void set_remote_credentials(ice::Generation generation, const std::string& ufrag,
                              const std::string& password) override;
  void add_remote_candidates(ice::Generation generation,
                             const std::vector<wire::Candidate>& candidates) override;
  void end_remote_candidates(ice::Generation generation) override;
  void use_agent(ice::Generation generation) override;
  void stop_agent(ice::Generation generation) override;
  void path_ready(const PathInfo& path) override;
  void session_opened() override;
  void port_offer_received(const wire::PortOffer& offer) override;
  quic::SendOutcome send_batch(const quic::DatagramTrain& train) override;
  quic::Engine& engine() override { return *engine_; }
  std::unique_ptr<auth::SmpEngine> make_smp_engine() override;
  void start_accepting() override;
  void pause_accepting() override;
  void stop_accepting() override;
  void connect_target(tunnel::ConnectionId connection) override;
  void cancel_target(tunnel::ConnectionId connection) override;
  void emit(Event event) override;
  void ended(ExitCode exit_code) override;

 private:
  GlibHost(GMainContext* context, GlibHostConfig config, GlibHostCallbacks callbacks,
           std::unique_ptr<SystemRng> rng, std::unique_ptr<quic::Engine> engine);
  [[nodiscard]] std::optional<Error> bind();
  [[nodiscard]] IceAgentCallbacks agent_callbacks(ice::Generation generation);
  [[nodiscard]] IceAgent* agent(ice::Generation generation) const;
  [[nodiscard]] ReadyHandler ready_handler(std::shared_ptr<tunnel::ConnectionId> id);
  void accepted(UniqueFd fd);
  void open_standard_streams();
  void start_standard_streams();
  void make_port_search(bool wanted);
  void receive(std::span<const quic::DatagramTrain> trains);
  void answer_target(tunnel::ConnectionId connection, LocalConnector::Outcome outcome);

  void run();
  void schedule() { round_.soon(); }

  GMainContext* context_;
  wire::Mode mode_;
  std::optional<Endpoint> endpoint_;
  IceAgentConfig ice_config_;
  GlibHostCallbacks callbacks_;
  std::unique_ptr<SystemRng> rng_;
  std::unique_ptr<quic::Engine> engine_;
  std::unique_ptr<LocalListener> listener_;
  std::unique_ptr<LocalConnector> connector_;
  bool listening_reported_ = false;
  bool stdio_used_ = false;  // the standard streams are one connection
  Wakeup round_;             // coalesces everything that happened in one turn of the loop
  Wakeup deadline_;
  Wakeup stdio_start_;
  tunnel::ConnectionId stdio_connection_ = 0;
  MailboxLink link_;
  std::unique_ptr<session::Peer> peer_;
  // After the peer, so that it goes first and delivers nothing to a peer that is gone.
  std::map<ice::Generation, std::unique_ptr<IceAgent>> agents_;
  ice::Generation sending_ = 0;
  /// Stopped, perhaps from inside a call of theirs.
  std::vector<std::unique_ptr<IceAgent>> retired_;
  Wakeup bury_;
  NetworkWatch network_;
  std::unique_ptr<PortSearchSockets> port_search_;  ///< none when it is not wanted or of no use
};

}  // namespace peersock::adapters
