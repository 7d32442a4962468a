// The live status line of a terminal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/event.hpp"

namespace peersock::app {

/// Octets of all connections since the session began.
struct Traffic {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
};

/// Turns totals into octets per second, over the last two samples.
class RateMeter {
 public:
  /// Samples less than 100 ms after the last one that counted change nothing.
  void sample(Traffic totals, Instant now);
  [[nodiscard]] Traffic per_second() const { return rate_; }

 private:
  std::optional<Instant> last_;
  Traffic totals_;
  Traffic rate_;
};

struct LiveStatus {
  std::optional<PathInfo> path;  ///< nothing while there is none
  std::optional<Duration> round_trip;
  std::size_t open_connections = 0;
  Traffic totals;
  Traffic per_second;
};

/// ASCII of at most `columns` characters, without control characters; says less on a narrow
/// terminal. Empty below 20 columns, where nothing useful fits.
[[nodiscard]] std::string format_status(const LiveStatus& status, std::size_t columns);

}  // namespace peersock::app
