#include "libc/udp_options.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

namespace peersock::sim {
namespace {

constexpr int kHopLimit = 64;
constexpr int kOctet = 255;
constexpr int kAnyNumber = -1;

struct Known {
  int level;
  int option;
  int UdpOptions::*place;
  /// Equal: a switch, which every number but 0 turns on.
  int least = 0;
  int most = 0;
  /// What is told for a negative one.
  int usual = 0;
};

constexpr std::array kKnown{
    Known{SOL_SOCKET, SO_REUSEPORT, &UdpOptions::reuse_port},
    Known{IPPROTO_UDP, UDP_SEGMENT, &UdpOptions::segment, 0, UINT16_MAX},
    Known{IPPROTO_UDP, UDP_GRO, &UdpOptions::coalesces},
    Known{IPPROTO_IP, IP_TOS, &UdpOptions::tos, 0, kOctet},
    Known{IPPROTO_IP, IP_TTL, &UdpOptions::ttl, kAnyNumber, kOctet, kHopLimit},
    Known{IPPROTO_IP, IP_MTU_DISCOVER, &UdpOptions::mtu_discover, IP_PMTUDISC_DONT,
          IP_PMTUDISC_OMIT},
    Known{IPPROTO_IP, IP_RECVTOS, &UdpOptions::receive_tos},
    Known{IPPROTO_IP, IP_RECVTTL, &UdpOptions::receive_ttl},
    Known{IPPROTO_IPV6, IPV6_V6ONLY, &UdpOptions::only_ipv6},
    Known{IPPROTO_IPV6, IPV6_TCLASS, &UdpOptions::traffic_class, kAnyNumber, kOctet},
    Known{IPPROTO_IPV6, IPV6_UNICAST_HOPS, &UdpOptions::hop_limit, kAnyNumber, kOctet, kHopLimit},
    Known{IPPROTO_IPV6, IPV6_MTU_DISCOVER, &UdpOptions::mtu_discover_ipv6, IPV6_PMTUDISC_DONT,
          IPV6_PMTUDISC_OMIT},
    Known{IPPROTO_IPV6, IPV6_RECVTCLASS, &UdpOptions::receive_traffic_class},
    Known{IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &UdpOptions::receive_hop_limit},
};

const Known* find(int level, int option) {
  const auto* found = std::ranges::find_if(
      kKnown, [&](const Known& one) { return one.level == level && one.option == option; });
  return found == kKnown.end() ? nullptr : found;
}

}  // namespace

UdpOptions::UdpOptions() : mtu_discover(IP_PMTUDISC_WANT), mtu_discover_ipv6(IPV6_PMTUDISC_WANT) {}

std::optional<int> UdpOptions::set(int level, int option, const void* value, std::size_t size) {
  const Known* known = find(level, option);
  if (known == nullptr) return std::nullopt;
  int number = 0;
  if (size < sizeof number) return -EINVAL;
  std::memcpy(&number, value, sizeof number);
  if (known->least == known->most) {
    number = number != 0 ? 1 : 0;
  } else if (number < known->least || number > known->most ||
             (number == 0 && option == IP_TTL && level == IPPROTO_IP)) {
    return -EINVAL;
  }
  this->*known->place = number;
  return 0;
}

std::optional<int> UdpOptions::get(int level, int option) const {
  const Known* known = find(level, option);
  if (known == nullptr) return std::nullopt;
  const int number = this->*known->place;
  return number < 0 ? known->usual : number;
}

IpMarks UdpOptions::marks(Family family) const {
  const bool ipv4 = family == Family::kIpv4;
  const int chosen_class = ipv4 ? tos : traffic_class;
  const int chosen_limit = ipv4 ? ttl : hop_limit;
  return {static_cast<std::uint8_t>(std::max(chosen_class, 0)),
          static_cast<std::uint8_t>(chosen_limit < 0 ? kHopLimit : chosen_limit)};
}

bool UdpOptions::never_fragments(Family family) const {
  const int chosen = family == Family::kIpv4 ? mtu_discover : mtu_discover_ipv6;
  return chosen == IP_PMTUDISC_DO || chosen == IP_PMTUDISC_PROBE;
}

}  // namespace peersock::sim
