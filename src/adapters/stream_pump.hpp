// Carries octets between two streams, both ways, for a program that must not see the far one end:
// then the near one stays open, nothing comes from it any more, and what goes to it is dropped. At
// most kPumpBuffer octets of a direction are in our hands: nothing is read before they have been
// written.
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
  /// Both are pollable in both directions, and over sockets. That of `far` is closed when either
  /// ends, that of `near` when `near` does, or the pump goes. `far_ended` runs at most once, from
  /// the loop, and may destroy the pump. `context` outlives it.
  StreamPump(GMainContext* context, GObjectPtr<GIOStream> near, GObjectPtr<GIOStream> far,
             std::function<void()> far_ended);
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
