// A stream that counts what is read from it and bounds that. libsoup does not show how much of an
// unfinished message it holds.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>

#include <gio/gio.h>

#include "adapters/glib_ptr.hpp"

namespace peersock::adapters {

struct Meter {
  std::uint64_t received = 0;  ///< octets read from the peer
  /// Reading beyond this fails with G_IO_ERROR_MESSAGE_TOO_LARGE.
  std::uint64_t receive_limit = std::numeric_limits<std::uint64_t>::max();
  /// Octets read since the last pause.
  std::uint64_t in_turn = 0;
};

/// A reader that reads until nothing is left is told to wait after this many octets, so that one
/// busy peer does not keep the loop from the others.
inline constexpr std::uint64_t kOctetsPerTurn = std::uint64_t{64} * 1024;

/// Both directions of `base`, which must be pollable; closing it closes `base`.
[[nodiscard]] GObjectPtr<GIOStream> make_metered_stream(GIOStream* base,
                                                        std::shared_ptr<Meter> meter);

}  // namespace peersock::adapters
