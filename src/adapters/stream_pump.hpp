// Carries octets between two streams, both ways, until one of them ends. At most kPumpBuffer octets
// of a direction are in our hands: nothing is read before they have been written.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include <gio/gio.h>

#include "adapters/glib_ptr.hpp"

namespace peersock::adapters {

inline constexpr std::size_t kPumpBuffer = std::size_t{64} * 1024;

class StreamPump {
 public:
  /// Both are pollable in both directions, and over sockets, which are closed at the end. `ended`
  /// runs once, from the loop, and may destroy the pump. `context` outlives it.
  StreamPump(GMainContext* context, GObjectPtr<GIOStream> a, GObjectPtr<GIOStream> b,
             std::function<void()> ended);
  StreamPump(const StreamPump&) = delete;
  StreamPump& operator=(const StreamPump&) = delete;
  StreamPump(StreamPump&&) = delete;
  StreamPump& operator=(StreamPump&&) = delete;
  /// Closes both; nothing is called any more.
  ~StreamPump();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  // lives on while one of its callbacks runs
};

}  // namespace peersock::adapters
