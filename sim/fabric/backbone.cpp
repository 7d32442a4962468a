#include "fabric/backbone.hpp"

#include <algorithm>
#include <utility>

#include <arpa/inet.h>

namespace peersock::sim {
namespace {

constexpr std::size_t kIpv4Header = 20;
constexpr std::size_t kIpv6Header = 40;

RouteAddress address_in(std::span<const std::uint8_t> packet, bool destination) {
  RouteAddress address{};
  if (is_ipv6(packet)) {
    std::copy_n(packet.data() + (destination ? 24 : 8), 16, address.begin());
  } else if (packet.size() >= kIpv4Header) {
    address[10] = address[11] = 0xff;
    std::copy_n(packet.data() + (destination ? 16 : 12), 4, address.begin() + 12);
  }
  return address;
}

bool begins_with(const RouteAddress& address, const RouteAddress& prefix, int bits) {
  const int octets = bits / 8;
  if (!std::equal(prefix.begin(), prefix.begin() + octets, address.begin())) return false;
  const int rest = bits % 8;
  const auto at = static_cast<std::size_t>(octets);
  return rest == 0 || (address[at] ^ prefix[at]) >> (8 - rest) == 0;
}

}  // namespace

bool is_ipv6(std::span<const std::uint8_t> packet) {
  return packet.size() >= kIpv6Header && packet[0] >> 4 == 6;
}

RouteAddress route_address(const char* numeric) {
  RouteAddress address{};
  if (inet_pton(AF_INET6, numeric, address.data()) == 1) return address;
  address = {};
  if (inet_pton(AF_INET, numeric, address.data() + 12) == 1) address[10] = address[11] = 0xff;
  return address;
}

RouteAddress destination_of(std::span<const std::uint8_t> packet) {
  return address_in(packet, true);
}

RouteAddress source_of(std::span<const std::uint8_t> packet) {
  return address_in(packet, false);
}

void Backbone::route(const RouteAddress& prefix, int bits, std::size_t plug) {
  routes_.push_back({prefix, bits, plug});
  std::ranges::stable_sort(routes_, [](const Route& a, const Route& b) { return a.bits > b.bits; });
}

void Backbone::receive(Frame frame, std::size_t /*plug*/) {
  const RouteAddress destination = destination_of(frame);
  for (const Route& route : routes_) {
    if (begins_with(destination, route.prefix, route.bits)) {
      return send(std::move(frame), route.plug);
    }
  }
}

}  // namespace peersock::sim
