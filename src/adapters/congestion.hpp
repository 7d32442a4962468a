// How a sender finds out what the network carries, for engines that let us choose.
#pragma once

#include <cstdint>

namespace peersock::adapters {

enum class Congestion : std::uint8_t {
  kBbr,    ///< from the rate of delivery and the round trip: losses that are no congestion cost
           ///< little
  kCubic,  ///< RFC 9438
  kReno,   ///< NewReno of RFC 9002 section 7
};
/// docs/performance.md has the figures that decided.
inline constexpr Congestion kDefaultCongestion = Congestion::kBbr;

}  // namespace peersock::adapters
