// Readiness of one file descriptor, reported by a main context for as long as it is asked for.
#pragma once

#include <functional>

#include <glib.h>

namespace peersock::adapters {

/// What became ready of that which was asked for; errors and hang-ups count as both, since only
/// reading or writing tells what they mean.
using ReadyHandler = std::function<void(bool readable, bool writable)>;

class FdWatch {
 public:
  /// `handler` runs from `context`, never from a call of this class, and may destroy the watch.
  /// The caller keeps `fd` open until the watch is destroyed or told to watch nothing.
  FdWatch(GMainContext* context, int fd, ReadyHandler handler);
  ~FdWatch();
  FdWatch(const FdWatch&) = delete;
  FdWatch& operator=(const FdWatch&) = delete;
  FdWatch(FdWatch&&) = delete;
  FdWatch& operator=(FdWatch&&) = delete;

  /// Level-triggered. While neither is asked for, the descriptor is not polled at all: poll(2)
  /// would report a hang-up for ever, and the loop would spin.
  void watch(bool readable, bool writable);

 private:
  struct Source;
  Source* source_;
};

}  // namespace peersock::adapters
