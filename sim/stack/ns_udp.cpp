#include "stack/ns_udp.hpp"

#include <utility>

#include <ns3/packet.h>
#include <ns3/socket.h>
#include <ns3/udp-socket-factory.h>

#include "stack/ns_address.hpp"

namespace peersock::sim {
namespace {

/// The socket's own setters are not for SendTo in 3.37, and gone in later releases.
template <typename Tag>
void add(ns3::Packet& packet, void (Tag::*set)(std::uint8_t), std::uint8_t value,
         std::uint8_t usual) {
  if (value == usual) return;
  Tag tag;
  (tag.*set)(value);
  packet.AddPacketTag(tag);
}

void mark(ns3::Packet& packet, Family family, const IpMarks& marks) {
  const IpMarks usual;
  const auto [traffic_class, hop_limit] = marks;
  if (family == Family::kIpv4) {
    add(packet, &ns3::SocketIpTosTag::SetTos, traffic_class, usual.traffic_class);
    add(packet, &ns3::SocketIpTtlTag::SetTtl, hop_limit, usual.hop_limit);
  } else {
    add(packet, &ns3::SocketIpv6TclassTag::SetTclass, traffic_class, usual.traffic_class);
    add(packet, &ns3::SocketIpv6HopLimitTag::SetHopLimit, hop_limit, usual.hop_limit);
  }
}

IpMarks marks_of(const ns3::Packet& packet) {
  IpMarks marks;
  ns3::SocketIpTosTag tos;
  ns3::SocketIpTtlTag ttl;
  ns3::SocketIpv6TclassTag traffic_class;
  ns3::SocketIpv6HopLimitTag hop_limit;
  if (packet.PeekPacketTag(tos)) marks.traffic_class = tos.GetTos();
  if (packet.PeekPacketTag(ttl)) marks.hop_limit = ttl.GetTtl();
  if (packet.PeekPacketTag(traffic_class)) marks.traffic_class = traffic_class.GetTclass();
  if (packet.PeekPacketTag(hop_limit)) marks.hop_limit = hop_limit.GetHopLimit();
  return marks;
}

class NsUdp final : public StackUdp {
 public:
  NsUdp(const ns3::Ptr<ns3::Node>& node, Family family)
      : family_(family),
        socket_(ns3::Socket::CreateSocket(node, ns3::UdpSocketFactory::GetTypeId())) {
    socket_->SetRecvCallback(ns3::MakeCallback(&NsUdp::arrived, this));
    socket_->SetIpRecvTos(true);
    socket_->SetIpRecvTtl(true);
    socket_->SetIpv6RecvTclass(true);
    socket_->SetIpv6RecvHopLimit(true);
  }
  ~NsUdp() override {
    socket_->SetRecvCallback(ns3::MakeNullCallback<void, ns3::Ptr<ns3::Socket>>());
    socket_->Close();
  }
  NsUdp(const NsUdp&) = delete;
  NsUdp& operator=(const NsUdp&) = delete;
  NsUdp(NsUdp&&) = delete;
  NsUdp& operator=(NsUdp&&) = delete;

  void set_ready(std::function<void()> ready) override { ready_ = std::move(ready); }

  int bind(const SocketName& name) override {
    bound_ = true;
    return socket_->Bind(to_ns(name)) == 0 ? 0 : errno_of(socket_->GetErrno());
  }

  [[nodiscard]] SocketName local() const override {
    ns3::Address address;
    if (!bound_ || socket_->GetSockName(address) != 0) return any_name(family_);
    return from_ns(address);
  }

  int send(std::span<const std::uint8_t> octets, const SocketName& to,
           const IpMarks& marks) override {
    if (!bound_) {
      if (const int error = bind(any_name(family_)); error != 0) return error;
    }
    const auto packet =
        ns3::Create<ns3::Packet>(octets.data(), static_cast<std::uint32_t>(octets.size()));
    mark(*packet, to.family, marks);
    const int sent = socket_->SendTo(packet, 0, to_ns(to));
    return sent >= 0 ? 0 : errno_of(socket_->GetErrno());
  }

  std::optional<Datagram> receive() override {
    ns3::Address from;
    const auto packet = socket_->RecvFrom(UINT32_MAX, 0, from);
    if (!packet) return std::nullopt;
    Datagram datagram{from_ns(from), std::vector<std::uint8_t>(packet->GetSize()),
                      marks_of(*packet)};
    packet->CopyData(datagram.octets.data(), packet->GetSize());
    return datagram;
  }

 private:
  // NOLINTNEXTLINE(performance-unnecessary-value-param): the type that ns-3 wants
  void arrived(ns3::Ptr<ns3::Socket> /*socket*/) {
    if (ready_) ready_();
  }

  Family family_;
  ns3::Ptr<ns3::Socket> socket_;
  std::function<void()> ready_;
  bool bound_ = false;
};

}  // namespace

std::unique_ptr<StackUdp> open_ns_udp(const ns3::Ptr<ns3::Node>& node, Family family) {
  return std::make_unique<NsUdp>(node, family);
}

}  // namespace peersock::sim
