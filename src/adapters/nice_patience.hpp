// Checks over a slow path.
//
// RFC 8445 section 7.3.1.4: a check that another one for the same pair replaces is not sent again,
// but its answer counts for as long as it would have been waited for. libnice 0.1.21 forgets it
// when it would be sent again, which is half a second; and it replaces a check whenever one of the
// peer's arrives. So where an answer takes longer than some 1.5 s there and back, both sides drop
// every answer of the other, for ever. libnice waits for as many Ta (RFC 8445 section 14) as pairs
// are being checked, if that is more than half a second: the only way to make it wait longer.
#pragma once

#include <glib.h>
#include <nice/agent.h>

#include "adapters/wakeup.hpp"

namespace peersock::adapters {

class NicePatience {
 public:
  /// `agent` outlives this object; `pacing` is its Ta in milliseconds.
  NicePatience(::NiceAgent* agent, GMainContext* context, guint pacing)
      : agent_(agent), pacing_(pacing), turn_(context, [this] { turn(); }) {}

  /// From now on a check of the peer makes libnice check.
  void on_credentials();
  /// The peer's first check has arrived.
  void on_peers_check();
  /// The best path was found, or none will be.
  void on_decided();

 private:
  void start_if_checking();
  void turn();
  void set_pacing(guint milliseconds);

  ::NiceAgent* agent_;
  guint pacing_;
  Wakeup turn_;
  bool has_credentials_ = false;
  bool peer_checks_ = false;
  bool patient_ = false;
};

}  // namespace peersock::adapters
