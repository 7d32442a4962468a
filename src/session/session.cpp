#include "session/session.hpp"

#include <algorithm>
#include <utility>

#include "auth/handshake.hpp"

namespace peersock::session {

static_assert(Machine<Session>);

namespace {

/// What a close by the peer means to this side.
Error close_error(const QuicClosed& closed) {
  if (closed.error) return *closed.error;
  if (closed.application_code ==
      static_cast<std::uint64_t>(wire::SessionError::kAuthenticationFailed)) {
    return {ErrorKind::kAuthentication,
            "The other side refused the proof of the code; make a new code and try again"};
  }
  return {ErrorKind::kConnectionLost,
          "The other side closed the connection" +
              (closed.reason.empty() ? std::string() : " (" + closed.reason + ")") +
              "; start both sides again with a new code"};
}

bool is_orderly(const QuicClosed& closed) {
  if (!closed.application_code) return false;
  switch (static_cast<wire::SessionError>(*closed.application_code)) {
    case wire::SessionError::kDone:
    case wire::SessionError::kInterrupted:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool serves_once(wire::Mode mode, bool once) {
  return once || mode == wire::Mode::kStdioA || mode == wire::Mode::kStdioB;
}

Session::Session(SessionConfig config) : config_(std::move(config)) {}

std::vector<SessionOutput> Session::handle(Input input, Instant now) {
  std::visit([&](auto& held) { on(held, now); }, input);
  return std::exchange(outputs_, {});
}

std::optional<Instant> Session::deadline() const {
  if (const auto* meeting = std::get_if<Meeting>(&state_)) return meeting->due;
  if (const auto* connecting = std::get_if<Connecting>(&state_)) return connecting->due;
  if (const auto* leaving = std::get_if<Leaving>(&state_)) return leaving->due;
  return std::nullopt;
}

std::string_view Session::state_name() const {
  return name_of(state_);
}

void Session::unexpected() {
  // Late or early facts are harmless here: a stage that has been told to stop may still report.
}

void Session::emit(Event event) {
  outputs_.emplace_back(Emit{std::move(event)});
}

// ---- rendezvous -------------------------------------------------------------------------------

void Session::on(Started& /*input*/, Instant now) {
  if (!in<Idle>()) return unexpected();
  Meeting meeting;
  if (config_.peer_timeout) meeting.due = now + *config_.peer_timeout;
  state_ = meeting;
  mailbox_ = Mailbox::kOpen;
  outputs_.emplace_back(StartRendezvous{});
  outputs_.emplace_back(StartGathering{});
}

void Session::on(RendezvousJoined& input, Instant /*now*/) {
  auto* meeting = std::get_if<Meeting>(&state_);
  if (meeting == nullptr) return unexpected();
  meeting->joined = true;
  emit(event::RendezvousJoined{std::move(input.url)});
  if (input.motd && !input.motd->empty()) emit(event::Motd{*input.motd});
}

void Session::on(CodeReady& input, Instant /*now*/) {
  if (!in<Meeting>()) return unexpected();
  if (input.made_here) emit(event::CodeMade{input.code.spoken()});
  code_made_here_ = input.made_here;
  code_ = std::move(input.code);
}

void Session::on(PeerSeen& /*input*/, Instant now) {
  auto* meeting = std::get_if<Meeting>(&state_);
  if (meeting == nullptr || meeting->peer_seen) return unexpected();
  meeting->peer_seen = true;
  meeting->due = now + kIntroductionTimeout;
  outputs_.emplace_back(StartTrickle{});
}

void Session::on(PeerVerified& input, Instant /*now*/) {
  auto* meeting = std::get_if<Meeting>(&state_);
  if (meeting == nullptr || !meeting->peer_seen) return unexpected();
  auto introduction = wire::parse_introduction(input.app_versions);
  if (!introduction) return fail(introduction.error());
  if (auto conflict = wire::mode_conflict(config_.mode, introduction->mode)) {
    return fail({ErrorKind::kIncompatible, *conflict});
  }
  peer_ = std::move(*introduction);
  emit(event::PeerArrived{std::string(wire::to_string(peer_->mode))});
  const bool restarts = peer_can(kRestartCapability);
  outputs_.emplace_back(
      StartQuic{leads() ? quic::Role::kClient : quic::Role::kServer, peer_->fingerprint, restarts});
  if (restarts) outputs_.emplace_back(AllowRestarts{});
  state_ = Connecting{std::move(input.wormhole_key), std::nullopt};
}

void Session::on(RendezvousFailed& input, Instant /*now*/) {
  mailbox_ = Mailbox::kClosed;
  if (in<Meeting>() || (in<Connecting>() && !path_)) return fail(std::move(input.error));
  end_if_closed();
}

void Session::on(RendezvousClosed& /*input*/, Instant /*now*/) {
  mailbox_ = Mailbox::kClosed;
  end_if_closed();
}

void Session::on(StageWarned& input, Instant /*now*/) {
  if (in<Ended>()) return unexpected();
  emit(event::Warning{std::move(input.message)});
}

void Session::on(RendezvousWarned& input, Instant /*now*/) {
  if (!in<Meeting>() && !in<Connecting>()) return unexpected();
  emit(event::Warning{std::move(input.message)});
}

bool Session::peer_can(std::string_view capability) const {
  return peer_ && std::ranges::find(peer_->capabilities, capability) != peer_->capabilities.end();
}

// ---- path and connection ----------------------------------------------------------------------

void Session::report_path(std::optional<Duration> round_trip) {
  if (!path_) return;
  path_reported_ = true;
  emit(event::PathChosen{*path_, round_trip});
}

void Session::on(PathSought& /*input*/, Instant /*now*/) {
  if (!in<Connecting>() || !leads() || peer_->smp.empty()) return unexpected();
  outputs_.emplace_back(PrepareProof{std::exchange(peer_->smp, {})});
}

void Session::on(PathReady& input, Instant now) {
  const bool changed = path_ != input.path;
  path_ = std::move(input.path);
  if (auto* connecting = std::get_if<Connecting>(&state_)) {
    if (connecting->due) return;
    connecting->due = now + kHandshakeTimeout;
    outputs_.emplace_back(OpenPath{});
  } else if (in<Proving>() || in<Open>()) {
    if (changed || !path_reported_) report_path(std::nullopt);
  } else {
    unexpected();
  }
}

void Session::on(PathBroken& /*input*/, Instant /*now*/) {
  if (!in<Proving>() && !in<Open>()) return unexpected();
  emit(event::Warning{"The path to the other side does not answer; waiting for it to come back"});
}

void Session::on(PathFailed& input, Instant /*now*/) {
  // Once data flows, QUIC's idle time-out is the judge of the path, not ICE.
  if (in<Meeting>() || in<Connecting>()) return fail(std::move(input.error));
  unexpected();
}

void Session::on(PathRestarted& input, Instant /*now*/) {
  if (!in<Open>()) return unexpected();
  emit(event::PathRestarted{input.reason});
}

void Session::on(PeerSilent& input, Instant /*now*/) {
  if (const auto* leaving = std::get_if<Leaving>(&state_)) {
    return close(leaving->exit_code, wire::SessionError::kDone, wire::Mood::kHappy);
  }
  if (!in<Open>()) return unexpected();
  fail(std::move(input.error));
}

void Session::on(QuicEstablished& input, Instant /*now*/) {
  auto* connecting = std::get_if<Connecting>(&state_);
  if (connecting == nullptr || !code_) return unexpected();
  report_path(input.round_trip);
  outputs_.emplace_back(StartProof{auth::smp_secret(
      input.exporter.reveal(), connecting->wormhole_key.reveal(), code_->canonical().reveal())});
  state_ = Proving{};
}

void Session::on(QuicClosed& input, Instant /*now*/) {
  if (const auto* leaving = std::get_if<Leaving>(&state_)) {
    return close(leaving->exit_code, wire::SessionError::kDone, wire::Mood::kHappy);
  }
  if (const auto* open = std::get_if<Open>(&state_)) {
    const bool may_leave = !serves_once(config_.mode, config_.once) || open->finished_here;
    if (is_orderly(input) && may_leave) {
      emit(event::PeerLeft{});
      outputs_.emplace_back(StopTunnel{});
      return close(ExitCode::kDone, wire::SessionError::kDone, wire::Mood::kHappy);
    }
    return fail(close_error(input));
  }
  if (in<Connecting>() || in<Proving>()) return fail(close_error(input));
  unexpected();
}

// ---- proof ------------------------------------------------------------------------------------

void Session::on(ProofSucceeded& /*input*/, Instant /*now*/) {
  if (!in<Proving>()) return unexpected();
  state_ = Open{};
  emit(event::Authenticated{config_.engine});
  outputs_.emplace_back(SendControl{wire::control::Hello{config_.mode, config_.software}});
  const bool single = serves_once(config_.mode, config_.once) ||
                      serves_once(peer_->mode, peer_can(kOnceCapability));
  config_.once = single;
  outputs_.emplace_back(StartTunnel{wire::is_opener(config_.mode), single});
  // The mailbox is needed once more when the path breaks.
  if (peer_can(kRestartCapability)) {
    outputs_.emplace_back(WatchPath{});
  } else {
    close_rendezvous(wire::Mood::kHappy);
  }
}

void Session::on(ProofFailed& input, Instant /*now*/) {
  if (in<Leaving>() || in<Closing>() || in<Ended>()) return unexpected();
  fail(std::move(input.error));
}

// ---- control stream ---------------------------------------------------------------------------

void Session::on(ControlReceived& input, Instant now) {
  if (const auto* leaving = std::get_if<Leaving>(&state_)) {
    if (!std::holds_alternative<wire::control::Goodbye>(input.frame)) return unexpected();
    return close(leaving->exit_code, wire::SessionError::kDone, wire::Mood::kHappy);
  }
  if (in<Proving>() || in<Connecting>()) {
    return fail({ErrorKind::kAuthentication,
                 "The other side sent data before it proved that it knows the code; make a new "
                 "code and try again"});
  }
  auto* open = std::get_if<Open>(&state_);
  if (open == nullptr) return unexpected();
  std::visit(
      Overloaded{
          [&](const wire::control::Hello& hello) { on_hello(hello, *open); },
          [&](const wire::control::Ping& ping) {
            outputs_.emplace_back(SendControl{wire::control::Pong{ping.token}});
          },
          [&](const wire::control::Drained&) {
            open->finished_there = true;
            leave_if_finished(*open, now);
          },
          [&](const wire::control::Goodbye& goodbye) { on_goodbye(goodbye, *open); },
          // SMP frames go to the proof, credit to the tunnel, offers of ports to the search for
          // them; pongs and unknown frames have no effect.
          [&](wire::control::Ice& ice) { outputs_.emplace_back(HandOnIce{std::move(ice.json)}); },
          [](const wire::control::Smp&) {},
          [](const wire::control::Credit&) {},
          [](const wire::control::Pong&) {},
          [](const wire::control::PortOffer&) {},
          [](const wire::control::Unknown&) {},
      },
      input.frame);
}

void Session::on_hello(const wire::control::Hello& hello, Open& open) {
  if (open.peer_greeted || hello.mode != peer_->mode) {
    return fail({ErrorKind::kConnectionLost,
                 "The other side broke the protocol with a second or contradictory hello; check "
                 "that both sides run the same version"});
  }
  open.peer_greeted = true;
}

void Session::on_goodbye(const wire::control::Goodbye& goodbye, Open& open) {
  using Cause = wire::control::Goodbye::Cause;
  const bool complete = !config_.once || open.finished_here;
  if (goodbye.cause == Cause::kError || !complete) {
    const std::string why =
        goodbye.reason.empty() ? std::string("no reason given") : goodbye.reason;
    return fail({ErrorKind::kConnectionLost, "The other side ended the session: " + why});
  }
  emit(event::PeerLeft{});
  outputs_.emplace_back(StopTunnel{});
  outputs_.emplace_back(SendControl{wire::control::Goodbye{Cause::kDone, {}}});
  close(ExitCode::kDone, wire::SessionError::kDone, wire::Mood::kHappy);
}

void Session::on(ControlBroken& input, Instant /*now*/) {
  if (const auto* leaving = std::get_if<Leaving>(&state_)) {
    return close(leaving->exit_code, wire::SessionError::kDone, wire::Mood::kHappy);
  }
  if (!in<Connecting>() && !in<Proving>() && !in<Open>()) return unexpected();
  fail(std::move(input.error));
}

}  // namespace peersock::session
