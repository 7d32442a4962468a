// Only for the ns_*.cpp files.
#pragma once

#include <memory>

#include <ns3/node.h>
#include <ns3/ptr.h>

#include "stack/ns_keeper.hpp"
#include "stack/stack_tcp.hpp"

namespace peersock::sim {

/// `keeper` gets every socket of ns-3's that comes of it.
[[nodiscard]] std::unique_ptr<StackTcp> open_ns_tcp(const ns3::Ptr<ns3::Node>& node, Family family,
                                                    std::shared_ptr<NsKeeper> keeper);

}  // namespace peersock::sim
