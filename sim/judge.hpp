// What came of a simulation, by what both users and both local programs saw.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "party.hpp"
#include "programs/transfer.hpp"
#include "scenario.hpp"

namespace peersock::sim {

/// What was seen of one session. All that is pointed to outlives it.
struct Evidence {
  struct Side {
    std::string_view name;
    const PartyRecord& record;
  };
  std::uint64_t octets = 0;  ///< that each local program sends
  Side listener;
  Side connector;
  const TransferResult* client = nullptr;  ///< null: it never connected
  /// One for each connection that reached the service.
  std::vector<const TransferResult*> services{};
  /// A part of a sentence that one of the users has to be shown; empty: none.
  std::string_view says{};
};

[[nodiscard]] Outcome judge(const Evidence& evidence);
/// What must never be, whatever the network does; one sentence each.
[[nodiscard]] std::vector<std::string> violations(const Evidence& evidence);

/// See `Report`. Nothing when there was none.
[[nodiscard]] std::optional<double> first_octet_seconds(const Evidence& evidence);
/// See `Report`. Nothing unless everything has arrived.
[[nodiscard]] std::optional<double> octets_per_second(const Evidence& evidence);

}  // namespace peersock::sim
