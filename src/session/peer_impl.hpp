// Inside of Peer: one runner a machine, and the map from each machine's outputs to the inputs of
// the others. It decides nothing; the order is session.hpp's.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "auth/handshake.hpp"
#include "ice/restarts.hpp"
#include "session/peer.hpp"
#include "session/transport.hpp"

namespace peersock::session {

class Peer::Impl {
 public:
  Impl(PeerConfig config, Host& host, Rng& rng);

  void set_trace(const TraceHook& hook);
  void start();
  void process(Instant now);
  [[nodiscard]] std::optional<Instant> deadline() const;
  [[nodiscard]] Status status() const;
  void port_offer_made(const wire::PortOffer& offer);
  void port_path_found(PathInfo path, Instant now);
  void port_path_lost(Instant now);

  // Called by the runners.
  void perform(wormhole::ClientOutput output, Instant now);
  void perform(ice::RestartsOutput output, Instant now);
  void perform(ice::Generation generation, ice::NegotiationOutput output);
  void perform(auth::HandshakeOutput output, Instant now);
  void perform(SessionOutput output, Instant now);

  /// To the negotiation of this generation, if it is still there.
  void post(ice::Generation generation, ice::NegotiationInput input);

 private:
  /// The negotiation of one generation.
  struct Search {
    Search(ice::Generation number, const ice::NegotiationConfig& config, Impl& impl)
        : generation(number), owner(impl), runner(ice::Negotiation(config), *this) {}
    void perform(ice::NegotiationOutput output, Instant /*now*/) {
      owner.perform(generation, std::move(output));
    }
    ice::Generation generation;
    Impl& owner;
    Runner<ice::Negotiation, Search> runner;
  };

  // Declared before the runners, which are built from them.
  PeerConfig config_;
  Host& host_;
  std::string side_;
  std::unique_ptr<auth::SmpEngine> smp_engine_;  ///< until the proof's machine has it
  std::optional<Error> proof_error_;             ///< why there is no first message to introduce
  std::optional<PathInfo> path_;                 ///< in use
  std::optional<PathInfo> ice_path_;             ///< in use, or in reserve while port_path_
  bool port_path_ = false;                       ///< the path in use is none of ICE's
  TraceHook trace_;
  std::map<ice::Generation, std::unique_ptr<Search>> searches_;
  std::optional<ExitCode> exit_code_;

 public:
  Transport transport;
  Runner<wormhole::Client, Impl> wormhole;
  Runner<ice::Restarts, Impl> restarts;
  Runner<Session, Impl> session;
  Runner<auth::Handshake, Impl> proof;
  std::unique_ptr<tunnel::Tunnel> tunnel;
  bool ended = false;

 private:
  [[nodiscard]] Bytes first_message();
  [[nodiscard]] wormhole::ClientConfig wormhole_config();
  [[nodiscard]] SessionConfig session_config() const;
  bool step_machines(Instant now);
  void start_search(ice::Generation generation);
  bool step_searches(Instant now);
  void wake_restarts(Instant now);
  void message_received(std::string json);
  void send_ice_message(ice::Generation generation, const std::string& json);
  bool step_transport();
  bool step_tunnel();
  void use_path(ice::UsePath use, Instant now);
  void take_path(PathInfo path, Instant now);
  void start_quic(const StartQuic& start, Instant now);
  void start_tunnel(const StartTunnel& start);
  void stop_tunnel();
  void control_frame(wire::ControlFrame frame);
  void established();
  void finish_if_ended();
};

}  // namespace peersock::session
