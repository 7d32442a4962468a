// A router with a NAT (testbed/natbox) for IPv4 and a stateful firewall for IPv6 (RFC 6092).
#pragma once

#include <cstdint>
#include <map>
#include <tuple>

#include "fabric/backbone.hpp"
#include "fabric/box.hpp"
#include "nat_engine.hpp"

namespace peersock::sim {

/// The cable to the outside is plugged in first; all others lead inside.
class NatBox final : public Box {
 public:
  struct Counts {
    std::uint64_t translated = 0;
    std::uint64_t dropped = 0;
  };

  /// `udp` false: UDP is dropped in both directions, whatever the engine would say. `tcp_port`: the
  /// only port outside to which TCP gets through; 0: to all.
  NatBox(const testbed::NatConfig& config, std::uint64_t seed, bool udp,
         std::uint16_t tcp_port = 0);

  void receive(Frame frame, std::size_t plug) override;
  /// Forgets everything, as a power cut does.
  void reboot();
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  using Pinhole =
      std::tuple<std::uint8_t, RouteAddress, std::uint16_t, RouteAddress, std::uint16_t>;

  [[nodiscard]] bool is_forbidden(const Frame& frame, bool from_inside) const;
  void receive_ipv6(Frame frame, bool from_inside, std::size_t plug);
  void send_inside(Frame frame);

  testbed::NatEngine engine_;
  testbed::Time timeout_;
  bool udp_;
  std::uint16_t tcp_port_;
  std::map<RouteAddress, std::size_t> inside_;  // who is behind which plug, as seen
  std::map<Pinhole, testbed::Time> pinholes_;
  Counts counts_;
};

}  // namespace peersock::sim
