// The process's monotonic clock, as GLib's loop sees it.
#pragma once

#include <glib.h>

#include "core/time.hpp"

namespace peersock::adapters {

[[nodiscard]] inline Instant monotonic_now() {
  return Instant{} + std::chrono::microseconds(g_get_monotonic_time());
}

}  // namespace peersock::adapters
