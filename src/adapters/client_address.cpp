#include "adapters/client_address.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include <fmt/format.h>

#include "adapters/glib_ptr.hpp"

namespace peersock::adapters {
namespace {

constexpr std::size_t kIpv4Size = 4;
constexpr std::size_t kIpv6Size = 16;
constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::size_t kCountedIpv6 = 8;  ///< octets that make one origin
constexpr std::size_t kShownIpv4 = 3;    ///< octets that logs show: /24 …
constexpr std::size_t kShownIpv6 = 6;    ///< … and /48

std::string text_of(GInetAddress* address) {
  const GCharPtr text(g_inet_address_to_string(address));
  return text.get();
}

/// An address of which only the first `kept` octets are left.
std::string shortened(GInetAddress* address, std::size_t kept) {
  std::array<std::uint8_t, kIpv6Size> octets{};
  std::memcpy(octets.data(), g_inet_address_to_bytes(address), kept);
  const GObjectPtr<GInetAddress> network(
      g_inet_address_new_from_bytes(octets.data(), g_inet_address_get_family(address)));
  return fmt::format("{}/{}", text_of(network.get()), kept * 8);
}

ClientOrigin origin_of(GInetAddress* given, std::uint16_t port) {
  GObjectPtr<GInetAddress> address = share(given);
  const guint8* octets = g_inet_address_to_bytes(given);
  if (g_inet_address_get_native_size(given) == kIpv6Size &&
      std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), octets)) {
    address.reset(
        g_inet_address_new_from_bytes(octets + kMappedPrefix.size(), G_SOCKET_FAMILY_IPV4));
    octets = g_inet_address_to_bytes(address.get());
  }
  const bool ipv6 = g_inet_address_get_family(address.get()) == G_SOCKET_FAMILY_IPV6;
  using Family = wormhole::ClientAddress::Family;
  ClientOrigin origin;
  origin.address = {ipv6 ? Family::kIpv6 : Family::kIpv4, text_of(address.get()), port};
  origin.key.assign(reinterpret_cast<const char*>(octets), ipv6 ? kCountedIpv6 : kIpv4Size);
  origin.network = shortened(address.get(), ipv6 ? kShownIpv6 : kShownIpv4);
  origin.is_local = g_inet_address_get_is_loopback(address.get()) != FALSE;
  return origin;
}

}  // namespace

ClientOrigin origin_of(GSocketAddress* remote) {
  if (!G_IS_INET_SOCKET_ADDRESS(remote)) return {};
  auto* inet = G_INET_SOCKET_ADDRESS(remote);
  return origin_of(g_inet_socket_address_get_address(inet), g_inet_socket_address_get_port(inet));
}

std::optional<ClientOrigin> forwarded_origin(std::string_view header) {
  const auto comma = header.rfind(',');
  if (comma != std::string_view::npos) header.remove_prefix(comma + 1);
  const auto begin = header.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return std::nullopt;
  const std::string last(header.substr(begin, header.find_last_not_of(" \t") - begin + 1));
  const GObjectPtr<GInetAddress> address(g_inet_address_new_from_string(last.c_str()));
  if (!address) return std::nullopt;
  return origin_of(address.get(), 0);
}

}  // namespace peersock::adapters
