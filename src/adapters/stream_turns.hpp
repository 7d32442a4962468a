// Whose turn it is among the streams that have something to send: a packet each, and whoever had
// been quiet before goes ahead of all that send without end. So a keystroke waits for no bulk
// transfer, however many there are (the rule of FQ-CoDel for new flows, RFC 8290 section 4.2).
#pragma once

#include <deque>

#include "quic/connection.hpp"

namespace peersock::adapters {

class StreamTurns {
 public:
  [[nodiscard]] bool empty() const { return fresh_.empty() && served_.empty(); }
  /// Only when not empty.
  [[nodiscard]] quic::StreamId front() const {
    return fresh_.empty() ? served_.front() : fresh_.front();
  }
  /// A stream that is in neither queue has something to send.
  void join(quic::StreamId stream) { fresh_.push_back(stream); }
  /// The front had its packet. It stays, even if it has nothing more now: a stream that always has
  /// just one packet is ahead of the others once in a round, not always.
  void serve() {
    served_.push_back(front());
    leave();
  }
  /// The front has nothing to send when its turn has come.
  void leave() {
    auto& queue = fresh_.empty() ? served_ : fresh_;
    queue.pop_front();
  }

 private:
  std::deque<quic::StreamId> fresh_;   ///< had no turn in this round
  std::deque<quic::StreamId> served_;  ///< in turn
};

}  // namespace peersock::adapters
