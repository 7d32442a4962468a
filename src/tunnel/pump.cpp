#include "tunnel/pump.hpp"

#include <algorithm>
#include <utility>

namespace peersock::tunnel {
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
  if (pending_.empty()) {
    pump_down();
  } else {
    probe_reset();
  }
  update_watch();
}

void Pump::stream_writable() {
  pump_up();
  update_watch();
}

void Pump::stream_stopped(std::uint64_t code) {
  // What the peer did not want of a finished direction was lost all the same.
  note(outcome_of(code));
  reset_up(code);
  // A peer that breaks off both directions says so in two frames: the local side is then to see
  // it at once, even if it does not take what came before.
  probe_reset();
  update_watch();
}

void Pump::local_ready(bool readable, bool writable) {
  if (writable) pump_down();
  if (readable) pump_up();
  update_watch();
}

void Pump::abort_local() {
  channel_->abort();
}

void Pump::pump_up() {
  std::size_t left = kTurn;
  while (up_open_ && left > 0) {
    const std::size_t room = write_first() ? shared_.quic.write_capacity(stream_) : 0;
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
  std::size_t left = kTurn;
  while (down_open_ && write_pending() && down_readable_ && left > 0) {
    const auto into = MutableBytes(shared_.scratch).first(std::min(left, shared_.scratch.size()));
    const quic::ReadOutcome got = shared_.quic.read(stream_, into);
    if (got.reset) return peer_reset(*got.reset);
    if (got.end) {
      channel_->finish();
      return end_down();
    }
    down_readable_ = got.octets > 0;
    left -= got.octets;
    if (got.octets > 0) deliver(into.first(got.octets));
  }
}

/// True when nothing is pending any more and the local side may take more.
bool Pump::write_pending() {
  if (pending_.empty()) return true;
  const ByteView rest = ByteView(pending_).subspan(pending_at_);
  LocalWrite told = channel_->write(rest);
  received_ += told.octets;
  shared_.totals.received += told.octets;
  if (told.failed) {
    local_takes_no_more(std::move(told));
    return false;
  }
  pending_at_ += told.octets;
  if (told.octets < rest.size()) return false;
  // Idle connections hold no buffer.
  Bytes().swap(pending_);
  pending_at_ = 0;
  return true;
}

void Pump::deliver(ByteView octets) {
  LocalWrite told = channel_->write(octets);
  received_ += told.octets;
  shared_.totals.received += told.octets;
  if (told.failed) return local_takes_no_more(std::move(told));
  const ByteView rest = octets.subspan(told.octets);
  pending_.assign(rest.begin(), rest.end());
}

void Pump::stop_down() {
  if (down_open_) shared_.quic.stop_sending(stream_, number(wire::StreamError::kAborted));
  end_down();
}

void Pump::end_down() {
  down_open_ = false;
  Bytes().swap(pending_);
  pending_at_ = 0;
}

/// Learns of a reset while nothing can be taken from the stream.
void Pump::probe_reset() {
  if (!down_open_) return;
  if (const auto got = shared_.quic.read(stream_, {}); got.reset) peer_reset(*got.reset);
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
  // What the local program said before it went away is still read, until its end or reset.
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
  const bool writable = down_open_ && (!pending_.empty() || down_readable_);
  if (readable == watch_readable_ && writable == watch_writable_) return;
  watch_readable_ = readable;
  watch_writable_ = writable;
  channel_->watch(readable, writable);
}

}  // namespace peersock::tunnel
