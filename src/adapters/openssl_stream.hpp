// One bidirectional stream over OpenSSL: reading, writing within bounds, and the end of each
// direction.
#pragma once

#include <cstdint>

#include "adapters/openssl_util.hpp"
#include "quic/connection.hpp"

namespace peersock::adapters {

/// OpenSSL keeps what was written until it is acknowledged, in a buffer that grows as needed and
/// never shrinks, up to the peer's stream credit. With hundreds of streams that is too much, so
/// all streams of a connection share this: each may hold kGuaranteed, and more only from the
/// common rest. So the buffers of a connection hold at most
/// kShared + kGuaranteed * open streams.
class SendBudget {
 public:
  static constexpr std::size_t kGuaranteed = 64 * 1024;
  static constexpr std::size_t kMaxPerStream = 4 * 1024 * 1024;
  static constexpr std::size_t kShared = 64 * 1024 * 1024;

  [[nodiscard]] std::size_t free() const { return free_; }
  void take(std::size_t octets) { free_ -= octets; }
  void give_back(std::size_t octets) { free_ += octets; }

 private:
  std::size_t free_ = kShared;
};

class OpenSslStream {
 public:
  /// The profile's initial_max_stream_data (docs/spec/quic.md): OpenSSL does not tell what the
  /// peer sent. With a peer that grants less, `write` takes less than `capacity` promised.
  static constexpr std::uint64_t kInitialCredit = 512 * 1024;

  /// `budget` must outlive the stream.
  OpenSslStream(SslPtr ssl, quic::StreamId id, bool ours, SendBudget& budget);
  OpenSslStream(const OpenSslStream&) = delete;
  OpenSslStream& operator=(const OpenSslStream&) = delete;
  OpenSslStream(OpenSslStream&&) = delete;
  OpenSslStream& operator=(OpenSslStream&&) = delete;
  ~OpenSslStream();

  [[nodiscard]] quic::StreamId id() const { return id_; }
  [[nodiscard]] bool ours() const { return ours_; }

  [[nodiscard]] quic::ReadOutcome read(MutableBytes into);
  /// What `write` takes now. 0 makes the stream wait.
  [[nodiscard]] std::size_t capacity();
  [[nodiscard]] std::size_t write(ByteView from);
  void finish();
  void reset(std::uint64_t code);
  void stop_sending();

  /// The peer's STOP_SENDING; false when it is an echo of one that was seen before.
  [[nodiscard]] bool on_stopped();
  /// Reads and drops what arrived after `stop_sending`.
  void discard_input();
  /// MAX_STREAM_DATA. True when a writer waited for it.
  [[nodiscard]] bool on_credit(std::uint64_t limit);
  /// Something was acknowledged. True when a writer that waited for room has enough of it.
  [[nodiscard]] bool on_acknowledged();

  [[nodiscard]] bool discards() const { return discards_; }
  [[nodiscard]] bool waits_for_room() const { return waits_ == Waits::kForRoom; }

  /// Set while a StreamReadable fact waits to be polled, so that there is never a second one.
  bool readable_announced = false;

 private:
  enum class Waits : std::uint8_t { kNo, kForCredit, kForRoom };

  [[nodiscard]] std::size_t used() const;
  [[nodiscard]] std::size_t room() const;
  void wait();
  void end_sending();
  void drop_if_done();

  SslPtr ssl_;  ///< gone when both directions are done with, before the owner releases us
  quic::StreamId id_;
  bool ours_;
  SendBudget& budget_;
  std::uint64_t written_ = 0;
  std::uint64_t credit_ = kInitialCredit;
  std::size_t buffer_ = SendBudget::kGuaranteed;  ///< what OpenSSL's buffer may have grown to
  Waits waits_ = Waits::kNo;
  bool send_ended_ = false;
  bool stopped_ = false;
  bool discards_ = false;
};

}  // namespace peersock::adapters
