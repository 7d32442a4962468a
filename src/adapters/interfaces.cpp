#include "adapters/interfaces.hpp"

#include <array>
#include <memory>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

namespace peersock::adapters {
namespace {

std::string address_text(const sockaddr& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* octets = nullptr;
  if (address.sa_family == AF_INET) {
    octets = &reinterpret_cast<const sockaddr_in&>(address).sin_addr;
  } else if (address.sa_family == AF_INET6) {
    octets = &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  } else {
    return {};
  }
  const char* written = inet_ntop(address.sa_family, octets, text.data(), text.size());
  return written == nullptr ? std::string() : std::string(written);
}

}  // namespace

std::vector<ice::LocalInterface> list_interfaces() {
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> list(first, &freeifaddrs);
  std::vector<ice::LocalInterface> interfaces;
  for (const ifaddrs* entry = list.get(); entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr) continue;
    ice::LocalInterface found;
    found.address = address_text(*entry->ifa_addr);
    if (found.address.empty()) continue;
    found.name = entry->ifa_name;
    // Not IFF_RUNNING: the kernel sets it some time after a link has come up, and an address
    // without a link costs a socket at most.
    found.up = (entry->ifa_flags & IFF_UP) != 0;
    found.loopback = (entry->ifa_flags & IFF_LOOPBACK) != 0;
    found.point_to_point = (entry->ifa_flags & IFF_POINTOPOINT) != 0;
    interfaces.push_back(std::move(found));
  }
  return interfaces;
}

}  // namespace peersock::adapters
