// One bidirectional stream over OpenSSL: reading, writing within bounds, and the end of each
// direction.
#pragma once

#include <cstdint>
#include <optional>

#include "adapters/openssl_util.hpp"
#include "adapters/send_budget.hpp"
#include "quic/connection.hpp"

namespace peersock::adapters {

/// Sets what one stream may hold for a path with this round trip without queueing: the least that
/// was measured. OpenSSL looks through all packets in flight for each acknowledgement, so a short
/// path wants few of them (512 KiB: 470 MiB a second of processor time; 4 MiB: 250), while a long
/// one needs bandwidth times delay: it is enough for 128 MiB/s up to 32 ms.
void widen_window(SendBudget& budget, Duration round_trip);

/// OpenSSL's buffer for a stream grows as needed and never shrinks, so what it took of the budget
/// comes back with the stream.
class OpenSslStream {
 public:
  /// The profile's initial_max_stream_data (docs/spec/quic.md): OpenSSL does not tell what the
  /// peer sent. With a peer that grants less, `write` takes less than `capacity` promised.
  static constexpr std::uint64_t kInitialCredit = 512 * kKiB;

  /// `budget` must outlive the stream.
  OpenSslStream(SslPtr ssl, bool ours, SendBudget& budget);
  OpenSslStream(const OpenSslStream&) = delete;
  OpenSslStream& operator=(const OpenSslStream&) = delete;
  OpenSslStream(OpenSslStream&&) = delete;
  OpenSslStream& operator=(OpenSslStream&&) = delete;
  ~OpenSslStream();

  [[nodiscard]] quic::StreamId id() const { return id_; }
  [[nodiscard]] bool ours() const { return ours_; }

  /// With an empty `into` only a reset is told.
  [[nodiscard]] quic::ReadOutcome read(MutableBytes into);
  /// What `write` takes now. 0 makes the stream wait.
  [[nodiscard]] std::size_t capacity();
  [[nodiscard]] std::size_t write(ByteView from);
  void finish();
  // These three take effect with the next `settle`, once `unsettled`.
  void reset(std::uint64_t code);
  void stop_sending();
  void abandon();

  [[nodiscard]] bool unsettled() const { return reset_code_.has_value() || drop_; }
  /// Asks OpenSSL for RESET_STREAM and STOP_SENDING; returns how many of them it will send.
  [[nodiscard]] std::size_t settle();

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

  [[nodiscard]] std::optional<std::uint64_t> peers_reset();
  [[nodiscard]] std::size_t used() const;
  [[nodiscard]] std::size_t room() const;
  void wait();

  SslPtr ssl_;  ///< gone when both directions are done with
  quic::StreamId id_;
  bool ours_;
  SendBudget& budget_;
  std::uint64_t written_ = 0;
  std::uint64_t credit_ = kInitialCredit;
  std::size_t buffer_ = SendBudget::kGuaranteed;  ///< what OpenSSL's buffer may have grown to
  Waits waits_ = Waits::kNo;
  bool send_ended_ = false;
  bool receive_ended_ = false;
  bool stopped_ = false;
  bool discards_ = false;
  bool drop_ = false;  ///< free the object, which is OpenSSL's way to send STOP_SENDING
  std::optional<std::uint64_t> reset_code_;
};

}  // namespace peersock::adapters
