// Only for the ns_*.cpp files.
#pragma once

#include <memory>

#include <ns3/node.h>
#include <ns3/ptr.h>

#include "stack/stack_tcp.hpp"

namespace peersock::sim {

[[nodiscard]] std::unique_ptr<StackTcp> open_ns_tcp(const ns3::Ptr<ns3::Node>& node, Family family);

}  // namespace peersock::sim
