// What the programs of simulated hosts share. All errors are defects of a scenario, and thrown.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "adapters/unique_fd.hpp"
#include "stack/stack_udp.hpp"

namespace peersock::sim {

[[nodiscard]] adapters::UniqueFd bound_socket(int type, const std::string& address,
                                              std::uint16_t port);
/// On its way; writable once it is connected.
[[nodiscard]] adapters::UniqueFd connecting_socket(const std::string& address, std::uint16_t port);
/// A UDP socket from any port of `address`, for one peer alone.
[[nodiscard]] adapters::UniqueFd connected_datagrams(const std::string& address,
                                                     const SocketName& peer);
/// What a socket is bound to.
[[nodiscard]] SocketName local_name(int fd);
/// Nothing: none is there.
[[nodiscard]] std::optional<Datagram> receive_datagram(int fd);
void send_datagram(int fd, std::span<const std::uint8_t> octets, const SocketName& to);

}  // namespace peersock::sim
