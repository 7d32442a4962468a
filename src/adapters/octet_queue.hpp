// Octets in the order in which they came, kept in blocks that never move: a reader may point into
// them until they are dropped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>

#include "core/bytes.hpp"

namespace peersock::adapters {

/// Memory follows use: what is dropped is freed, and an empty queue holds no block.
class OctetQueue {
 public:
  /// Adds a copy of `octets` at the end.
  void append(ByteView octets);
  /// Everything that was appended and not dropped.
  [[nodiscard]] std::size_t size() const { return size_; }
  /// The part of it that `advance` has not passed.
  [[nodiscard]] std::size_t ahead() const { return ahead_; }

  /// Views of what is ahead, as far as `into` has places; returns how many it took. They stay
  /// valid until their octets are dropped.
  [[nodiscard]] std::size_t peek(std::span<ByteView> into) const;
  /// Passes `count` octets; at most ahead().
  void advance(std::size_t count);
  /// Frees the first `count` octets; at most what has been passed.
  void drop(std::size_t count);
  /// Copies from what is ahead, passes and drops it. For queues that only do this.
  [[nodiscard]] std::size_t take(MutableBytes into);
  void clear();

 private:
  struct Block {
    std::unique_ptr<std::uint8_t[]> octets;
    std::size_t capacity = 0;
    std::size_t begin = 0;  ///< what was dropped
    std::size_t end = 0;    ///< what was filled
  };

  std::deque<Block> blocks_;
  std::size_t size_ = 0;
  std::size_t ahead_ = 0;
  std::size_t block_ = 0;   ///< where `advance` has come to
  std::size_t offset_ = 0;  ///< in that block
};

}  // namespace peersock::adapters
