// One re-usable event source of a main context: at once, at a time, or when a descriptor is ready.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include <glib.h>

#include "core/time.hpp"

namespace peersock::adapters {

class Wakeup {
 public:
  /// `fire` runs from `context`, never from a call of this class, and may destroy the Wakeup.
  Wakeup(GMainContext* context, std::function<void()> fire);
  ~Wakeup();
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;
  Wakeup(Wakeup&&) = delete;
  Wakeup& operator=(Wakeup&&) = delete;

  /// Fires once, in the next turn of the loop or after `delay`. A later call replaces the time.
  void soon();
  void after(Duration delay);
  void cancel();

  /// Fires whenever `fd` is ready for one of `conditions`, until `unwatch`. One descriptor at a
  /// time; the caller keeps it open.
  void watch(int fd, GIOCondition conditions);
  void unwatch();
  [[nodiscard]] bool is_watching() const;

 private:
  struct Source;
  Source* source_;
};

}  // namespace peersock::adapters
