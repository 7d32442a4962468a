// A UDP socket of a simulated host. Errors are values of errno.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "stack/socket_name.hpp"

namespace peersock::sim {

struct Datagram {
  SocketName from;
  std::vector<std::uint8_t> octets;
};

class StackUdp {
 public:
  StackUdp() = default;
  StackUdp(const StackUdp&) = delete;
  StackUdp& operator=(const StackUdp&) = delete;
  StackUdp(StackUdp&&) = delete;
  StackUdp& operator=(StackUdp&&) = delete;
  virtual ~StackUdp() = default;

  /// Called when a datagram has arrived.
  virtual void set_ready(std::function<void()> ready) = 0;
  [[nodiscard]] virtual int bind(const SocketName& name) = 0;
  [[nodiscard]] virtual SocketName local() const = 0;
  [[nodiscard]] virtual int send(std::span<const std::uint8_t> octets, const SocketName& to) = 0;
  [[nodiscard]] virtual bool readable() const = 0;
  [[nodiscard]] virtual std::optional<Datagram> receive(bool peek) = 0;
};

}  // namespace peersock::sim
