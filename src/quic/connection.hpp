// One QUIC v1 connection (RFC 9000), whatever engine carries it out. Sans-I/O: datagrams and the
// current instant go in, datagrams, events and a deadline come out.
//
// Every method belongs to one of these classes:
//   input     receive, set_datagram_limit, on_too_big,
//             on_deadline                                may produce events and datagrams
//   output    transmit, poll_event, deadline              to be drained after every other call
//   streams   open_stream, read, write, finish, reset, stop_sending
//   query     handshake_complete, export_keying_material, statistics
//   end       close
// Nothing calls back. After any input or stream call the owner drains poll_event(), then
// transmit(), then re-arms deadline().
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/error.hpp"
#include "core/secret.hpp"
#include "core/time.hpp"
#include "quic/datagram.hpp"

namespace peersock::quic {

/// As on the wire: RFC 9000 section 2.1. Only bidirectional streams are used.
using StreamId = std::uint64_t;

enum class Role : std::uint8_t { kClient, kServer };

namespace fact {
/// The handshake is complete on this side and the peer's certificate was the expected one.
struct Established {};
/// The peer opened a bidirectional stream.
struct StreamOpened {
  StreamId stream = 0;
};
/// `read` may give octets or the end; edge-triggered: read until it would block.
struct StreamReadable {
  StreamId stream = 0;
};
/// `write` may take octets again after it took less than offered.
struct StreamWritable {
  StreamId stream = 0;
};
/// The peer asked us to stop sending (STOP_SENDING) with its application error code.
struct StreamStopped {
  StreamId stream = 0;
  std::uint64_t code = 0;
};
/// The peer's or our limit allows another `open_stream` after one had failed.
struct StreamsAvailable {};
/// The connection is over; nothing follows. `application_code` is there when the peer closed with
/// one, `error` when it ended in any other way (idle time-out, TLS failure, protocol violation).
struct Closed {
  std::optional<std::uint64_t> application_code;
  std::string reason;
  std::optional<Error> error;
};
}  // namespace fact
using ConnectionFact =
    std::variant<fact::Established, fact::StreamOpened, fact::StreamReadable, fact::StreamWritable,
                 fact::StreamStopped, fact::StreamsAvailable, fact::Closed>;

/// What a read gave. Exactly one of: octets > 0; end; reset; none of them (would block).
struct ReadOutcome {
  std::size_t octets = 0;
  bool end = false;                    ///< FIN: every octet has been read
  std::optional<std::uint64_t> reset;  ///< RESET_STREAM with this application error code
};

struct Statistics {
  std::optional<Duration> round_trip;  ///< smoothed
  std::uint64_t datagrams_sent = 0;
  std::uint64_t datagrams_received = 0;
  std::size_t datagram_size = kMinDatagramLimit;  ///< octets of those that are sent full
  /// When the latest packet that the peer's keys protect came.
  std::optional<Instant> last_heard;
};

class Connection {
 public:
  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  Connection(Connection&&) = delete;
  Connection& operator=(Connection&&) = delete;
  virtual ~Connection() = default;

  /// Takes one train of datagrams from the peer. Never fails: rubbish is dropped.
  virtual void receive(const DatagramTrain& train, Instant now) = 0;
  /// To be called for each new path. Datagrams of up to `octets` (kMinDatagramLimit until the first
  /// call, kMaxDatagramLimit at most) are carried whole or not at all, so the engine may find out
  /// which ones are (RFC 8899), and uses none that are larger.
  virtual void set_datagram_limit(std::size_t octets, Instant now) = 0;
  /// Datagrams of this size were kTooBig for the path.
  virtual void on_too_big(std::size_t octets, Instant now) = 0;
  /// To be called when `deadline()` has come.
  virtual void on_deadline(Instant now) = 0;
  [[nodiscard]] virtual std::optional<Instant> deadline() const = 0;

  /// Writes datagrams that are due into `buffer` (at least 65,535 octets) and describes them, or
  /// returns an empty train when nothing is due. The train points into `buffer`.
  [[nodiscard]] virtual DatagramTrain transmit(MutableBytes buffer, Instant now) = 0;
  [[nodiscard]] virtual std::optional<ConnectionFact> poll_event() = 0;

  /// Nothing when the peer's stream limit is reached (StreamsAvailable follows), or the
  /// connection is not established or is closed.
  [[nodiscard]] virtual std::optional<StreamId> open_stream() = 0;
  /// With an empty `into` nothing is taken, and only a reset is told: so a reader that can not keep
  /// octets now may still learn that there will be no more of them.
  [[nodiscard]] virtual ReadOutcome read(StreamId stream, MutableBytes into) = 0;
  /// Octets that `write` would take now. Once this gave 0, or `write` took less than offered,
  /// StreamWritable follows when there is room again.
  [[nodiscard]] virtual std::size_t write_capacity(StreamId stream) = 0;
  /// Octets taken, possibly 0. What was taken is kept by the engine until it is acknowledged.
  [[nodiscard]] virtual std::size_t write(StreamId stream, ByteView from) = 0;
  /// Ends our direction after everything written so far (FIN).
  virtual void finish(StreamId stream) = 0;
  /// Abandons our direction (RESET_STREAM).
  virtual void reset(StreamId stream, std::uint64_t code) = 0;
  /// Asks the peer to stop (STOP_SENDING) and drops what still arrives.
  virtual void stop_sending(StreamId stream, std::uint64_t code) = 0;
  /// Forgets a stream whose both directions have ended, so that its memory goes. No call may name
  /// it afterwards.
  virtual void release(StreamId stream) = 0;

  [[nodiscard]] virtual bool handshake_complete() const = 0;
  /// RFC 5705 / RFC 8446 section 7.5 over this connection. Both sides get the same value for the
  /// same label, context and length. An error before the handshake is complete.
  [[nodiscard]] virtual Result<Secret> export_keying_material(std::string_view label,
                                                              ByteView context,
                                                              std::size_t length) const = 0;
  [[nodiscard]] virtual Statistics statistics() const = 0;

  /// Sends CONNECTION_CLOSE with an application code (the datagram comes out of `transmit`).
  virtual void close(std::uint64_t code, std::string_view reason, Instant now) = 0;
};

/// Everything that an engine needs to start one side.
struct ConnectionConfig {
  Role role = Role::kClient;
  /// SHA-256 of the certificate (DER) that the peer must show; any other ends the handshake.
  std::array<std::uint8_t, 32> peer_fingerprint{};
  /// Both sides close after this long without hearing from the peer; keep-alives are sent at
  /// half of it.
  Duration idle_timeout = 12s;
};

/// The key pair and self-signed certificate of one session, and connections made with it.
/// An engine implements this once; tests and production both use the real ones.
class Engine {
 public:
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  Engine(Engine&&) = delete;
  Engine& operator=(Engine&&) = delete;
  virtual ~Engine() = default;

  /// As users know it.
  [[nodiscard]] virtual std::string_view name() const = 0;
  [[nodiscard]] virtual const std::array<std::uint8_t, 32>& fingerprint() const = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<Connection>> connect(const ConnectionConfig& config,
                                                                    Instant now) = 0;
};

inline constexpr std::string_view kAlpn = "peersock/1";

}  // namespace peersock::quic
