// What the two halves of FakeQuic share: its frames and the state of a stream.
#pragma once

#include <algorithm>
#include <utility>

#include "support/fake_quic.hpp"

namespace peersock::testing {

enum class FakeFrameType : std::uint8_t {
  kHello = 1,
  kData,
  kReset,
  kStop,
  kMaxStreamData,
  kMaxData,
  kMaxStreams,
  kClose,
  kPing,
};

class FakeFrameWriter {
 public:
  explicit FakeFrameWriter(FakeFrameType type) {
    octets_.push_back(static_cast<std::uint8_t>(type));
  }
  FakeFrameWriter& number(std::uint64_t value, int size = 8) {
    for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) {
      octets_.push_back(static_cast<std::uint8_t>(value >> shift));
    }
    return *this;
  }
  FakeFrameWriter& bytes(ByteView value) {
    octets_.insert(octets_.end(), value.begin(), value.end());
    return *this;
  }
  Bytes done() { return std::move(octets_); }

 private:
  Bytes octets_;
};

/// Reads fields; missing octets read as zeros.
class FakeQuic::Frame {
 public:
  explicit Frame(ByteView rest) : rest_(rest) {}
  [[nodiscard]] bool empty() const { return rest_.empty(); }
  std::uint64_t number(int size = 8) {
    std::uint64_t value = 0;
    for (int i = 0; i < size && !rest_.empty(); ++i) {
      value = value << 8 | rest_.front();
      rest_ = rest_.subspan(1);
    }
    return value;
  }
  ByteView bytes(std::size_t size) {
    const ByteView taken = rest_.first(std::min(size, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }

 private:
  ByteView rest_;
};

struct FakeQuic::Stream {
  quic::StreamId id = 0;
  bool released = false;

  Bytes out;
  std::uint64_t sent = 0;
  std::uint64_t send_limit = 0;
  bool finishing = false;
  bool send_over = false;  ///< FIN or reset is on the wire
  bool starved = false;    ///< the writer waits for StreamWritable
  bool listed = false;     ///< in sendable_

  Bytes in;
  std::uint64_t consumed = 0;
  std::uint64_t granted = 0;
  bool fin = false;
  std::optional<std::uint64_t> reset;
  bool receive_over = false;  ///< the end or a reset was read, or the reader has stopped
  bool drained = true;        ///< the reader was told that it would block
};

}  // namespace peersock::testing
