// The network interface of a simulated host: whole IP packets in and out, no link layer, no ARP.
// Only for the ns_*.cpp files.
#pragma once

#include <cstdint>
#include <functional>

#include <ns3/channel.h>
#include <ns3/net-device.h>
#include <ns3/node.h>

#include "fabric/box.hpp"

namespace peersock::sim {

class NsDevice final : public ns3::NetDevice {
 public:
  static ns3::TypeId GetTypeId();
  NsDevice() = default;

  void set_out(std::function<void(Frame)> out) { out_ = std::move(out); }
  void deliver(const Frame& frame);

  void SetIfIndex(std::uint32_t index) override { index_ = index; }
  [[nodiscard]] std::uint32_t GetIfIndex() const override { return index_; }
  [[nodiscard]] ns3::Ptr<ns3::Channel> GetChannel() const override { return nullptr; }
  void SetAddress(ns3::Address /*address*/) override {}
  [[nodiscard]] ns3::Address GetAddress() const override;
  bool SetMtu(std::uint16_t mtu) override;
  [[nodiscard]] std::uint16_t GetMtu() const override { return mtu_; }
  [[nodiscard]] bool IsLinkUp() const override { return true; }
  void AddLinkChangeCallback(ns3::Callback<void> /*callback*/) override {}
  [[nodiscard]] bool IsBroadcast() const override { return false; }
  [[nodiscard]] ns3::Address GetBroadcast() const override { return GetAddress(); }
  [[nodiscard]] bool IsMulticast() const override { return false; }
  [[nodiscard]] ns3::Address GetMulticast(ns3::Ipv4Address /*group*/) const override {
    return GetAddress();
  }
  [[nodiscard]] ns3::Address GetMulticast(ns3::Ipv6Address /*group*/) const override {
    return GetAddress();
  }
  [[nodiscard]] bool IsBridge() const override { return false; }
  [[nodiscard]] bool IsPointToPoint() const override { return true; }
  bool Send(ns3::Ptr<ns3::Packet> packet, const ns3::Address& to, std::uint16_t protocol) override;
  bool SendFrom(ns3::Ptr<ns3::Packet> packet, const ns3::Address& from, const ns3::Address& to,
                std::uint16_t protocol) override;
  [[nodiscard]] ns3::Ptr<ns3::Node> GetNode() const override { return node_; }
  void SetNode(ns3::Ptr<ns3::Node> node) override { node_ = node; }
  [[nodiscard]] bool NeedsArp() const override { return false; }
  void SetReceiveCallback(ReceiveCallback callback) override { received_ = callback; }
  void SetPromiscReceiveCallback(PromiscReceiveCallback /*callback*/) override {}
  [[nodiscard]] bool SupportsSendFrom() const override { return false; }

 private:
  void DoDispose() override;

  std::function<void(Frame)> out_;
  ReceiveCallback received_;
  ns3::Ptr<ns3::Node> node_;
  std::uint32_t index_ = 0;
  std::uint16_t mtu_ = 1500;
};

}  // namespace peersock::sim
