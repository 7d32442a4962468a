// One bidirectional stream over ngtcp2: what was received and not read, what was written and not
// acknowledged, and the end of each direction. It makes no call to ngtcp2.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "adapters/octet_queue.hpp"
#include "adapters/send_budget.hpp"
#include "quic/connection.hpp"

namespace peersock::adapters {

class Ngtcp2Stream {
 public:
  /// `credit` is what the peer takes in all, as far as it has said. `budget` must outlive the
  /// stream.
  Ngtcp2Stream(quic::StreamId id, bool ours, std::uint64_t credit, SendBudget& budget)
      : id_(id), ours_(ours), budget_(budget), credit_(credit) {}
  Ngtcp2Stream(const Ngtcp2Stream&) = delete;
  Ngtcp2Stream& operator=(const Ngtcp2Stream&) = delete;
  Ngtcp2Stream(Ngtcp2Stream&&) = delete;
  Ngtcp2Stream& operator=(Ngtcp2Stream&&) = delete;
  ~Ngtcp2Stream();

  [[nodiscard]] quic::StreamId id() const { return id_; }
  [[nodiscard]] bool ours() const { return ours_; }

  // Receiving. What is left unread counts against the flow-control windows.
  void on_data(ByteView octets, bool end);
  /// Returns how many octets were dropped unread, which opens the connection's window.
  [[nodiscard]] std::size_t on_reset(std::uint64_t code);
  /// With an empty `into` only a reset is told.
  [[nodiscard]] quic::ReadOutcome read(MutableBytes into);
  /// From now on everything received is dropped. Returns what `on_reset` does.
  [[nodiscard]] std::size_t discard();
  [[nodiscard]] bool discards() const { return discards_; }
  [[nodiscard]] bool receive_ended() const { return receive_ended_; }

  // Sending.
  /// What `write` takes now. 0 makes the stream wait.
  [[nodiscard]] std::size_t capacity();
  [[nodiscard]] std::size_t write(ByteView from);
  void finish() { end_sending(/*fin=*/true); }
  /// No more is written, and nothing of what was is sent.
  void abandon() { end_sending(/*fin=*/false); }
  [[nodiscard]] bool send_ended() const { return send_ended_; }
  /// Octets or the end wait to be sent.
  [[nodiscard]] bool has_output() const { return sends_ && (out_.ahead() > 0 || fin_waits_); }
  /// The next octets to send; true if they are the last ones and FIN follows them.
  [[nodiscard]] bool next_output(std::span<ByteView> into, std::size_t& count) const;
  void on_sent(std::size_t octets, bool fin);
  /// The peer has everything before `offset`. True when a writer that waited for room has enough.
  [[nodiscard]] bool on_acknowledged(std::uint64_t offset);
  /// MAX_STREAM_DATA. True when a writer waited for it.
  [[nodiscard]] bool on_credit(std::uint64_t limit);
  /// The engine is done with the stream, and so with the octets that it pointed to.
  void on_closed();
  [[nodiscard]] bool closed() const { return closed_; }

  bool released = false;            ///< the owner has forgotten it
  bool queued = false;              ///< it has a place among those that take turns
  bool readable_announced = false;  ///< a StreamReadable fact waits to be polled

 private:
  enum class Waits : std::uint8_t { kNo, kForCredit, kForRoom };

  void end_sending(bool fin);
  void wait() { waits_ = credit_ == written_ ? Waits::kForCredit : Waits::kForRoom; }
  [[nodiscard]] std::size_t room() const;
  /// What of `held` octets is beyond the guaranteed part.
  [[nodiscard]] static std::size_t shared_part(std::size_t held);
  void account(std::size_t held_before);

  quic::StreamId id_;
  bool ours_;
  SendBudget& budget_;

  OctetQueue in_;
  bool end_received_ = false;
  bool receive_ended_ = false;  ///< the reader knows of the end
  bool discards_ = false;
  std::optional<std::uint64_t> reset_code_;

  OctetQueue out_;
  std::uint64_t credit_;
  std::uint64_t written_ = 0;
  std::uint64_t acknowledged_ = 0;
  Waits waits_ = Waits::kNo;
  bool sends_ = true;
  bool send_ended_ = false;
  bool fin_waits_ = false;
  bool closed_ = false;
};

}  // namespace peersock::adapters
