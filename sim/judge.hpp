// What came of a simulation, by what both users and both local programs saw.
#pragma once

#include <string>
#include <vector>

#include "party.hpp"
#include "programs/transfer.hpp"
#include "scenario.hpp"

namespace peersock::sim {

struct Evidence {
  const Scenario& scenario;
  const Party& listener;
  const Party& connector;
  const Transfer* client = nullptr;         ///< null: it never connected
  std::vector<const Transfer*> services{};  ///< one for each connection that reached the service
};

[[nodiscard]] Outcome judge(const Evidence& evidence);
/// What must never be, whatever the network does; one sentence each.
[[nodiscard]] std::vector<std::string> violations(const Evidence& evidence);

}  // namespace peersock::sim
