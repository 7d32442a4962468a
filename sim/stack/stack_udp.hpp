// A UDP socket of a simulated host. Errors are values of errno.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "stack/socket_name.hpp"

namespace peersock::sim {

/// What the IP header says that a socket may choose.
struct IpMarks {
  std::uint8_t traffic_class = 0;  ///< of IPv4: the type of service; ECN is in its last two bits
  std::uint8_t hop_limit = 64;     ///< of IPv4: the time to live

  friend bool operator==(const IpMarks&, const IpMarks&) = default;
};

struct Datagram {
  SocketName from;
  std::vector<std::uint8_t> octets;
  IpMarks marks{};
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
  [[nodiscard]] virtual int send(std::span<const std::uint8_t> octets, const SocketName& to,
                                 const IpMarks& marks) = 0;
  /// The next one that has arrived.
  [[nodiscard]] virtual std::optional<Datagram> receive() = 0;
};

}  // namespace peersock::sim
