// A NAT as the tests of the search for a port describe it.
#pragma once

#include "nat_engine.hpp"

namespace peersock::testbed {

inline NatConfig nat(Dependence mapping, Dependence filtering, Ports ports, std::uint32_t outside) {
  NatConfig made;
  made.mapping = mapping;
  made.filtering = filtering;
  made.ports = ports;
  made.addresses = {outside};
  return made;
}

}  // namespace peersock::testbed
