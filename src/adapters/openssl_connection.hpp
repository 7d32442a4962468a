// A QUIC connection carried out by OpenSSL's own QUIC (3.5 or later).
//
// OpenSSL keeps its own time with gettimeofday (openssl_clock.hpp); only differences matter here,
// so the caller's clock may have another origin. Limits of this engine, all from OpenSSL itself
// (3.5.7):
//  - STOP_SENDING goes out with code 0, and only once our own direction has ended, because
//    freeing the stream is the only way to send it. The code that counts is RESET_STREAM's.
//  - `reset` after `finish` does nothing: what was written is still delivered.
//  - CONNECTION_CLOSE is sent once. If it is lost, or leaves a client within a round trip after
//    its handshake, or refuses the very first flight, the peer only notices the silence.
//  - Of every stream that ended with FIN or RESET from the peer some 0.4 KiB stays until the
//    connection ends (quic_stream_map.c, qsm_ready_for_gc).
//  - Streams share the connection's flow-control window (768 KiB at first, up to 15 MiB). What a
//    reader leaves unread counts, up to the stream's window of 512 KiB to 6 MiB.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "adapters/initial_gate.hpp"
#include "adapters/openssl_datagram_bio.hpp"
#include "adapters/openssl_frames.hpp"
#include "adapters/openssl_stream.hpp"
#include "adapters/openssl_tls.hpp"
#include "quic/connection.hpp"

namespace peersock::adapters {

class OpenSslConnection final : public quic::Connection {
 public:
  /// Streams that the peer may have open at once. Further ones wait unseen until one is released;
  /// at most 100 do (OpenSSL's window for MAX_STREAMS), then the peer's `open_stream` fails.
  static constexpr std::size_t kMaxPeerStreams = 1024;

  /// Frames that end streams, of which OpenSSL is asked for at most so many ahead of sending, and
  /// streams read between two ticks. OpenSSL 3.5 loses the connection ("internal error (txp
  /// generate)") when a packet is filled to the last octet by frames that are not data
  /// (quic_txp.c, tx_helper_begin), so there must never be enough of them to fill one.
  static constexpr std::size_t kMaxAborts = 32;
  static constexpr std::size_t kMaxReads = 32;

  /// Copies what it needs of `identity`; without one no certificate is shown.
  [[nodiscard]] static Result<std::unique_ptr<OpenSslConnection>> create(
      const quic::ConnectionConfig& config, const Identity* identity, std::string_view alpn,
      Instant now);
  ~OpenSslConnection() override = default;

  void receive(const quic::DatagramTrain& train, Instant now) override;
  /// Datagrams stay at kMinDatagramLimit.
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

  [[nodiscard]] bool handshake_complete() const override { return established_; }
  [[nodiscard]] Result<Secret> export_keying_material(std::string_view label, ByteView context,
                                                      std::size_t length) const override;
  [[nodiscard]] quic::Statistics statistics() const override;
  void close(std::uint64_t code, std::string_view reason, Instant now) override;

 private:
  OpenSslConnection(const quic::ConnectionConfig& config, std::string_view alpn, Instant now);

  [[nodiscard]] Result<void> set_up(const Identity* identity);
  [[nodiscard]] Result<void> set_up_connection(SslPtr connection);
  [[nodiscard]] Result<void> start_listening();
  [[nodiscard]] Result<void> start_connecting();

  void advance(Instant now);
  void tick();
  void accept_connection();
  void complete_handshake();
  void accept_streams();
  void handle_notes();
  void announce_readable(OpenSslStream& stream);
  void remember_waiting(OpenSslStream& stream);
  void remember_unsettled(OpenSslStream& stream);
  void settle_streams();
  void wake_waiting();
  void check_closed();
  void check_silence();
  void end(quic::fact::Closed closed);
  void update_deadline();
  [[nodiscard]] OpenSslStream* find(quic::StreamId id);
  [[nodiscard]] OpenSslStream* add(SslPtr ssl, bool ours);
  /// Nothing more comes from or goes to OpenSSL.
  [[nodiscard]] bool dead() const { return closed_ && !engine_deadline_; }

  quic::ConnectionConfig config_;
  PeerTerms terms_;
  InitialGate gate_;
  FrameNotes notes_;
  SendBudget budget_;
  std::unique_ptr<DatagramBio> bio_;
  SslContextPtr context_;
  SslPtr listener_;    ///< server only
  SslPtr connection_;  ///< a client's from its first transmit, a server's once one was accepted
  std::unordered_map<quic::StreamId, std::unique_ptr<OpenSslStream>> streams_;
  std::vector<quic::StreamId> waiting_;  ///< streams that wait for room in their send buffer
  std::size_t peer_streams_ = 0;
  std::vector<quic::StreamId> unsettled_;
  std::vector<std::unique_ptr<OpenSslStream>> leaving_;  ///< released, but not yet settled
  std::size_t aborts_owed_ = 0;  ///< RESET_STREAM and STOP_SENDING that OpenSSL has to send
  Instant aborts_progress_;
  std::size_t reads_since_tick_ = 0;
  std::deque<quic::ConnectionFact> facts_;

  Instant now_;
  Instant heard_;  ///< when the peer's last frame came
  std::optional<Instant> engine_deadline_;
  bool established_ = false;
  bool closed_ = false;
  bool dirty_ = false;  ///< OpenSSL may have something to send since its last tick
  bool streams_wanted_ = false;
};

}  // namespace peersock::adapters
