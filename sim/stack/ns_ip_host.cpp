#include <set>
#include <utility>

#include <ns3/boolean.h>
#include <ns3/config.h>
#include <ns3/double.h>
#include <ns3/internet-stack-helper.h>
#include <ns3/ipv4-static-routing-helper.h>
#include <ns3/ipv4.h>
#include <ns3/ipv6-static-routing-helper.h>
#include <ns3/ipv6.h>
#include <ns3/nstime.h>
#include <ns3/uinteger.h>

#include "fabric/backbone.hpp"
#include "stack/ip_host.hpp"
#include "stack/ns_address.hpp"
#include "stack/ns_device.hpp"
#include "stack/ns_keeper.hpp"
#include "stack/ns_tcp.hpp"
#include "stack/ns_udp.hpp"
#include "stack/scheduler.hpp"

namespace peersock::sim {
namespace {

constexpr std::int64_t kStreamsPerHost = 64;

/// ns-3's values for research, as Linux has them.
void set_defaults() {
  using ns3::Config::SetDefault;
  SetDefault("ns3::TcpSocket::SegmentSize", ns3::UintegerValue(1428));
  SetDefault("ns3::TcpSocket::InitialCwnd", ns3::UintegerValue(10));
  SetDefault("ns3::TcpSocket::DelAckTimeout", ns3::TimeValue(ns3::MilliSeconds(40)));
  SetDefault("ns3::TcpSocket::ConnTimeout", ns3::TimeValue(ns3::Seconds(1)));
  SetDefault("ns3::TcpSocket::TcpNoDelay", ns3::BooleanValue(true));
  SetDefault("ns3::TcpSocketBase::MinRto", ns3::TimeValue(ns3::MilliSeconds(200)));
  // With it, 3.37 drops a reset without the option, and a refused connection is never noticed.
  SetDefault("ns3::TcpSocketBase::Timestamp", ns3::BooleanValue(false));
  // An address is free again soon after a server has gone.
  SetDefault("ns3::TcpSocketBase::MaxSegLifetime", ns3::DoubleValue(0.25));
  SetDefault("ns3::UdpSocket::RcvBufSize", ns3::UintegerValue(212992));
  // Duplicate addresses are not what is simulated.
  SetDefault("ns3::Icmpv6L4Protocol::DAD", ns3::BooleanValue(false));
}

/// ns-3 ends the program when an interface without an address is to send, so one that has lost its
/// last one has this. Nobody is told of it, and the backbone has no way to it.
ns3::Ipv4Address nowhere() {
  return {"0.0.0.1"};
}

/// ns-3 takes no reset with an acknowledgement from a host that refuses a connection. Without it,
/// it does, and nowhere else does it matter. Checksums are neither made nor looked at.
void make_refusal_plain(Frame& frame) {
  constexpr std::size_t kIpv4Header = 20;
  constexpr std::size_t kIpv6Header = 40;
  constexpr std::size_t kFlags = 13;
  constexpr std::uint8_t kTcp = 6;
  constexpr std::uint8_t kReset = 0x04;
  constexpr std::uint8_t kAcknowledgement = 0x10;
  if (frame.size() < kIpv6Header) return;
  const bool ipv6 = frame[0] >> 4 == 6;
  if (frame[ipv6 ? 6 : 9] != kTcp) return;
  const std::size_t at = (ipv6 ? kIpv6Header : kIpv4Header) + kFlags;
  if (at >= frame.size() || (frame[at] & kReset) == 0) return;
  frame[at] = static_cast<std::uint8_t>(frame[at] & ~kAcknowledgement);
}

}  // namespace

class IpHost::Impl {
 public:
  Impl(std::uint32_t number, bool has_ipv6, std::function<void(Frame)> out)
      : node(ns3::CreateObject<ns3::Node>()), device(ns3::CreateObject<NsDevice>()) {
    static const bool are_set = (set_defaults(), true);
    (void)are_set;
    ns3::InternetStackHelper stack;
    stack.SetIpv6StackInstall(has_ipv6);
    // No list of ways to find a way: there is one.
    stack.SetRoutingHelper(ns3::Ipv4StaticRoutingHelper());
    stack.SetRoutingHelper(ns3::Ipv6StaticRoutingHelper());
    stack.Install(node);
    stack.AssignStreams(ns3::NodeContainer(node), kStreamsPerHost * number);
    device->set_out(std::move(out));
    node->AddDevice(device);
    ipv4 = node->GetObject<ns3::Ipv4>();
    ipv6 = node->GetObject<ns3::Ipv6>();
  }

  // Only a host with an address of a family has the family.
  std::uint32_t ipv4_interface() {
    if (ipv4->GetInterfaceForDevice(device) < 0) {
      const auto made = ipv4->AddInterface(device);
      ipv4->SetUp(made);
      ns3::Ipv4StaticRoutingHelper().GetStaticRouting(ipv4)->SetDefaultRoute(
          ns3::Ipv4Address("0.0.0.0"), made);
    }
    return static_cast<std::uint32_t>(ipv4->GetInterfaceForDevice(device));
  }
  std::uint32_t ipv6_interface() {
    if (ipv6->GetInterfaceForDevice(device) < 0) {
      const auto made = ipv6->AddInterface(device);
      ipv6->SetUp(made);
      ns3::Ipv6StaticRoutingHelper().GetStaticRouting(ipv6)->SetDefaultRoute(ns3::Ipv6Address("::"),
                                                                             made);
    }
    return static_cast<std::uint32_t>(ipv6->GetInterfaceForDevice(device));
  }

  ns3::Ptr<ns3::Node> node;
  ns3::Ptr<NsDevice> device;
  ns3::Ptr<ns3::Ipv4> ipv4;
  ns3::Ptr<ns3::Ipv6> ipv6;
  std::function<void(std::span<const std::uint8_t>)> tap;
  std::set<RouteAddress> own;
  std::shared_ptr<NsKeeper> keeper = std::make_shared<NsKeeper>();
};

IpHost::IpHost(std::uint32_t number, bool ipv6) {
  impl_ = std::make_unique<Impl>(number, ipv6, [this](Frame frame) {
    // A machine's own addresses are on no cable, whichever of them the sender has; ns-3 thinks so
    // only of the loopback's.
    if (impl_->own.contains(destination_of(frame))) {
      return post(Nanos{0}, [this, kept = std::move(frame)] { impl_->device->deliver(kept); });
    }
    if (impl_->tap) impl_->tap(frame);
    send(std::move(frame), plug_);
  });
}

IpHost::~IpHost() {
  impl_->device->set_out(nullptr);
}

void IpHost::add_address(const std::string& address, int prefix) {
  impl_->own.insert(route_address(address.c_str()));
  if (address.find(':') == std::string::npos) {
    const auto mask = prefix == 0 ? 0U : ~0U << (32 - prefix);
    impl_->ipv4->AddAddress(
        impl_->ipv4_interface(),
        ns3::Ipv4InterfaceAddress(ns3::Ipv4Address(address.c_str()), ns3::Ipv4Mask(mask)));
    impl_->ipv4->RemoveAddress(impl_->ipv4_interface(), nowhere());
  } else {
    impl_->ipv6->AddAddress(
        impl_->ipv6_interface(),
        ns3::Ipv6InterfaceAddress(ns3::Ipv6Address(address.c_str()),
                                  ns3::Ipv6Prefix(static_cast<std::uint8_t>(prefix))));
  }
}

void IpHost::remove_address(const std::string& address) {
  impl_->own.erase(route_address(address.c_str()));
  if (address.find(':') == std::string::npos) {
    const auto interface = impl_->ipv4_interface();
    if (impl_->ipv4->GetNAddresses(interface) == 1) {
      impl_->ipv4->AddAddress(interface, ns3::Ipv4InterfaceAddress(nowhere(), ns3::Ipv4Mask(~0U)));
    }
    impl_->ipv4->RemoveAddress(interface, ns3::Ipv4Address(address.c_str()));
  } else {
    impl_->ipv6->RemoveAddress(impl_->ipv6_interface(), ns3::Ipv6Address(address.c_str()));
  }
}

std::vector<InterfaceAddress> IpHost::addresses() const {
  std::vector<InterfaceAddress> all;
  for (std::uint32_t i = 0; i < impl_->ipv4->GetNInterfaces(); ++i) {
    for (std::uint32_t j = 0; j < impl_->ipv4->GetNAddresses(i); ++j) {
      const auto found = impl_->ipv4->GetAddress(i, j);
      if (found.GetLocal() == nowhere()) continue;
      InterfaceAddress address{any_name(Family::kIpv4), found.GetMask().GetPrefixLength(), i == 0};
      found.GetLocal().Serialize(address.name.address.data());
      all.push_back(address);
    }
  }
  for (std::uint32_t i = 0; impl_->ipv6 && i < impl_->ipv6->GetNInterfaces(); ++i) {
    for (std::uint32_t j = 0; j < impl_->ipv6->GetNAddresses(i); ++j) {
      const auto found = impl_->ipv6->GetAddress(i, j);
      InterfaceAddress address{any_name(Family::kIpv6), found.GetPrefix().GetPrefixLength(),
                               i == 0};
      found.GetAddress().Serialize(address.name.address.data());
      all.push_back(address);
    }
  }
  return all;
}

void IpHost::receive(Frame frame, std::size_t /*plug*/) {
  if (impl_->tap) impl_->tap(frame);
  make_refusal_plain(frame);
  impl_->device->deliver(frame);
}

void IpHost::set_tap(std::function<void(std::span<const std::uint8_t>)> tap) {
  impl_->tap = std::move(tap);
}

bool IpHost::has(Family family) const {
  return family == Family::kIpv4 || impl_->ipv6 != nullptr;
}

std::unique_ptr<StackUdp> IpHost::open_udp(Family family) {
  return open_ns_udp(impl_->node, family);
}

std::unique_ptr<StackTcp> IpHost::open_tcp(Family family) {
  return open_ns_tcp(impl_->node, family, impl_->keeper);
}

}  // namespace peersock::sim
