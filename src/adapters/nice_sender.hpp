// Sends trains of datagrams over the pair that libnice has selected.
#pragma once

#include <cstdint>
#include <functional>

#include <nice/agent.h>

#include "adapters/glib_ptr.hpp"
#include "adapters/wakeup.hpp"
#include "quic/datagram.hpp"

namespace peersock::adapters {

struct SendStatistics {
  std::uint64_t datagrams = 0;    ///< handed to the system
  std::uint64_t calls = 0;        ///< of libnice or the system, a batch each
  std::uint64_t would_block = 0;  ///< times that the socket's buffer was full
  std::uint64_t lost = 0;         ///< datagrams that the system refused for good

  /// One call, for a whole train.
  void count(const quic::DatagramTrain& train, quic::SendOutcome outcome);
};

class NiceSender {
 public:
  /// `writable` runs from `context` after a kWouldBlock. `agent` outlives the sender.
  NiceSender(::NiceAgent* agent, guint stream, GMainContext* context,
             std::function<void()> writable);

  /// All or nothing, as DatagramPath::send_batch has it. libnice may take a part of a train: the
  /// rest then waits here, and counts as sent.
  [[nodiscard]] quic::SendOutcome send(const quic::DatagramTrain& train);
  /// The pair has gone: what waits is lost.
  void reset();
  [[nodiscard]] const SendStatistics& statistics() const { return statistics_; }

 private:
  struct Progress {
    std::size_t octets = 0;  ///< taken
    bool blocked = false;
    bool refused = false;
  };
  [[nodiscard]] Progress push(const quic::DatagramTrain& train);
  void wait_until_writable();
  void on_ready();
  [[nodiscard]] GObjectPtr<GSocket> selected_socket() const;

  ::NiceAgent* agent_;
  guint stream_;
  std::function<void()> writable_;
  Wakeup wakeup_;
  GObjectPtr<GSocket> watched_;  // keeps the descriptor open while it is watched
  Bytes rest_;
  std::size_t rest_segment_ = 0;
  bool owner_waits_ = false;
  SendStatistics statistics_;
};

}  // namespace peersock::adapters
