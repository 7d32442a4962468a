#include "session/peer_impl.hpp"

#include <utility>

namespace peersock::session {
namespace {

constexpr std::size_t kSideOctets = 5;

/// Who answers the proof's first message can do so in the flight that ends the QUIC handshake, so
/// that is the QUIC client.
auth::Role proof_role(wire::Mode mode) {
  return wire::is_opener(mode) ? auth::Role::kResponder : auth::Role::kInitiator;
}

}  // namespace

Peer::Impl::Impl(PeerConfig config, Host& host, Rng& rng)
    : config_(std::move(config)),
      host_(host),
      side_(to_hex(random_bytes(rng, kSideOctets))),
      smp_engine_(host.make_smp_engine()),
      transport(host),
      wormhole(wormhole::Client(wormhole_config(), rng), *this),
      restarts(ice::Restarts(), *this),
      session(Session(session_config()), *this),
      proof(auth::Handshake(proof_role(config_.mode), std::move(smp_engine_)), *this) {}

void Peer::Impl::start() {
  session.post(Started{});
  if (proof_error_) session.post(ProofFailed{std::move(*proof_error_)});
}

/// An initiator's; a responder has none to give.
Bytes Peer::Impl::first_message() {
  if (proof_role(config_.mode) == auth::Role::kResponder) return {};
  auto first = smp_engine_->start();
  if (first) return std::move(*first);
  proof_error_ = std::move(first.error());
  return {};
}

wormhole::ClientConfig Peer::Impl::wormhole_config() {
  wire::Introduction introduction;
  introduction.mode = config_.mode;
  introduction.fingerprint = host_.engine().fingerprint();
  introduction.capabilities.emplace_back(kRestartCapability);
  if (config_.once) introduction.capabilities.emplace_back(kOnceCapability);
  introduction.smp = first_message();
  wormhole::ClientConfig client;
  client.appid = wire::kAppId;
  client.side = side_;
  client.servers = config_.rendezvous_servers;
  client.code = std::exchange(config_.code, std::nullopt);
  client.app_versions = wire::encode(introduction);
  return client;
}

SessionConfig Peer::Impl::session_config() const {
  SessionConfig session_settings;
  session_settings.mode = config_.mode;
  session_settings.software = config_.software;
  session_settings.engine = host_.engine().name();
  session_settings.peer_timeout = config_.peer_timeout;
  session_settings.once = config_.once;
  return session_settings;
}

void Peer::Impl::set_trace(const TraceHook& hook) {
  trace_ = hook;
  wormhole.set_trace(hook);
  restarts.set_trace(hook);
  for (const auto& [generation, search] : searches_) search->runner.set_trace(hook);
  session.set_trace(hook);
  proof.set_trace(hook);
}

// ---- the round --------------------------------------------------------------------------------

void Peer::Impl::process(Instant now) {
  if (ended) return;
  wormhole.wake(now);
  wake_restarts(now);
  for (const auto& [generation, search] : searches_) search->runner.wake(now);
  session.wake(now);
  proof.wake(now);
  do {
    while (step_machines(now) || step_transport() || step_tunnel()) {
    }
    transport.flush(now);
  } while (step_transport());
  finish_if_ended();
}

bool Peer::Impl::step_machines(Instant now) {
  // The session goes first: it must know of the peer before ICE hears what the peer offers.
  if (session.step(now) || restarts.step(now) || step_searches(now) || wormhole.step(now)) {
    return true;
  }
  if (proof.idle()) return false;
  // A step of the proof takes milliseconds of calculation: what is due leaves before it.
  transport.flush(now);
  return proof.step(now);
}

bool Peer::Impl::step_transport() {
  auto fact = transport.poll();
  if (!fact) return false;
  std::visit(
      Overloaded{
          [&](Transport::Established&) { established(); },
          [&](Transport::ControlFrame& held) { control_frame(std::move(held.frame)); },
          [&](Transport::ControlBroken& broken) {
            session.post(ControlBroken{std::move(broken.error)});
          },
          [&](Transport::Closed& closed) {
            session.post(QuicClosed{closed.fact.application_code, std::move(closed.fact.reason),
                                    std::move(closed.fact.error)});
          },
          [&](Transport::StreamFact& held) {
            if (tunnel) tunnel->on_fact(held.fact);
          },
      },
      *fact);
  return true;
}

bool Peer::Impl::step_tunnel() {
  if (!tunnel) return false;
  auto command = tunnel->poll_command();
  if (!command) return false;
  namespace tc = tunnel::command;
  std::visit(
      Overloaded{
          [&](const tc::ConnectTarget& c) { host_.connect_target(c.connection); },
          [&](const tc::CancelTarget& c) { host_.cancel_target(c.connection); },
          [&](const tc::PauseAccepting&) { host_.pause_accepting(); },
          [&](const tc::ResumeAccepting&) { host_.start_accepting(); },
          [&](const tc::ReportOpened& c) { host_.emit(event::ConnectionOpened{c.connection}); },
          [&](const tc::ReportClosed& c) { host_.emit(c.closed); },
          [&](const tc::GrantCredit& c) {
            transport.send_control(wire::control::Credit{c.stream, c.octets});
          },
          [&](tc::Finished& c) { session.post(TunnelFinished{std::move(c.failed)}); },
      },
      *command);
  return true;
}

void Peer::Impl::established() {
  const quic::Connection& connection = *transport.connection();
  auto exporter =
      connection.export_keying_material(auth::kExporterLabel, {}, auth::kExporterLength);
  if (!exporter) {
    session.post(QuicClosed{std::nullopt, {}, exporter.error()});
    return;
  }
  session.post(QuicEstablished{std::move(*exporter), connection.statistics().round_trip});
}

void Peer::Impl::control_frame(wire::ControlFrame frame) {
  auto* smp = std::get_if<wire::control::Smp>(&frame);
  const auto* credit = std::get_if<wire::control::Credit>(&frame);
  const auto* ports = std::get_if<wire::control::PortOffer>(&frame);
  if (smp != nullptr) {
    proof.post(auth::MessageReceived{std::move(smp->body)});
  } else if (credit != nullptr && tunnel) {
    tunnel->credit_received(credit->stream, credit->octets);
  } else if (ports != nullptr && tunnel) {
    host_.port_offer_received(ports->offer);
  } else {
    session.post(ControlReceived{std::move(frame)});
  }
}

void Peer::Impl::finish_if_ended() {
  if (!exit_code_ || ended) return;
  ended = true;
  host_.stop_accepting();
  for (const auto& [generation, search] : searches_) host_.stop_agent(generation);
  host_.ended(*exit_code_);
}

std::optional<Instant> Peer::Impl::deadline() const {
  if (ended) return std::nullopt;
  auto due = earliest(wormhole.deadline(), restarts.deadline());
  for (const auto& [generation, search] : searches_) {
    due = earliest(due, search->runner.deadline());
  }
  due = earliest(due, session.deadline());
  due = earliest(due, proof.deadline());
  return earliest(due, transport.deadline());
}

Peer::Status Peer::Impl::status() const {
  Status status;
  status.path = path_;
  if (transport.connection() != nullptr) {
    status.round_trip = transport.connection()->statistics().round_trip;
  }
  if (tunnel) {
    status.open_connections = tunnel->open_connections();
    status.totals = tunnel->totals();
  }
  return status;
}

// ---- what each machine asks for ---------------------------------------------------------------

void Peer::Impl::perform(wormhole::ClientOutput output, Instant /*now*/) {
  std::visit(
      Overloaded{
          [&](wormhole::OpenLink& o) { host_.open_link(o.url); },
          [&](wormhole::SendFrame& o) { host_.send_frame(std::move(o.frame)); },
          [&](wormhole::CloseLink&) { host_.close_link(); },
          [&](wormhole::Joined& o) {
            session.post(RendezvousJoined{std::move(o.url), std::move(o.motd)});
          },
          [&](wormhole::CodeReady& o) {
            session.post(CodeReady{std::move(o.code), o.made_here});
          },
          [&](wormhole::PeerSeen&) { session.post(PeerSeen{}); },
          [&](wormhole::PeerVerified& o) {
            session.post(PeerVerified{std::move(o.app_versions), std::move(o.wormhole_key)});
          },
          [&](wormhole::PayloadReceived& o) { message_received(std::string(as_text(o.payload))); },
          [&](wormhole::Warned& o) { session.post(RendezvousWarned{std::move(o.message)}); },
          [&](wormhole::Closed&) { session.post(RendezvousClosed{}); },
          [&](wormhole::Failed& o) { session.post(RendezvousFailed{std::move(o.error)}); },
      },
      output);
}

void Peer::Impl::perform(auth::HandshakeOutput output, Instant /*now*/) {
  std::visit(Overloaded{
                 [&](auth::SendMessage& o) {
                   transport.send_control(wire::control::Smp{std::move(o.body)});
                 },
                 [&](auth::Succeeded&) { session.post(ProofSucceeded{}); },
                 [&](auth::Failed& o) { session.post(ProofFailed{std::move(o.error)}); },
             },
             output);
}

void Peer::Impl::perform(SessionOutput output, Instant now) {
  std::visit(Overloaded{
                 [&](StartRendezvous&) { wormhole.post(wormhole::Started{}); },
                 [&](StartGathering&) { start_search(0); },
                 [&](StartTrickle&) { post(0, ice::ChannelOpened{}); },
                 [&](StartQuic& o) { start_quic(o, now); },
                 [&](PrepareProof& o) { proof.post(auth::FirstReceived{std::move(o.first)}); },
                 [&](OpenPath&) { transport.open_path(); },
                 [&](AllowRestarts&) { restarts.post(ice::RestartsAgreed{}); },
                 [&](WatchPath&) { restarts.post(ice::DataFlows{}); },
                 [&](HandOnIce& o) { message_received(std::move(o.json)); },
                 [&](StartProof& o) { proof.post(auth::Started{std::move(o.secret)}); },
                 [&](StartTunnel& o) { start_tunnel(o); },
                 [&](StopTunnel&) { stop_tunnel(); },
                 [&](SendControl& o) { transport.send_control(o.frame); },
                 [&](CloseRendezvous& o) { wormhole.post(wormhole::CloseRequested{o.mood}); },
                 [&](CloseQuic& o) { transport.close(o.code, o.reason, now); },
                 [&](Emit& o) { host_.emit(std::move(o.event)); },
                 [&](End& o) { exit_code_ = o.exit_code; },
             },
             output);
}

void Peer::Impl::start_quic(const StartQuic& start, Instant now) {
  quic::ConnectionConfig connection;
  connection.role = start.role;
  connection.peer_fingerprint = start.peer_fingerprint;
  connection.idle_timeout = start.patient ? Duration(ice::kLongestSilence) : config_.idle_timeout;
  if (auto error = transport.start(connection, now)) {
    session.post(QuicClosed{std::nullopt, {}, std::move(*error)});
  }
}

void Peer::Impl::start_tunnel(const StartTunnel& start) {
  tunnel = std::make_unique<tunnel::Tunnel>(tunnel::TunnelConfig{start.opener, start.single},
                                            *transport.connection());
  transport.release_streams();
  host_.session_opened();
  if (start.opener) host_.start_accepting();
}

void Peer::Impl::stop_tunnel() {
  host_.stop_accepting();
  if (!tunnel) return;
  tunnel->shut_down();
  while (step_tunnel()) {
  }
}

}  // namespace peersock::session
