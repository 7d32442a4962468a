// Whose turn it is among the streams that have something to send. A turn is a share of octets, so
// that what leaves together, and arrives together, is mostly one stream's: its reader is woken once
// for all of it. Whoever had been quiet goes ahead of all that send without end, so a keystroke
// waits for no bulk transfer, however many there are (deficit round robin with new flows first, RFC
// 8290 section 4.2).
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>

#include "quic/connection.hpp"

namespace peersock::adapters {

class StreamTurns {
 public:
  [[nodiscard]] bool empty() const { return fresh_.streams.empty() && served_.streams.empty(); }
  /// Only when not empty.
  [[nodiscard]] quic::StreamId front() const {
    return (fresh_.streams.empty() ? served_ : fresh_).streams.front();
  }
  /// A stream that is in neither queue has something to send.
  void join(quic::StreamId stream) { fresh_.streams.push_back(stream); }
  /// The front has sent so many octets. Its turn goes on until these are `share`.
  void serve(std::size_t octets, std::size_t share) {
    Queue& queue = current();
    queue.used += std::max<std::size_t>(octets, 1);
    if (queue.used >= share) end_turn(queue);
  }
  /// The front has nothing to send. True if it is out; if it has sent something in this turn, it
  /// stays for the next one, even if it has nothing then: a stream that always has just one packet
  /// is ahead of the others once in a round, not always.
  [[nodiscard]] bool leave() {
    Queue& queue = current();
    if (queue.used > 0) {
      end_turn(queue);
      return false;
    }
    queue.streams.pop_front();
    return true;
  }

 private:
  struct Queue {
    std::deque<quic::StreamId> streams;
    std::size_t used = 0;  ///< octets that the front has sent in its turn
  };

  [[nodiscard]] Queue& current() { return fresh_.streams.empty() ? served_ : fresh_; }
  void end_turn(Queue& queue) {
    served_.streams.push_back(queue.streams.front());
    queue.streams.pop_front();
    queue.used = 0;
  }

  Queue fresh_;   ///< had no turn in this round
  Queue served_;  ///< in turn
};

}  // namespace peersock::adapters
