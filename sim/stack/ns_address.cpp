#include "stack/ns_address.hpp"

#include <cerrno>

#include <ns3/inet-socket-address.h>
#include <ns3/inet6-socket-address.h>

namespace peersock::sim {

ns3::Address to_ns(const SocketName& name) {
  if (name.family == Family::kIpv6) {
    return ns3::Inet6SocketAddress(ns3::Ipv6Address::Deserialize(name.address.data()), name.port);
  }
  return ns3::InetSocketAddress(ns3::Ipv4Address::Deserialize(name.address.data()), name.port);
}

SocketName from_ns(const ns3::Address& address) {
  SocketName name;
  if (ns3::InetSocketAddress::IsMatchingType(address)) {
    const auto ipv4 = ns3::InetSocketAddress::ConvertFrom(address);
    ipv4.GetIpv4().Serialize(name.address.data());
    name.port = ipv4.GetPort();
  } else if (ns3::Inet6SocketAddress::IsMatchingType(address)) {
    const auto ipv6 = ns3::Inet6SocketAddress::ConvertFrom(address);
    name.family = Family::kIpv6;
    ipv6.GetIpv6().Serialize(name.address.data());
    name.port = ipv6.GetPort();
  }
  return name;
}

int errno_of(ns3::Socket::SocketErrno error) {
  switch (error) {
    case ns3::Socket::ERROR_ISCONN:
      return EISCONN;
    case ns3::Socket::ERROR_NOTCONN:
      return ENOTCONN;
    case ns3::Socket::ERROR_MSGSIZE:
      return EMSGSIZE;
    case ns3::Socket::ERROR_AGAIN:
      return EAGAIN;
    case ns3::Socket::ERROR_SHUTDOWN:
      return EPIPE;
    case ns3::Socket::ERROR_OPNOTSUPP:
      return EOPNOTSUPP;
    case ns3::Socket::ERROR_AFNOSUPPORT:
      return EAFNOSUPPORT;
    case ns3::Socket::ERROR_NOROUTETOHOST:
      return ENETUNREACH;
    case ns3::Socket::ERROR_NODEV:
      return ENODEV;
    case ns3::Socket::ERROR_ADDRNOTAVAIL:
      return EADDRNOTAVAIL;
    case ns3::Socket::ERROR_ADDRINUSE:
      return EADDRINUSE;
    default:
      return EINVAL;
  }
}

}  // namespace peersock::sim
