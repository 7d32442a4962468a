// The program's main context: it is the thread's default while it runs, as GIO and libsoup expect.
#pragma once

#include <array>
#include <functional>

#include "adapters/glib_ptr.hpp"

namespace peersock::app {

class Loop {
 public:
  Loop();

  [[nodiscard]] GMainContext* context() { return context_.get(); }
  /// `interrupted` runs for SIGINT, SIGTERM and SIGHUP.
  void on_interrupt(std::function<void()> interrupted);
  /// `hung_up` runs for SIGHUP instead.
  void on_hangup(std::function<void()> hung_up);
  /// Runs until `done()` holds.
  void run_until(const std::function<bool()>& done);
  /// Lets sources that have been told to end do so; does not wait for the network.
  void settle();

 private:
  static void watch(GMainContext* context, int signal_number, std::function<void()>& handler,
                    adapters::SourcePtr& source);

  adapters::ContextPtr context_;
  std::function<void()> interrupted_;
  std::function<void()> hung_up_;
  std::array<adapters::SourcePtr, 3> signals_;
};

}  // namespace peersock::app
