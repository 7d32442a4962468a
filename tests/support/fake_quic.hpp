// QUIC's behaviour without its wire format: streams with flow control, stream limits, FIN, resets
// and STOP_SENDING over datagrams that must neither be lost nor reordered once the handshake has
// begun. Deterministic; for tests that are about what runs on top of QUIC.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "quic/connection.hpp"

namespace peersock::testing {

/// What one side allows the other, and itself.
struct FakeQuicLimits {
  std::size_t stream_window = 65'536;         ///< octets a stream, sent to us and unread
  std::size_t connection_window = 1'048'576;  ///< octets of all streams, likewise
  std::size_t send_buffer = 65'536;           ///< octets a stream that `write` takes ahead
  std::uint64_t streams = 100;                ///< streams that the peer may have open at once
  std::size_t datagram = 1200;
};

class FakeQuic final : public quic::Connection {
 public:
  using Fingerprint = std::array<std::uint8_t, 32>;

  FakeQuic(quic::ConnectionConfig config, Fingerprint own, FakeQuicLimits limits, Instant now);
  ~FakeQuic() override;
  FakeQuic(const FakeQuic&) = delete;
  FakeQuic& operator=(const FakeQuic&) = delete;
  FakeQuic(FakeQuic&&) = delete;
  FakeQuic& operator=(FakeQuic&&) = delete;

  void receive(const quic::DatagramTrain& train, Instant now) override;
  void set_datagram_limit(std::size_t /*octets*/, Instant /*now*/) override {}
  void on_too_big(std::size_t /*octets*/, Instant /*now*/) override {}
  void on_deadline(Instant now) override;
  [[nodiscard]] std::optional<Instant> deadline() const override;
  [[nodiscard]] quic::DatagramTrain transmit(MutableBytes buffer, Instant now) override;
  [[nodiscard]] std::optional<quic::ConnectionFact> poll_event() override;

  [[nodiscard]] std::optional<quic::StreamId> open_stream() override;
  [[nodiscard]] quic::ReadOutcome read(quic::StreamId stream, MutableBytes into) override;
  [[nodiscard]] std::size_t write_capacity(quic::StreamId stream) override;
  [[nodiscard]] std::size_t write(quic::StreamId stream, ByteView from) override;
  void finish(quic::StreamId stream) override;
  void reset(quic::StreamId stream, std::uint64_t code) override;
  void stop_sending(quic::StreamId stream, std::uint64_t code) override;
  void release(quic::StreamId stream) override;

  [[nodiscard]] bool handshake_complete() const override { return state_ == State::kUp; }
  [[nodiscard]] Result<Secret> export_keying_material(std::string_view label, ByteView context,
                                                      std::size_t length) const override;
  [[nodiscard]] quic::Statistics statistics() const override { return statistics_; }
  void close(std::uint64_t code, std::string_view reason, Instant now) override;

  // What a test may want to know.
  /// Streams that have not been released.
  [[nodiscard]] std::size_t live_streams() const;
  /// Octets that the owner has taken from all streams.
  [[nodiscard]] std::uint64_t octets_read() const { return octets_read_; }
  /// Calls that broke the contract of quic::Connection (unknown streams and the like).
  [[nodiscard]] const std::string& misuse() const { return misuse_; }

 private:
  enum class State : std::uint8_t { kHandshake, kUp, kClosed };
  struct Stream;

  Stream* find(quic::StreamId id, std::string_view caller);
  Stream& make_stream(quic::StreamId id);
  [[nodiscard]] bool ours(quic::StreamId id) const;
  void queue(Bytes frame) { frames_.push_back(std::move(frame)); }
  void queue_hello();
  void send_reset(Stream& stream, std::uint64_t code);
  void list(Stream& stream);
  void tell_readable(Stream& stream);
  void consumed(Stream& stream, std::size_t octets);
  void consumed(std::size_t octets);
  void fail_with(Error error);
  [[nodiscard]] Bytes next_data_frame(std::size_t room);

  class Frame;
  void on_frame(Frame& frame);
  void on_hello(Frame& frame);
  void on_data(Frame& frame);
  void on_reset(Frame& frame);
  void on_stop(Frame& frame);
  Stream* incoming(quic::StreamId id);

  quic::ConnectionConfig config_;
  Fingerprint own_;
  FakeQuicLimits limits_;
  FakeQuicLimits peer_;  ///< as told in its hello
  State state_ = State::kHandshake;
  std::map<quic::StreamId, std::unique_ptr<Stream>> streams_;
  std::deque<Bytes> frames_;             ///< to be sent before stream data
  std::deque<quic::StreamId> sendable_;  ///< streams with data or FIN to send, each once
  std::deque<quic::ConnectionFact> facts_;
  quic::StreamId next_own_ = 0;
  quic::StreamId next_theirs_ = 0;
  std::uint64_t own_limit_ = 0;    ///< number of streams that we may ever open
  std::uint64_t their_limit_ = 0;  ///< number of streams that the peer may ever open
  bool wants_stream_ = false;
  std::uint64_t data_sent_ = 0;
  std::uint64_t data_limit_ = 0;
  std::uint64_t data_consumed_ = 0;
  std::uint64_t data_granted_ = 0;
  Instant heard_;
  Instant spoke_;
  std::uint64_t octets_read_ = 0;
  quic::Statistics statistics_;
  std::string misuse_;
};

/// Makes connections whose certificate has the fingerprint `seed`, `seed`, ...
class FakeQuicEngine final : public quic::Engine {
 public:
  explicit FakeQuicEngine(std::uint8_t seed, FakeQuicLimits limits = {});
  [[nodiscard]] std::string_view name() const override { return "fake"; }
  [[nodiscard]] const std::array<std::uint8_t, 32>& fingerprint() const override {
    return fingerprint_;
  }
  [[nodiscard]] Result<std::unique_ptr<quic::Connection>> connect(
      const quic::ConnectionConfig& config, Instant now) override;

 private:
  FakeQuic::Fingerprint fingerprint_{};
  FakeQuicLimits limits_;
};

/// Two connections and the wire between them.
class FakeQuicPair {
 public:
  FakeQuicPair(FakeQuicLimits client, FakeQuicLimits server);

  FakeQuic& client() { return client_; }
  FakeQuic& server() { return server_; }
  /// Carries one datagram, if there is one, from one side to the other.
  bool carry(FakeQuic& from, FakeQuic& to);
  /// Carries everything, both ways.
  void exchange();
  /// Completes the handshake and drops the facts about it.
  void establish();

 private:
  FakeQuic client_;
  FakeQuic server_;
  Bytes buffer_;
};

}  // namespace peersock::testing
