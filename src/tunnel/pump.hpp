// Moves octets between one local channel and one QUIC stream, in both directions, until both are
// over. Nothing is read that can not be handed on, so that a side which stops reading stops the
// other one's program by flow control and by nothing else (docs/spec/tunnel.md, "Behaviour").
//
// Flow control is ours, by credit: QUIC's is shared by all streams, so octets that wait in it for
// one slow reader would hold up the others. What arrives is taken out of QUIC at once, and a sender
// never has more under way than the receiver of that one stream has room for.
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
  explicit PumpShared(quic::Connection& engine) : quic(engine), scratch(kScratch) {}

  /// A whole turn at once: a local program that sends or takes much is woken by each system call.
  static constexpr std::size_t kScratch = kTurn;

  quic::Connection& quic;
  Bytes scratch;
  Tunnel::Totals totals;
  std::size_t pending = 0;  ///< octets that all pumps hold
  std::vector<command::GrantCredit> grants;
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
  void credit_received(std::uint32_t octets);
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
  void read_stream(std::size_t& left);
  void write_pending();
  std::size_t deliver(ByteView octets);
  void keep(ByteView octets);
  void drop_pending();
  [[nodiscard]] std::size_t pending() const { return pending_.size() - pending_at_; }
  [[nodiscard]] std::size_t room() const;
  void grant(std::size_t taken);
  void stop_down();
  void end_down();
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
  bool up_blocked_ = false;  ///< StreamWritable or a credit will follow
  std::size_t credit_ = kInitialCredit;
  bool down_readable_ = true;            ///< the stream has not said that it would block
  bool down_ended_ = false;              ///< the stream has; what is pending comes first
  bool local_blocked_ = false;           ///< the channel took less than it was offered
  std::size_t window_ = kInitialCredit;  ///< octets that the peer may be ahead of the channel
  std::size_t owed_ = 0;                 ///< octets taken by the channel and not granted anew
  Bytes pending_;                        ///< read from the stream, not yet taken by the channel
  std::size_t pending_at_ = 0;           ///< octets of `pending_` that the channel has taken
  bool watch_readable_ = false;
  bool watch_writable_ = false;
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
  Outcome outcome_;
};

}  // namespace peersock::tunnel
