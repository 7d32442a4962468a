// A QUIC connection carried out by ngtcp2, with OpenSSL's TLS.
//
// ngtcp2 is told the time in each call and draws random numbers from the injected generator, so a
// run is the same for a seed as far as TLS is. Limits of this engine, as tests know them:
//  - CONNECTION_CLOSE is sent once. If it is lost, the peer only notices the silence.
//  - `reset` after `finish` does nothing: what was written is still delivered.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "adapters/congestion.hpp"
#include "adapters/initial_gate.hpp"
#include "adapters/ngtcp2_stream.hpp"
#include "adapters/ngtcp2_tls.hpp"
#include "adapters/quic_close.hpp"
#include "adapters/size_limit.hpp"
#include "adapters/stream_turns.hpp"
#include "core/rng.hpp"
#include "quic/connection.hpp"

namespace peersock::adapters {

class Ngtcp2Connection final : public quic::Connection {
 public:
  /// Streams that the peer may have open at once: it is granted no more until one has gone.
  static constexpr std::uint64_t kMaxPeerStreams = 1024;
  /// How far ahead of what it has opened.
  static constexpr std::uint64_t kFirstStreams = 100;

  /// Copies what it needs of `identity`; without one no certificate is shown. `rng` must outlive
  /// the connection.
  [[nodiscard]] static Result<std::unique_ptr<Ngtcp2Connection>> create(
      const quic::ConnectionConfig& config, const Identity* identity, std::string_view alpn,
      Rng& rng, Instant now, Congestion congestion = kDefaultCongestion);
  ~Ngtcp2Connection() override = default;

  void receive(const quic::DatagramTrain& train, Instant now) override;
  void set_datagram_limit(std::size_t octets, Instant now) override;
  void on_too_big(std::size_t octets, Instant now) override;
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
  struct Callbacks;  ///< what ngtcp2 calls (ngtcp2_callbacks.cpp)
  /// Datagrams that were due before what was received had to be looked at.
  struct LateTrain {
    Bytes octets;
    std::size_t segment = 0;
    quic::Ecn ecn = quic::Ecn::kNotEct;
  };

  Ngtcp2Connection(const quic::ConnectionConfig& config, std::string_view alpn, Rng& rng,
                   Instant now, Congestion congestion);

  [[nodiscard]] ngtcp2_callbacks callbacks() const;
  [[nodiscard]] Result<void> start(const ngtcp2_pkt_hd* first);
  [[nodiscard]] bool accept(ByteView datagram);
  void read_datagram(ByteView datagram, quic::Ecn ecn);
  void drop_attempt();
  [[nodiscard]] std::uint64_t packets_received() const;
  void look_at_progress();
  void tell_stops();

  void advance(Instant now) { now_ = std::max(now_, now); }
  [[nodiscard]] Instant scheduled() const;
  [[nodiscard]] ngtcp2_tstamp tick(Instant at);
  void write_late_trains();
  [[nodiscard]] quic::DatagramTrain take_late_train(MutableBytes buffer);
  [[nodiscard]] quic::DatagramTrain write_train(MutableBytes buffer, Instant at);
  [[nodiscard]] ngtcp2_ssize write_packets(MutableBytes buffer, ngtcp2_pkt_info& info,
                                           std::size_t& segment, ngtcp2_tstamp at);
  [[nodiscard]] ngtcp2_ssize write_small_packets(MutableBytes buffer, ngtcp2_pkt_info& info,
                                                 std::size_t& segment, ngtcp2_tstamp at);
  [[nodiscard]] std::size_t full_datagram() const;
  [[nodiscard]] quic::DatagramTrain write_last_trains(MutableBytes buffer);
  [[nodiscard]] quic::DatagramTrain write_close(MutableBytes buffer);
  [[nodiscard]] ngtcp2_ssize write_packet(ngtcp2_path* path, ngtcp2_pkt_info* info,
                                          MutableBytes into, ngtcp2_tstamp at);
  void note_sent(const quic::DatagramTrain& train);
  void check_black_hole();

  [[nodiscard]] Ngtcp2Stream* find(quic::StreamId id);
  Ngtcp2Stream* add(quic::StreamId id, bool ours);
  [[nodiscard]] Ngtcp2Stream* next_with_output();
  void queue_output(Ngtcp2Stream& stream);
  void announce_readable(Ngtcp2Stream& stream);
  void open_windows(const Ngtcp2Stream& stream, std::size_t octets);
  void grant_streams();
  void stream_gone(const Ngtcp2Stream& stream);

  void check_silence();
  void fail_with(int error);
  void end_by_peer();
  void end(quic::fact::Closed closed);

  quic::ConnectionConfig config_;
  Congestion congestion_;
  PeerTerms terms_;
  Rng& rng_;
  std::array<std::uint8_t, 32> reset_secret_{};
  InitialGate gate_;
  SendBudget budget_;
  SslContextPtr context_;
  std::unordered_map<quic::StreamId, std::unique_ptr<Ngtcp2Stream>> streams_;
  StreamTurns turns_;      ///< of those that have something to send
  std::size_t share_ = 1;  ///< octets of a turn; fewer than a packet has: a packet
  std::unique_ptr<Ngtcp2Tls> tls_;
  Ngtcp2ConnectionPtr connection_;  ///< after what it points to

  std::uint64_t peer_streams_opened_ = 0;
  std::uint64_t peer_streams_gone_ = 0;
  std::uint64_t peer_streams_granted_;
  std::deque<quic::ConnectionFact> facts_;
  /// Told after everything else that came with them: a peer that gives up both directions may put
  /// STOP_SENDING ahead of RESET_STREAM, and only the latter has its reason.
  std::vector<quic::fact::StreamStopped> stops_;
  std::deque<LateTrain> late_;

  Instant now_;
  Instant heard_;               ///< when the peer's last packet came
  ngtcp2_tstamp ticked_ = 0;    ///< the last time that ngtcp2 was told
  std::optional<Instant> due_;  ///< when that was due which on_deadline found
  std::uint64_t packets_heard_ = 0;
  SizeLimit limit_;
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
  bool established_ = false;
  bool closed_ = false;
  bool streams_wanted_ = false;

  std::string close_reason_;
  std::optional<ngtcp2_ccerr> close_owed_;
  bool flushes_ = false;  ///< what was written goes before the close
};

}  // namespace peersock::adapters
