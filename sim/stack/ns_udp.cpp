#include "stack/ns_udp.hpp"

#include <utility>

#include <ns3/packet.h>
#include <ns3/socket.h>
#include <ns3/udp-socket-factory.h>

#include "stack/ns_address.hpp"

namespace peersock::sim {
namespace {

constexpr std::uint32_t kPeek = 2;  // ns-3 has no name for it: socket.h, "MSG_PEEK"

class NsUdp final : public StackUdp {
 public:
  NsUdp(const ns3::Ptr<ns3::Node>& node, Family family)
      : family_(family),
        socket_(ns3::Socket::CreateSocket(node, ns3::UdpSocketFactory::GetTypeId())) {
    socket_->SetRecvCallback(ns3::MakeCallback(&NsUdp::arrived, this));
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

  SocketName local() const override {
    ns3::Address address;
    if (!bound_ || socket_->GetSockName(address) != 0) return any_name(family_);
    return from_ns(address);
  }

  int send(std::span<const std::uint8_t> octets, const SocketName& to) override {
    if (!bound_) {
      if (const int error = bind(any_name(family_)); error != 0) return error;
    }
    const auto packet =
        ns3::Create<ns3::Packet>(octets.data(), static_cast<std::uint32_t>(octets.size()));
    const int sent = socket_->SendTo(packet, 0, to_ns(to));
    return sent >= 0 ? 0 : errno_of(socket_->GetErrno());
  }

  bool readable() const override { return waiting_ > 0; }

  std::optional<Datagram> receive(bool peek) override {
    ns3::Address from;
    const auto packet = socket_->RecvFrom(UINT32_MAX, peek ? kPeek : 0, from);
    if (!packet) {
      waiting_ = 0;
      return std::nullopt;
    }
    if (!peek && waiting_ > 0) --waiting_;
    Datagram datagram{from_ns(from), std::vector<std::uint8_t>(packet->GetSize())};
    packet->CopyData(datagram.octets.data(), packet->GetSize());
    return datagram;
  }

 private:
  void arrived(ns3::Ptr<ns3::Socket> /*socket*/) {
    ++waiting_;
    if (ready_) ready_();
  }

  Family family_;
  ns3::Ptr<ns3::Socket> socket_;
  std::function<void()> ready_;
  std::size_t waiting_ = 0;  // GetRxAvailable() does not tell an empty datagram
  bool bound_ = false;
};

}  // namespace

std::unique_ptr<StackUdp> open_ns_udp(const ns3::Ptr<ns3::Node>& node, Family family) {
  return std::make_unique<NsUdp>(node, family);
}

}  // namespace peersock::sim
