#include "libc/control_messages.hpp"

#include <algorithm>
#include <cstring>

#include <netinet/in.h>
#include <netinet/udp.h>

namespace peersock::sim {
namespace {

template <typename T>
std::optional<T> value_of(const cmsghdr& header) {
  if (header.cmsg_len != CMSG_LEN(sizeof(T))) return std::nullopt;
  T value{};
  std::memcpy(&value, CMSG_DATA(&header), sizeof value);
  return value;
}

/// False: Linux refuses it.
bool take_octet(const cmsghdr& header, int least, std::optional<std::uint8_t>& into) {
  const auto value = value_of<int>(header);
  if (!value || *value < least || *value > UINT8_MAX) return false;
  into = static_cast<std::uint8_t>(*value);
  return true;
}

bool take_ipv4(const cmsghdr& header, SendControl& into) {
  if (header.cmsg_type == IP_TTL) return take_octet(header, 1, into.hop_limit);
  if (header.cmsg_type != IP_TOS) return false;
  if (const auto octet = value_of<std::uint8_t>(header)) {
    into.traffic_class = octet;
    return true;
  }
  return take_octet(header, 0, into.traffic_class);
}

bool take_ipv6(const cmsghdr& header, SendControl& into) {
  if (header.cmsg_type == IPV6_HOPLIMIT) return take_octet(header, 0, into.hop_limit);
  return header.cmsg_type == IPV6_TCLASS && take_octet(header, 0, into.traffic_class);
}

bool take(const cmsghdr& header, Family family, SendControl& into) {
  switch (header.cmsg_level) {
    case IPPROTO_UDP: {
      const auto segment = value_of<std::uint16_t>(header);
      if (header.cmsg_type != UDP_SEGMENT || !segment) return false;
      into.segment = *segment;
      return true;
    }
    case IPPROTO_IP:
      return family != Family::kIpv4 || take_ipv4(header, into);
    case IPPROTO_IPV6:
      return family != Family::kIpv6 || take_ipv6(header, into);
    default:
      return header.cmsg_level != SOL_SOCKET;
  }
}

class Writer {
 public:
  explicit Writer(msghdr& message)
      : message_(message),
        at_(static_cast<std::uint8_t*>(message.msg_control)),
        room_(at_ == nullptr ? 0 : message.msg_controllen) {
    message.msg_controllen = 0;
  }

  /// As the kernel's put_cmsg(): what does not fit is cut, or left out.
  template <typename T>
  void put(int level, int type, T value) {
    if (room_ < sizeof(cmsghdr)) {
      message_.msg_flags |= MSG_CTRUNC;
      return;
    }
    cmsghdr header{};
    header.cmsg_level = level;
    header.cmsg_type = type;
    header.cmsg_len = CMSG_LEN(sizeof value);
    if (header.cmsg_len > room_) {
      message_.msg_flags |= MSG_CTRUNC;
      header.cmsg_len = room_;
    }
    std::memcpy(at_, &header, sizeof header);
    std::memcpy(at_ + CMSG_LEN(0), &value, header.cmsg_len - CMSG_LEN(0));
    const std::size_t space = std::min(room_, CMSG_SPACE(sizeof value));
    at_ += space;
    room_ -= space;
    message_.msg_controllen += space;
  }

 private:
  msghdr& message_;
  std::uint8_t* at_;
  std::size_t room_;
};

}  // namespace

std::optional<SendControl> read_control(const msghdr& message, Family family) {
  SendControl control;
  auto& readable = const_cast<msghdr&>(message);  // CMSG_NXTHDR writes nothing
  for (cmsghdr* at = CMSG_FIRSTHDR(&readable); at != nullptr; at = CMSG_NXTHDR(&readable, at)) {
    if (at->cmsg_len < sizeof(cmsghdr) || !take(*at, family, control)) return std::nullopt;
  }
  return control;
}

void write_control(const ReceiveControl& control, Family family, msghdr& message) {
  Writer writer(message);
  const bool ipv4 = family == Family::kIpv4;
  const int level = ipv4 ? IPPROTO_IP : IPPROTO_IPV6;
  if (control.segment) writer.put(IPPROTO_UDP, UDP_GRO, *control.segment);
  if (control.hop_limit) writer.put(level, ipv4 ? IP_TTL : IPV6_HOPLIMIT, *control.hop_limit);
  if (!control.traffic_class) return;
  if (ipv4) {
    writer.put(level, IP_TOS, static_cast<std::uint8_t>(*control.traffic_class));
  } else {
    writer.put(level, IPV6_TCLASS, *control.traffic_class);
  }
}

}  // namespace peersock::sim
