#include "stack/ns_device.hpp"

#include <utility>

#include <ns3/mac48-address.h>
#include <ns3/packet.h>

namespace peersock::sim {
namespace {

constexpr std::uint16_t kIpv4 = 0x0800;
constexpr std::uint16_t kIpv6 = 0x86dd;

}  // namespace

ns3::TypeId NsDevice::GetTypeId() {
  static const ns3::TypeId type =
      ns3::TypeId("peersock::sim::NsDevice").SetParent<ns3::NetDevice>();
  return type;
}

void NsDevice::DoDispose() {
  out_ = nullptr;
  received_ = ReceiveCallback();
  node_ = nullptr;
  ns3::NetDevice::DoDispose();
}

ns3::Address NsDevice::GetAddress() const {
  // Nobody else is on the line, so all may have the same one.
  static const ns3::Address address = ns3::Mac48Address("02:00:00:00:00:01");
  return address;
}

bool NsDevice::SetMtu(std::uint16_t mtu) {
  mtu_ = mtu;
  return true;
}

bool NsDevice::Send(ns3::Ptr<ns3::Packet> packet, const ns3::Address& /*to*/,
                    std::uint16_t /*protocol*/) {
  Frame frame(packet->GetSize());
  packet->CopyData(frame.data(), packet->GetSize());
  if (out_) out_(std::move(frame));
  return true;
}

bool NsDevice::SendFrom(ns3::Ptr<ns3::Packet> packet, const ns3::Address& /*from*/,
                        const ns3::Address& to, std::uint16_t protocol) {
  return Send(packet, to, protocol);
}

void NsDevice::deliver(const Frame& frame) {
  if (frame.empty() || received_.IsNull()) return;
  const std::uint16_t protocol = frame[0] >> 4 == 6 ? kIpv6 : kIpv4;
  received_(this, ns3::Create<ns3::Packet>(frame.data(), static_cast<std::uint32_t>(frame.size())),
            protocol, GetAddress());
}

}  // namespace peersock::sim
