// What came of a simulation, by what both users and both local programs saw.
#pragma once

#include <optional>
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

/// See `Report`. Nothing when there was none.
[[nodiscard]] std::optional<double> first_octet_seconds(const Evidence& evidence);
/// See `Report`. Nothing unless everything has arrived.
[[nodiscard]] std::optional<double> octets_per_second(const Evidence& evidence);

}  // namespace peersock::sim
