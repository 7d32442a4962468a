// Moves octets between one local channel and one QUIC stream, in both directions, until both are
// over. Nothing is read that can not be handed on, so that a side which stops reading stops the
// other one's program by flow control and by nothing else (docs/spec/tunnel.md, "Behaviour").
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "core/error.hpp"
#include "core/event.hpp"
#include "quic/connection.hpp"
#include "tunnel/channel.hpp"
#include "tunnel/tunnel.hpp"
#include "wire/stream_header.hpp"

namespace peersock::tunnel {

/// What the pumps of one tunnel have in common: one buffer serves them all in turn.
struct PumpShared {
  explicit PumpShared(quic::Connection& engine) : quic(engine), scratch(kMaxPending) {}

  quic::Connection& quic;
  Bytes scratch;
  Tunnel::Totals totals;
};

/// How a connection ended.
struct Outcome {
  CloseReason reason = CloseReason::kFinished;
  std::optional<Error> failed;  ///< there unless the reason is kFinished
};
[[nodiscard]] constexpr std::uint64_t number(wire::StreamError error) {
  return static_cast<std::uint64_t>(error);
}
/// What a code of RESET_STREAM or STOP_SENDING says about the other side.
[[nodiscard]] Outcome outcome_of(std::uint64_t code);

class Pump {
 public:
  /// `shared` outlives the pump. `first` is written to the stream before anything else.
  Pump(PumpShared& shared, quic::StreamId stream, std::unique_ptr<LocalChannel> channel,
       Bytes first);

  // Each of these moves at most kTurn octets a direction.
  void start();
  void stream_readable();
  void stream_writable();
  void stream_stopped(std::uint64_t code);
  void local_ready(bool readable, bool writable);

  /// The session is over: resets the local side and leaves the stream alone.
  void abort_local();

  /// Both directions have ended: the stream can be released and the pump destroyed, which closes
  /// the channel.
  [[nodiscard]] bool over() const { return !up_open_ && !down_open_; }
  /// Complete once the pump is over.
  [[nodiscard]] const Outcome& outcome() const { return outcome_; }
  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  [[nodiscard]] std::uint64_t received() const { return received_; }

 private:
  // Up: from the local channel to the stream.
  void pump_up();
  [[nodiscard]] bool write_first();
  void reset_up(std::uint64_t code);
  // Down: from the stream to the local channel.
  void pump_down();
  [[nodiscard]] bool write_pending();
  void deliver(ByteView octets);
  void stop_down();
  void end_down();
  void probe_reset();

  void local_broke(std::string why);
  void local_takes_no_more(LocalWrite told);
  void peer_reset(std::uint64_t code);
  void note(Outcome outcome);
  void update_watch();

  PumpShared& shared_;
  quic::StreamId stream_;
  std::unique_ptr<LocalChannel> channel_;
  Bytes first_;  ///< what the stream has not taken of it
  bool up_open_ = true;
  bool down_open_ = true;
  bool up_blocked_ = false;     ///< StreamWritable will follow
  bool down_readable_ = true;   ///< the stream has not said that it would block
  Bytes pending_;               ///< read from the stream, not yet taken by the channel
  std::size_t pending_at_ = 0;  ///< octets of `pending_` that the channel has taken
  bool watch_readable_ = false;
  bool watch_writable_ = false;
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
  Outcome outcome_;
};

}  // namespace peersock::tunnel
