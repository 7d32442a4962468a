// What may carry the datagrams of a session.
#pragma once

#include <cstdint>

namespace peersock::adapters {

enum class PathPolicy : std::uint8_t {
  kAuto,  ///< a socket of our own where the pair and the system allow it
  kNice,  ///< libnice's calls always
};

}  // namespace peersock::adapters
