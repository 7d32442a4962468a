#include "stack/ns_keeper.hpp"

#include <utility>

namespace peersock::sim {

void NsKeeper::keep(const ns3::Ptr<ns3::Socket>& socket) {
  let_go();
  kept_.push_back({socket});
}

void NsKeeper::let_go() {
  std::erase_if(kept_, [](Kept& one) {
    if (one.socket->GetReferenceCount() > 1) {
      one.alone = false;
      return false;
    }
    if (!std::exchange(one.alone, true)) one.since = now();
    return one.since < now();
  });
}

}  // namespace peersock::sim
