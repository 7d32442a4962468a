// A GMainContext of the test's own, iterated until something has happened. Real time passes, but
// nothing sleeps: the loop waits for its sources, and a limit ends a test that hangs.
#pragma once

#include <utility>

#include "adapters/glib_ptr.hpp"
#include "core/time.hpp"

namespace peersock::testing {

class GlibLoop {
 public:
  GlibLoop() : context_(g_main_context_new()) {}
  GlibLoop(const GlibLoop&) = delete;
  GlibLoop& operator=(const GlibLoop&) = delete;
  GlibLoop(GlibLoop&&) = delete;
  GlibLoop& operator=(GlibLoop&&) = delete;
  /// What closes in the background gets the chance to do so, so that nothing leaks.
  ~GlibLoop() { turn(1000); }

  [[nodiscard]] GMainContext* context() const { return context_.get(); }

  /// Iterates until `done()`; false when that did not come true within `limit`.
  template <typename Done>
  [[nodiscard]] bool until(Done done, Duration limit = 10s) {
    const adapters::ThreadDefault scope(context_.get());
    bool expired = false;
    const adapters::SourcePtr timer(g_timeout_source_new(
        static_cast<guint>(std::chrono::duration_cast<std::chrono::milliseconds>(limit).count())));
    g_source_set_callback(timer.get(), expire, &expired, nullptr);
    g_source_attach(timer.get(), context_.get());
    while (!done()) {
      if (expired) return false;
      g_main_context_iteration(context_.get(), TRUE);
    }
    return true;
  }

  /// Iterates without waiting, at most `turns` times and until nothing is ready.
  void turn(int turns = 1) {
    const adapters::ThreadDefault scope(context_.get());
    while (turns-- > 0 && g_main_context_iteration(context_.get(), FALSE) != FALSE) {
    }
  }

 private:
  static gboolean expire(gpointer expired) noexcept {
    *static_cast<bool*>(expired) = true;
    return G_SOURCE_CONTINUE;
  }

  adapters::ContextPtr context_;
};

}  // namespace peersock::testing
