// What the programs of simulated hosts share. All errors are defects of a scenario, and thrown.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "adapters/unique_fd.hpp"
#include "stack/socket_name.hpp"

namespace peersock::sim {

[[nodiscard]] adapters::UniqueFd bound_socket(int type, const std::string& address,
                                              std::uint16_t port);
/// On its way; writable once it is connected.
[[nodiscard]] adapters::UniqueFd connecting_socket(const std::string& address, std::uint16_t port);
void send_datagram(int fd, std::span<const std::uint8_t> octets, const SocketName& to);

}  // namespace peersock::sim
