#include "stack/socket_name.hpp"

#include <algorithm>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace peersock::sim {

std::optional<SocketName> socket_name(const std::string& address, std::uint16_t port) {
  SocketName name;
  name.port = port;
  if (inet_pton(AF_INET, address.c_str(), name.address.data()) == 1) return name;
  name.family = Family::kIpv6;
  if (inet_pton(AF_INET6, address.c_str(), name.address.data()) == 1) return name;
  return std::nullopt;
}

SocketName any_name(Family family) {
  SocketName name;
  name.family = family;
  return name;
}

bool is_loopback(const SocketName& name) {
  if (name.family == Family::kIpv4) return name.address[0] == 127;
  return std::memcmp(name.address.data(), &in6addr_loopback, sizeof in6addr_loopback) == 0;
}

std::optional<SocketName> from_sockaddr(const sockaddr* address, socklen_t size) {
  SocketName name;
  if (address == nullptr || size < sizeof(sa_family_t)) return std::nullopt;
  if (address->sa_family == AF_INET && size >= sizeof(sockaddr_in)) {
    const auto* ipv4 = reinterpret_cast<const sockaddr_in*>(address);
    std::memcpy(name.address.data(), &ipv4->sin_addr, sizeof ipv4->sin_addr);
    name.port = ntohs(ipv4->sin_port);
    return name;
  }
  if (address->sa_family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
    const auto* ipv6 = reinterpret_cast<const sockaddr_in6*>(address);
    name.family = Family::kIpv6;
    std::memcpy(name.address.data(), &ipv6->sin6_addr, sizeof ipv6->sin6_addr);
    name.port = ntohs(ipv6->sin6_port);
    return name;
  }
  return std::nullopt;
}

void to_sockaddr(const SocketName& name, sockaddr* address, socklen_t* size) {
  if (address == nullptr || size == nullptr) return;
  sockaddr_storage storage{};
  socklen_t whole = 0;
  if (name.family == Family::kIpv4) {
    auto& ipv4 = reinterpret_cast<sockaddr_in&>(storage);
    ipv4.sin_family = AF_INET;
    ipv4.sin_port = htons(name.port);
    std::memcpy(&ipv4.sin_addr, name.address.data(), sizeof ipv4.sin_addr);
    whole = sizeof ipv4;
  } else {
    auto& ipv6 = reinterpret_cast<sockaddr_in6&>(storage);
    ipv6.sin6_family = AF_INET6;
    ipv6.sin6_port = htons(name.port);
    std::memcpy(&ipv6.sin6_addr, name.address.data(), sizeof ipv6.sin6_addr);
    whole = sizeof ipv6;
  }
  std::memcpy(address, &storage, std::min(*size, whole));
  *size = whole;
}

}  // namespace peersock::sim
