// The network interfaces of a simulated host: lo, and eth0.
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include "host.hpp"
#include "libc/real.hpp"

namespace peersock::sim {
namespace {

constexpr unsigned kLoopbackIndex = 1;
constexpr unsigned kEthernetIndex = 2;

struct Entry {
  ifaddrs head{};
  sockaddr_storage address{};
  sockaddr_storage mask{};
  char name[IF_NAMESIZE]{};
};

SocketName mask_of(const InterfaceAddress& address) {
  SocketName mask = any_name(address.name.family);
  for (int bit = 0; bit < address.prefix; ++bit) {
    mask.address[static_cast<std::size_t>(bit / 8)] |= static_cast<std::uint8_t>(0x80 >> bit % 8);
  }
  return mask;
}

Entry* make_entry(const InterfaceAddress& address) {
  auto entry = std::make_unique<Entry>();
  const std::string_view called = address.loopback ? "lo" : "eth0";
  called.copy(entry->name, sizeof entry->name - 1);
  entry->head.ifa_name = entry->name;
  entry->head.ifa_flags = IFF_UP | IFF_RUNNING | (address.loopback ? IFF_LOOPBACK : IFF_MULTICAST);
  auto* name = reinterpret_cast<sockaddr*>(&entry->address);
  auto* mask = reinterpret_cast<sockaddr*>(&entry->mask);
  socklen_t size = sizeof entry->address;
  to_sockaddr(address.name, name, &size);
  size = sizeof entry->mask;
  to_sockaddr(mask_of(address), mask, &size);
  entry->head.ifa_addr = name;
  entry->head.ifa_netmask = mask;
  if (address.name.family == Family::kIpv6 && address.name.address[0] == 0xfe) {
    reinterpret_cast<sockaddr_in6*>(name)->sin6_scope_id = kEthernetIndex;
  }
  return entry.release();
}

}  // namespace
}  // namespace peersock::sim

using namespace peersock::sim;

extern "C" {

int getifaddrs(ifaddrs** first) noexcept {
  Host* host = Host::current();
  if (host == nullptr) return PEERSOCK_REAL(getifaddrs)(first);
  *first = nullptr;
  ifaddrs** end = first;
  for (const InterfaceAddress& address : host->ip().addresses()) {
    // The entry begins with what the caller sees.
    *end = &make_entry(address)->head;
    end = &(*end)->ifa_next;
  }
  return 0;
}

void freeifaddrs(ifaddrs* first) noexcept {
  if (Host::current() == nullptr) return PEERSOCK_REAL(freeifaddrs)(first);
  while (first != nullptr) {
    const std::unique_ptr<Entry> entry(reinterpret_cast<Entry*>(first));
    first = first->ifa_next;
  }
}

unsigned if_nametoindex(const char* name) noexcept {
  if (Host::current() == nullptr) return PEERSOCK_REAL(if_nametoindex)(name);
  if (std::strcmp(name, "lo") == 0) return kLoopbackIndex;
  return std::strcmp(name, "eth0") == 0 ? kEthernetIndex : 0;
}

}  // extern "C"
