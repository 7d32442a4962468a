// A machine with one network interface and ns-3's TCP/IP, without ns-3's headers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fabric/box.hpp"
#include "stack/stack_tcp.hpp"
#include "stack/stack_udp.hpp"

namespace peersock::sim {

struct InterfaceAddress {
  SocketName name;  ///< port 0
  int prefix = 24;  ///< bits
  bool loopback = false;
};

/// The box has one way to everywhere: the plug that was chosen last, at first the first one.
class IpHost final : public Box {
 public:
  /// `number` is different for each host of a simulation, and fixes what ns-3 draws by chance.
  /// Without `ipv6` the machine has only the one family, as with IPv6 switched off.
  IpHost(std::uint32_t number, bool ipv6);
  ~IpHost() override;
  IpHost(const IpHost&) = delete;
  IpHost& operator=(const IpHost&) = delete;
  IpHost(IpHost&&) = delete;
  IpHost& operator=(IpHost&&) = delete;

  void use_plug(std::size_t plug) { plug_ = plug; }
  /// `address` is numeric; a host has any number of them on its one interface.
  void add_address(const std::string& address, int prefix);
  void remove_address(const std::string& address);
  /// All of them, loopback first, as getifaddrs() lists them.
  [[nodiscard]] std::vector<InterfaceAddress> addresses() const;

  void receive(Frame frame, std::size_t plug) override;
  /// Sees every packet that leaves or arrives.
  void set_tap(std::function<void(std::span<const std::uint8_t>)> tap);

  [[nodiscard]] bool has(Family family) const;
  [[nodiscard]] std::unique_ptr<StackUdp> open_udp(Family family);
  [[nodiscard]] std::unique_ptr<StackTcp> open_tcp(Family family);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
  std::size_t plug_ = 0;
};

}  // namespace peersock::sim
