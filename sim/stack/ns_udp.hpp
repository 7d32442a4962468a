// Only for the ns_*.cpp files.
#pragma once

#include <memory>

#include <ns3/node.h>
#include <ns3/ptr.h>

#include "stack/stack_udp.hpp"

namespace peersock::sim {

[[nodiscard]] std::unique_ptr<StackUdp> open_ns_udp(const ns3::Ptr<ns3::Node>& node, Family family);

}  // namespace peersock::sim
