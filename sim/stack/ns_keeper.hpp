// Keeps ns-3's sockets from being freed too early. Only for the ns_*.cpp files.
#pragma once

#include <vector>

#include <ns3/ptr.h>
#include <ns3/socket.h>

#include "stack/scheduler.hpp"

namespace peersock::sim {

/// ns-3's TCP puts calls of its own methods into the queue of events for the instant in which it
/// is (Socket::NotifyDataSent when it has sent), by a bare pointer. A socket that is reset in the
/// same instant, by its program or by the peer, is forgotten by everybody before that. So each one
/// stays until an instant has gone by in which nobody else had it.
class NsKeeper {
 public:
  void keep(const ns3::Ptr<ns3::Socket>& socket);

 private:
  struct Kept {
    ns3::Ptr<ns3::Socket> socket;
    bool alone = false;
    Nanos since{0};  ///< when it was first seen alone
  };
  void let_go();

  std::vector<Kept> kept_;
};

}  // namespace peersock::sim
