#include "tunnel/pump.hpp"

#include <algorithm>
#include <utility>

namespace peersock::tunnel {
namespace {

constexpr std::size_t kLeastRoom = std::size_t{64} * 1024;

}  // namespace

Outcome outcome_of(std::uint64_t code) {
  switch (static_cast<wire::StreamError>(code)) {
    case wire::StreamError::kRefused:
      return {CloseReason::kRefused,
              Error{ErrorKind::kLocalEndpoint,
                    "the other side's target refused the connection; check that the service is "
                    "running there and start again"}};
    case wire::StreamError::kUnreachable:
      return {CloseReason::kUnreachable,
              Error{ErrorKind::kLocalEndpoint,
                    "the other side could not reach its target; check the address that was given "
                    "there and start again"}};
    case wire::StreamError::kBusy:
      return {CloseReason::kRefused,
              Error{ErrorKind::kConnectionLost,
                    "the other side serves a single connection and has had it; start both sides "
                    "again for another one"}};
    case wire::StreamError::kProtocol:
      return {CloseReason::kAborted,
              Error{ErrorKind::kConnectionLost,
                    "the other side did not understand how the connection began; use the same "
                    "version of peersock on both sides"}};
    case wire::StreamError::kNone:
    case wire::StreamError::kAborted:
      break;
  }
  return {CloseReason::kAborted,
          Error{ErrorKind::kConnectionLost,
                "the program on the other side broke the connection off, so that not everything "
                "was transferred; look there for the cause and start again"}};
}

Pump::Pump(PumpShared& shared, quic::StreamId stream, std::unique_ptr<LocalChannel> channel,
           Bytes first)
    : shared_(shared), stream_(stream), channel_(std::move(channel)), first_(std::move(first)) {}

void Pump::start() {
  pump_up();
  pump_down();
  update_watch();
}

void Pump::stream_readable() {
  down_readable_ = true;
  pump_down();
  update_watch();
}

void Pump::stream_writable() {
  pump_up();
  update_watch();
}

void Pump::credit_received(std::uint32_t octets) {
  // More than the window is nothing that an honest peer grants.
  credit_ = std::min(credit_ + octets, 2 * kMaxPending);
  pump_up();
  update_watch();
}

void Pump::stream_stopped(std::uint64_t code) {
  // What the peer did not want of a finished direction was lost all the same.
  note(outcome_of(code));
  reset_up(code);
  // A peer that breaks off both directions says so in two frames: the local side is then to see
  // it at once, even if it does not take what came before.
  down_readable_ = true;
  pump_down();
  update_watch();
}

void Pump::local_ready(bool readable, bool writable) {
  if (writable) {
    local_blocked_ = false;
    pump_down();
  }
  if (readable) pump_up();
  update_watch();
}

void Pump::abort_local() {
  drop_pending();
  channel_->abort();
}

void Pump::pump_up() {
  std::size_t left = kTurn;
  while (up_open_ && left > 0) {
    const std::size_t space = write_first() ? shared_.quic.write_capacity(stream_) : 0;
    const std::size_t room = std::min(space, credit_);
    up_blocked_ = room == 0;
    if (up_blocked_) return;

    const auto into =
        MutableBytes(shared_.scratch).first(std::min({room, left, shared_.scratch.size()}));
    LocalRead got = channel_->read(into);
    if (got.failed) return local_broke(std::move(*got.failed));
    if (got.end) {
      shared_.quic.finish(stream_);
      up_open_ = false;
      return;
    }
    if (got.octets == 0) return;

    const std::size_t taken = shared_.quic.write(stream_, into.first(got.octets));
    sent_ += taken;
    credit_ -= taken;
    shared_.totals.sent += taken;
    // The stream had promised to take all: it is dead, and the peer's reason is on its way.
    if (taken < got.octets) {
      stop_down();
      return peer_reset(number(wire::StreamError::kAborted));
    }
    left -= taken;
    // Less than asked for: most likely there is no more now, and asking would be in vain.
    if (got.octets < into.size()) return;
  }
}

bool Pump::write_first() {
  if (first_.empty()) return true;
  const std::size_t taken = shared_.quic.write(stream_, first_);
  first_.erase(first_.begin(), first_.begin() + static_cast<std::ptrdiff_t>(taken));
  return first_.empty();
}

void Pump::reset_up(std::uint64_t code) {
  if (!std::exchange(up_open_, false)) return;
  shared_.quic.reset(stream_, code);
}

void Pump::pump_down() {
  write_pending();
  std::size_t left = kTurn;
  while (down_open_ && down_readable_ && !down_ended_ && left > 0 && room() > 0) read_stream(left);
  if (!down_open_ || !down_ended_ || pending() > 0) return;
  channel_->finish();
  end_down();
}

void Pump::read_stream(std::size_t& left) {
  const auto into =
      MutableBytes(shared_.scratch).first(std::min({left, room(), shared_.scratch.size()}));
  const quic::ReadOutcome got = shared_.quic.read(stream_, into);
  if (got.reset) return peer_reset(*got.reset);
  down_ended_ = got.end;
  down_readable_ = got.octets > 0;
  left -= got.octets;
  ByteView rest = into.first(got.octets);
  if (!local_blocked_ && !rest.empty()) rest = rest.subspan(deliver(rest));
  if (down_open_) keep(rest);
}

/// Octets of the peer that may still be kept here.
std::size_t Pump::room() const {
  const std::size_t in_all =
      kMaxPendingInAll > shared_.pending ? kMaxPendingInAll - shared_.pending : 0;
  // Whoever holds nothing may always go on, or nobody would wake it when there is room again.
  const std::size_t least = pending() == 0 ? kLeastRoom : 0;
  return std::min(kMaxPending - std::min(kMaxPending, pending()), std::max(in_all, least));
}

void Pump::write_pending() {
  if (pending() == 0 || local_blocked_) return;
  const std::size_t taken = deliver(ByteView(pending_).subspan(pending_at_));
  if (!down_open_) return;
  pending_at_ += taken;
  shared_.pending -= taken;
  if (pending() == 0) return drop_pending();
  if (pending_at_ < pending_.size() / 2) return;
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(pending_at_));
  pending_at_ = 0;
}

/// Offers octets to the channel; returns how many it took.
std::size_t Pump::deliver(ByteView octets) {
  LocalWrite told = channel_->write(octets);
  received_ += told.octets;
  shared_.totals.received += told.octets;
  local_blocked_ = told.octets < octets.size();
  const std::size_t taken = told.octets;
  if (told.failed) {
    local_takes_no_more(std::move(told));
  } else {
    grant(taken);
  }
  return taken;
}

/// Gives credit back in large steps. A reader that keeps up is allowed further ahead each time.
void Pump::grant(std::size_t taken) {
  owed_ += taken;
  if (owed_ < window_ / 4) return;
  if (!local_blocked_ && window_ < kMaxPending) {
    const std::size_t grown = std::min(2 * window_, kMaxPending);
    owed_ += grown - window_;
    window_ = grown;
  }
  shared_.grants.push_back({stream_, static_cast<std::uint32_t>(std::exchange(owed_, 0))});
}

void Pump::keep(ByteView octets) {
  pending_.insert(pending_.end(), octets.begin(), octets.end());
  shared_.pending += octets.size();
}

/// Idle connections hold no buffer.
void Pump::drop_pending() {
  shared_.pending -= pending();
  Bytes().swap(pending_);
  pending_at_ = 0;
}

void Pump::stop_down() {
  if (down_open_) shared_.quic.stop_sending(stream_, number(wire::StreamError::kAborted));
  end_down();
}

void Pump::end_down() {
  down_open_ = false;
  drop_pending();
}

void Pump::local_broke(std::string why) {
  note({CloseReason::kAborted, Error{ErrorKind::kLocalEndpoint, std::move(why)}});
  reset_up(number(wire::StreamError::kAborted));
  stop_down();
  channel_->abort();
}

void Pump::local_takes_no_more(LocalWrite told) {
  if (told.input_too) return local_broke(std::move(*told.failed));
  note({CloseReason::kAborted, Error{ErrorKind::kLocalEndpoint, std::move(*told.failed)}});
  // What the local program said before it went away is still read, until its end or reset. But a
  // peer that has ended its direction can only be told by a reset of ours that something was lost.
  if (down_ended_) reset_up(number(wire::StreamError::kAborted));
  stop_down();
}

void Pump::peer_reset(std::uint64_t code) {
  note(outcome_of(code));
  reset_up(number(wire::StreamError::kAborted));
  end_down();
  channel_->abort();
}

/// The first cause counts: the others follow from it.
void Pump::note(Outcome outcome) {
  if (outcome_.reason == CloseReason::kFinished) outcome_ = std::move(outcome);
}

void Pump::update_watch() {
  if (over()) return;
  const bool readable = up_open_ && !up_blocked_;
  // Octets that wait for the channel, or for this connection's next turn.
  const bool writable = down_open_ && (pending() > 0 || (down_readable_ && room() > 0));
  if (readable == watch_readable_ && writable == watch_writable_) return;
  watch_readable_ = readable;
  watch_writable_ = writable;
  channel_->watch(readable, writable);
}

}  // namespace peersock::tunnel
