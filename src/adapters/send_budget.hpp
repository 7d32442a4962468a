// What the streams of one connection may hold of data that the peer has not acknowledged.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/time.hpp"

namespace peersock::adapters {

inline constexpr std::size_t kKiB = 1024;
inline constexpr std::size_t kMiB = 1024 * kKiB;

/// What was written is kept until it is acknowledged. With hundreds of streams up to the peer's
/// credit each, that is too much, so all streams of a connection share this: each may hold
/// kGuaranteed, and more only from the common rest. So the buffers of a connection hold at most
/// kShared + kGuaranteed * open streams.
///
/// The window is what one stream may have written and not acknowledged.
class SendBudget {
 public:
  static constexpr std::size_t kGuaranteed = 64 * kKiB;
  static constexpr std::size_t kShared = 32 * kMiB;
  static constexpr std::size_t kMinWindow = 512 * kKiB;

  [[nodiscard]] std::size_t free() const { return free_; }
  void take(std::size_t octets) { free_ -= octets; }
  void give_back(std::size_t octets) { free_ += octets; }

  [[nodiscard]] std::size_t window() const { return window_; }
  void set_window(std::size_t octets, std::size_t most) {
    window_ = std::clamp(octets, kMinWindow, most);
  }

 private:
  std::size_t free_ = kShared;
  std::size_t window_ = kMinWindow;
};

}  // namespace peersock::adapters
