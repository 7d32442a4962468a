// Agents that may use TCP on loopback, where only that gets through, and sockets of strangers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "adapters/unique_fd.hpp"
#include "ice_world.hpp"

namespace peersock::testing {

[[nodiscard]] bool is_tcp(const wire::Candidate& candidate);

/// A side that offers TCP at any address.
[[nodiscard]] SideOptions tcp_side(bool controlling, const std::string& address = "127.0.0.1");

/// A filter of a side's messages. As where UDP is blocked: of the direct candidates only those over
/// TCP arrive.
bool without_udp(wire::IceMessage& message);
/// A filter, too.
bool without_any(wire::IceMessage& message);

/// `count` datagrams of `segment` octets, no two alike.
[[nodiscard]] Bytes train_of(std::size_t count, std::size_t segment, std::uint8_t first = 0);

[[nodiscard]] bool is_over_tcp(const Side& side);

/// The port at which a side lets its peer in; 0: none.
[[nodiscard]] std::uint16_t tcp_port(const Side& side);

/// Empty when the connection is refused.
[[nodiscard]] adapters::UniqueFd connect_to(std::uint16_t port);

/// The other side has ended the connection.
[[nodiscard]] bool is_ended(const adapters::UniqueFd& fd);

void send_text(const adapters::UniqueFd& fd, std::string_view text);

/// Runs the loop for about so long.
void pass(Pair& pair, Duration span);

/// Waits until the port of a side is open to everybody.
[[nodiscard]] bool until_it_listens(Pair& pair, const Side& side);

void expect_data_both_ways(Pair& pair);

}  // namespace peersock::testing
