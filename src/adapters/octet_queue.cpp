#include "adapters/octet_queue.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace peersock::adapters {
namespace {

constexpr std::size_t kSmallestBlock = 1024;
constexpr std::size_t kLargestBlock = 65'536;

}  // namespace

void OctetQueue::append(ByteView octets) {
  while (!octets.empty()) {
    if (blocks_.empty() || blocks_.back().end == blocks_.back().capacity) {
      // As much again as there is: few blocks for much data, a small one for little.
      Block block;
      block.capacity = std::clamp(std::max(octets.size(), size_), kSmallestBlock, kLargestBlock);
      block.octets.reset(new std::uint8_t[block.capacity]);
      blocks_.push_back(std::move(block));
    }
    Block& last = blocks_.back();
    const std::size_t count = std::min(octets.size(), last.capacity - last.end);
    std::memcpy(last.octets.get() + last.end, octets.data(), count);
    last.end += count;
    size_ += count;
    ahead_ += count;
    octets = octets.subspan(count);
  }
}

std::size_t OctetQueue::peek(std::span<ByteView> into) const {
  std::size_t count = 0;
  std::size_t offset = offset_;
  for (std::size_t i = block_; i < blocks_.size() && count < into.size(); ++i) {
    const Block& block = blocks_[i];
    if (block.end > offset) {
      into[count++] = ByteView(block.octets.get() + offset, block.end - offset);
    }
    offset = 0;
  }
  return count;
}

void OctetQueue::advance(std::size_t count) {
  count = std::min(count, ahead_);
  ahead_ -= count;
  while (count > 0) {
    const std::size_t step = std::min(count, blocks_[block_].end - offset_);
    offset_ += step;
    count -= step;
    // A block that is not full may still grow.
    if (offset_ == blocks_[block_].capacity) {
      ++block_;
      offset_ = 0;
    }
  }
}

void OctetQueue::drop(std::size_t count) {
  count = std::min(count, size_ - ahead_);
  size_ -= count;
  if (size_ == 0) return clear();
  while (count > 0) {
    Block& first = blocks_.front();
    const std::size_t step = std::min(count, first.end - first.begin);
    first.begin += step;
    count -= step;
    if (first.begin < first.capacity) continue;
    blocks_.pop_front();
    --block_;  // it was passed
  }
}

std::size_t OctetQueue::take(MutableBytes into) {
  std::size_t taken = 0;
  while (taken < into.size() && ahead_ > 0) {
    std::array<ByteView, 1> next;
    static_cast<void>(peek(next));
    const std::size_t count = std::min(next[0].size(), into.size() - taken);
    std::memcpy(into.data() + taken, next[0].data(), count);
    taken += count;
    advance(count);
    drop(count);
  }
  return taken;
}

void OctetQueue::clear() {
  std::deque<Block>().swap(blocks_);
  size_ = ahead_ = block_ = offset_ = 0;
}

}  // namespace peersock::adapters
