// Which external ports of a NAT that maps by destination are worth a probe, and in which order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/rng.hpp"

namespace peersock::ice {

/// NATs do not give out the ports below (RFC 4787 section 4.2.2 keeps the two ranges apart).
inline constexpr std::uint32_t kLowestPort = 1024;
inline constexpr std::uint32_t kPortCount = 65536 - kLowestPort;
/// More likely ports are not worth their place in a message.
inline constexpr std::size_t kMaxLikelyPorts = 32;

/// A socket's own port, and the one that a server saw.
struct SeenPort {
  std::uint16_t local = 0;
  std::uint16_t mapped = 0;
};

/// Where the next sockets of this machine will appear, best first, as far as the NAT's choice can
/// be told: `seen` are sockets in the order in which their mappings were made, `next` the own ports
/// of those that have sent nothing yet. Empty when the ports look random.
[[nodiscard]] std::vector<std::uint16_t> likely_ports(std::span<const SeenPort> seen,
                                                      std::span<const std::uint16_t> next);

/// The likely ports twice, because the first time may have been too early, then all others in
/// random order, each once.
class PortPlan {
 public:
  /// `rng` outlives the plan.
  PortPlan(std::vector<std::uint16_t> likely, Rng& rng);

  /// Nothing when all have been given out.
  [[nodiscard]] std::optional<std::uint16_t> next();

 private:
  [[nodiscard]] std::uint32_t draw();
  [[nodiscard]] bool is_likely(std::uint16_t port) const;

  std::vector<std::uint16_t> likely_;
  std::size_t given_ = 0;  // of the likely ones, both rounds
  Rng* rng_;
  // A shuffle of all ports of which only the places that differ are kept.
  std::unordered_map<std::uint32_t, std::uint32_t> moved_;
  std::uint32_t drawn_ = 0;
};

}  // namespace peersock::ice
