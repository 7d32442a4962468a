#include "too_big.hpp"

#include <algorithm>

#include "packet.hpp"

namespace peersock::testbed {

namespace {

using Octets = std::vector<std::uint8_t>;
using View = std::span<const std::uint8_t>;

constexpr std::size_t ethernet_header = 14, ipv4_header = 20, ipv6_header = 40, icmp_header = 8;
constexpr std::size_t longest_ipv4 = 576;   // RFC 1812 section 4.3.2.3
constexpr std::size_t longest_ipv6 = 1280;  // RFC 4443 section 2.4 (c)
constexpr std::uint8_t icmp = 1, icmpv6 = 58, hops = 64;
constexpr std::uint8_t unreachable = 3, fragmentation_needed = 4, packet_too_big = 2;

void put16(Octets& octets, std::size_t at, std::size_t value) {
  octets[at] = static_cast<std::uint8_t>(value >> 8U);
  octets[at + 1] = static_cast<std::uint8_t>(value);
}

// An Ethernet header back to the sender, and room for what follows.
Octets frame_back(View frame, std::size_t headers) {
  Octets made(ethernet_header + headers);
  std::copy_n(frame.begin() + 6, 6, made.begin());
  std::copy_n(frame.begin(), 6, made.begin() + 6);
  std::copy_n(frame.begin() + 12, 2, made.begin() + 12);
  return made;
}

void quote(Octets& made, View packet, std::size_t longest) {
  const std::size_t room = longest - (made.size() - ethernet_header);
  const View quoted = packet.first(std::min(packet.size(), room));
  made.insert(made.end(), quoted.begin(), quoted.end());
}

bool ipv4_is_told_of(View packet) {
  if (packet.size() < ipv4_header || packet[0] >> 4U != 4) return false;
  const auto header = static_cast<std::size_t>(packet[0] & 15U) * 4;
  if (header < ipv4_header || packet.size() < header + icmp_header) return false;
  const bool may_be_cut = (packet[6] & 0x40U) == 0;
  const bool later_fragment = (packet[6] & 0x1fU) != 0 || packet[7] != 0;
  const bool for_many = packet[16] >= 224;
  const auto type = packet[header];
  const bool is_error = packet[9] == icmp && type != 0 && type != 8;
  return !may_be_cut && !later_fragment && !for_many && !is_error;
}

Octets ipv4_answer(View frame, std::uint16_t mtu, const Router& router) {
  const View packet = frame.subspan(ethernet_header);
  Octets made = frame_back(frame, ipv4_header + icmp_header);
  quote(made, packet, longest_ipv4);
  constexpr std::size_t ip = ethernet_header, message = ip + ipv4_header;
  made[ip] = 0x45;
  put16(made, ip + 2, made.size() - ethernet_header);
  made[ip + 8] = hops;
  made[ip + 9] = icmp;
  std::copy(router.ipv4.begin(), router.ipv4.end(), made.begin() + ip + 12);
  std::copy_n(packet.begin() + 12, 4, made.begin() + ip + 16);
  put16(made, ip + 10, internet_checksum(View(made).subspan(ip, ipv4_header)));
  made[message] = unreachable;
  made[message + 1] = fragmentation_needed;
  put16(made, message + 6, mtu);
  put16(made, message + 2, internet_checksum(View(made).subspan(message)));
  return made;
}

bool ipv6_is_told_of(View packet) {
  if (packet.size() < ipv6_header + icmp_header || packet[0] >> 4U != 6) return false;
  // Packet Too Big is the one error that is sent about packets for many receivers, too (RFC 4443
  // section 2.4 (e.3)); nothing here sends any that long.
  const bool is_error = packet[6] == icmpv6 && packet[ipv6_header] < 128;
  return !is_error && packet[24] != 0xff;
}

// Over the pseudo-header of RFC 8200 section 8.1 as well.
std::uint16_t ipv6_checksum(View packet) {
  Octets all(packet.begin() + 8, packet.begin() + ipv6_header);
  const std::size_t length = packet.size() - ipv6_header;
  all.insert(all.end(), {0, 0, static_cast<std::uint8_t>(length >> 8U),
                         static_cast<std::uint8_t>(length), 0, 0, 0, icmpv6});
  all.insert(all.end(), packet.begin() + ipv6_header, packet.end());
  return internet_checksum(all);
}

Octets ipv6_answer(View frame, std::uint16_t mtu, const Router& router) {
  const View packet = frame.subspan(ethernet_header);
  Octets made = frame_back(frame, ipv6_header + icmp_header);
  quote(made, packet, longest_ipv6);
  constexpr std::size_t ip = ethernet_header, message = ip + ipv6_header;
  made[ip] = 0x60;
  put16(made, ip + 4, made.size() - message);
  made[ip + 6] = icmpv6;
  made[ip + 7] = hops;
  std::copy(router.ipv6.begin(), router.ipv6.end(), made.begin() + ip + 8);
  std::copy_n(packet.begin() + 8, 16, made.begin() + ip + 24);
  made[message] = packet_too_big;
  put16(made, message + 6, mtu);
  put16(made, message + 2, ipv6_checksum(View(made).subspan(ip)));
  return made;
}

}  // namespace

std::optional<Octets> too_big_answer(View frame, std::uint16_t mtu, const Router& router) {
  if (frame.size() < ethernet_header) return std::nullopt;
  const auto type = static_cast<unsigned>(frame[12] << 8U | frame[13]);
  const View packet = frame.subspan(ethernet_header);
  if (type == 0x0800 && ipv4_is_told_of(packet)) return ipv4_answer(frame, mtu, router);
  if (type == 0x86dd && ipv6_is_told_of(packet)) return ipv6_answer(frame, mtu, router);
  return std::nullopt;
}

}  // namespace peersock::testbed
