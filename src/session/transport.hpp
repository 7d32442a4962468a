// The QUIC connection of one session between the datagram path and its two users: the control
// stream, and the tunnel streams, which stay closed until the proof has succeeded.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "quic/connection.hpp"
#include "session/host.hpp"
#include "wire/control_frame.hpp"

namespace peersock::session {

/// Control octets that may wait for the connection to take them; a session that needs more is
/// broken, because control frames are few and small.
inline constexpr std::size_t kMaxControlBacklog = std::size_t{256} * 1024;

/// Facts about tunnel streams that may wait for the proof; a peer that causes more is refused.
inline constexpr std::size_t kMaxHeldFacts = 8192;

class Transport {
 public:
  explicit Transport(Host& host);

  /// Makes the connection. Received datagrams count from now on, nothing is sent before
  /// `open_path`.
  [[nodiscard]] std::optional<Error> start(const quic::ConnectionConfig& config, Instant now);
  void open_path() { path_open_ = true; }
  /// Larger datagrams than these are not to be sent over the path in use.
  void set_datagram_limit(std::size_t octets, Instant now);
  void path_writable() { blocked_ = false; }
  /// Another path carries the datagrams from now on. What was sent last on the old one is sent
  /// again: if it was lost, the answer ends the engine's wait, which may have grown as long as the
  /// outage; if not, the peer drops it.
  void path_replaced(Instant now);
  /// Nothing is heard over the path in use. What was sent last is sent again in the same way: a
  /// question would wait for the engine's timer, and behind what fills its window.
  void path_doubted(Instant now);
  void receive(const quic::DatagramTrain& train, Instant now);
  void close(std::uint64_t code, std::string_view reason, Instant now);

  /// What the session has to know of; at most one of these per call of `poll`.
  struct Established {};
  struct ControlFrame {
    wire::ControlFrame frame;
  };
  struct ControlBroken {
    Error error;
  };
  struct Closed {
    quic::fact::Closed fact;
  };
  /// A fact about a tunnel stream; only after `release_streams`.
  struct StreamFact {
    quic::ConnectionFact fact;
  };
  using Fact = std::variant<Established, ControlFrame, ControlBroken, Closed, StreamFact>;
  [[nodiscard]] std::optional<Fact> poll();

  /// The proof has succeeded: streams of the peer that have waited are reported now, and every
  /// later fact as it comes.
  void release_streams();

  void send_control(const wire::ControlFrame& frame);
  /// Runs the timer if it is due, and hands everything that is due to the path.
  void flush(Instant now);
  [[nodiscard]] std::optional<Instant> deadline() const;
  [[nodiscard]] quic::Connection* connection() { return connection_.get(); }
  [[nodiscard]] const quic::Connection* connection() const { return connection_.get(); }

 private:
  static constexpr quic::StreamId kControlStream = 0;

  [[nodiscard]] std::optional<Fact> next_control();
  [[nodiscard]] std::optional<Fact> translate(quic::ConnectionFact fact);
  [[nodiscard]] Fact break_control(std::string message);
  void write_control();
  bool send_pending(Instant now);
  void remember(const quic::DatagramTrain& train);
  void repeat(Instant now);

  Host& host_;
  std::unique_ptr<quic::Connection> connection_;
  quic::Role role_ = quic::Role::kClient;
  std::size_t datagram_limit_ = quic::kMinDatagramLimit;
  bool path_open_ = false;
  bool blocked_ = false;
  bool control_open_ = false;
  bool control_readable_ = false;
  bool control_broken_ = false;
  bool overflowed_ = false;
  bool streams_released_ = false;
  wire::ControlFrameReader reader_;
  Bytes control_backlog_;
  std::vector<quic::ConnectionFact> held_;  // in order, at most kMaxHeldFacts
  std::size_t held_at_ = 0;
  Bytes buffer_;
  quic::DatagramTrain unsent_;  // points into buffer_

  static constexpr std::size_t kRemembered = 4;
  std::array<Bytes, kRemembered> latest_;  // datagrams, a ring
  std::size_t latest_at_ = 0;
  std::optional<Instant> repeat_at_;
  Instant repeating_since_{};
  int repeats_left_ = 0;
};

}  // namespace peersock::session
