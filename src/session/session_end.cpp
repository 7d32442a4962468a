// How a session ends: by itself, by the user, by an error.
#include <utility>

#include "session/session.hpp"

namespace peersock::session {
namespace {

constexpr auto kNoAnswer =
    "The other side came but did not finish its introduction; try again with a new code";
constexpr auto kNobodyCame =
    "Nobody used the code in the time given by --timeout; start again and give the other side "
    "the new code";
constexpr auto kNobodyThere =
    "The other side did not come in the time given by --timeout; check the code and the rendezvous "
    "servers of both sides, and start both again";
constexpr auto kNoServer =
    "The rendezvous server did not answer in the time given by --timeout; check the network, or "
    "use another server on both sides with --rendezvous";
constexpr auto kHandshakeSilent =
    "A path was found but the other side did not complete the QUIC handshake; try again with a "
    "new code";

wire::SessionError session_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kAuthentication:
      return wire::SessionError::kAuthenticationFailed;
    case ErrorKind::kInterrupted:
      return wire::SessionError::kInterrupted;
    case ErrorKind::kConnectionLost:
    case ErrorKind::kIncompatible:
      return wire::SessionError::kProtocol;
    default:
      return wire::SessionError::kInternal;
  }
}

wire::Mood mood_for(ErrorKind kind) {
  if (kind == ErrorKind::kAuthentication) return wire::Mood::kScary;
  if (kind == ErrorKind::kPeerNeverCame) return wire::Mood::kLonely;
  return wire::Mood::kErrory;
}

}  // namespace

// ---- leaving ----------------------------------------------------------------------------------

void Session::on(TunnelFinished& input, Instant now) {
  auto* open = std::get_if<Open>(&state_);
  if (open == nullptr) return unexpected();
  if (input.failed) {
    emit(event::Failed{*input.failed});
    return leave(exit_code(input.failed->kind),
                 {wire::control::Goodbye::Cause::kError, input.failed->message}, now);
  }
  open->finished_here = true;
  outputs_.emplace_back(SendControl{wire::control::Drained{}});
  leave_if_finished(*open, now);
}

void Session::leave_if_finished(Open& open, Instant now) {
  if (!open.finished_here || !open.finished_there) return;
  leave(ExitCode::kDone, {wire::control::Goodbye::Cause::kDone, {}}, now);
}

void Session::on(InterruptRequested& /*input*/, Instant now) {
  if (in<Open>()) {
    emit(event::Failed{{ErrorKind::kInterrupted, "Interrupted; the session is closed"}});
    return leave(ExitCode::kInterrupted,
                 {wire::control::Goodbye::Cause::kInterrupted, "interrupted by its user"}, now);
  }
  if (in<Leaving>()) {
    return close(ExitCode::kInterrupted, wire::SessionError::kInterrupted, wire::Mood::kErrory);
  }
  if (in<Closing>() || in<Idle>()) {
    // A second signal does not wait for the mailbox.
    mailbox_ = Mailbox::kClosed;
    state_ = Closing{ExitCode::kInterrupted};
    return end_if_closed();
  }
  if (in<Ended>()) return unexpected();
  fail({ErrorKind::kInterrupted, "Interrupted before the two sides were connected"});
}

void Session::on(LocalFailed& input, Instant now) {
  if (in<Open>()) {
    emit(event::Failed{input.error});
    return leave(exit_code(input.error.kind),
                 {wire::control::Goodbye::Cause::kError, input.error.message}, now);
  }
  if (in<Leaving>() || in<Closing>() || in<Ended>()) return unexpected();
  fail(std::move(input.error));
}

void Session::on(DeadlineReached& /*input*/, Instant now) {
  const auto due = deadline();
  if (!due || now < *due) return;
  if (const auto* meeting = std::get_if<Meeting>(&state_)) {
    if (meeting->peer_seen) return fail({ErrorKind::kPeerNeverCame, kNoAnswer});
    // Nobody can be blamed for not coming to a place that this side has not found either.
    if (!meeting->joined || !code_) return fail({ErrorKind::kRendezvousUnreachable, kNoServer});
    return fail({ErrorKind::kPeerNeverCame, code_made_here_ ? kNobodyCame : kNobodyThere});
  }
  if (in<Connecting>()) return fail({ErrorKind::kConnectionLost, kHandshakeSilent});
  if (const auto* leaving = std::get_if<Leaving>(&state_)) {
    close(leaving->exit_code, wire::SessionError::kDone, wire::Mood::kHappy);
  }
}

void Session::leave(ExitCode exit_code, wire::control::Goodbye goodbye, Instant now) {
  outputs_.emplace_back(StopTunnel{});
  outputs_.emplace_back(SendControl{std::move(goodbye)});
  // Beside the wait for the peer's goodbye, not after it.
  close_rendezvous(wire::Mood::kHappy);
  state_ = Leaving{exit_code, now + kGoodbyeTimeout};
}

void Session::fail(Error error) {
  const ErrorKind kind = error.kind;
  if (in<Open>()) outputs_.emplace_back(StopTunnel{});
  emit(event::Failed{std::move(error)});
  close(exit_code(kind), session_code(kind), mood_for(kind));
}

void Session::close(ExitCode exit_code, wire::SessionError code, wire::Mood mood) {
  const bool has_quic = in<Connecting>() || in<Proving>() || in<Open>() || in<Leaving>();
  if (has_quic) outputs_.emplace_back(CloseQuic{static_cast<std::uint64_t>(code), {}});
  state_ = Closing{exit_code};
  close_rendezvous(mood);
  end_if_closed();
}

void Session::close_rendezvous(wire::Mood mood) {
  if (mailbox_ == Mailbox::kIdle) mailbox_ = Mailbox::kClosed;
  if (mailbox_ != Mailbox::kOpen) return;
  mailbox_ = Mailbox::kClosing;
  outputs_.emplace_back(CloseRendezvous{mood});
}

void Session::end_if_closed() {
  const auto* closing = std::get_if<Closing>(&state_);
  if (closing == nullptr || mailbox_ != Mailbox::kClosed) return;
  const ExitCode code = closing->exit_code;
  state_ = Ended{};
  emit(event::Ended{code});
  outputs_.emplace_back(End{code});
}

}  // namespace peersock::session
