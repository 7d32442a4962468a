// Tells when the machine's addresses change: a cable pulled, another wireless network, a new lease.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <glib.h>

#include "adapters/unique_fd.hpp"
#include "adapters/wakeup.hpp"

namespace peersock::adapters {

/// Changes come in crowds: an address goes, a link comes up, addresses come one by one.
inline constexpr Duration kNetworkSettles = 300ms;

class NetworkWatch {
 public:
  /// `changed` runs from `context` when the addresses that ICE would use
  /// (ice::choose_local_addresses) are others than before; it may destroy the watch. Where the
  /// kernel tells nothing (rtnetlink(7) refused), it never runs.
  NetworkWatch(GMainContext* context, std::function<void()> changed);

 private:
  void read();
  void compare();

  std::function<void()> changed_;
  UniqueFd socket_;
  std::vector<std::string> addresses_;
  Wakeup settled_;
  Wakeup readable_;
};

}  // namespace peersock::adapters
