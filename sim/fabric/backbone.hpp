// The Internet between the sites: one router that knows who has which addresses.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "fabric/box.hpp"

namespace peersock::sim {

/// IPv4 addresses as IPv6 ones (RFC 4291 section 2.5.5.2), so that one table serves both.
using RouteAddress = std::array<std::uint8_t, 16>;

[[nodiscard]] RouteAddress route_address(const char* numeric);
/// Of a packet; nothing recognizable: all zero.
[[nodiscard]] RouteAddress destination_of(std::span<const std::uint8_t> packet);
[[nodiscard]] RouteAddress source_of(std::span<const std::uint8_t> packet);
[[nodiscard]] bool is_ipv6(std::span<const std::uint8_t> packet);

class Backbone final : public Box {
 public:
  /// `bits` are counted in the 128 bits of a RouteAddress: an IPv4 host has 128.
  void route(const RouteAddress& prefix, int bits, std::size_t plug);
  void receive(Frame frame, std::size_t plug) override;

 private:
  struct Route {
    RouteAddress prefix;
    int bits;
    std::size_t plug;
  };
  std::vector<Route> routes_;  // the longest prefixes first
};

}  // namespace peersock::sim
