// Events as lines for a person.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/event.hpp"

namespace peersock::app {

enum class Verbosity : std::uint8_t {
  kQuiet,    ///< the code and errors
  kNormal,   ///< what a person acts on
  kVerbose,  ///< every event
};

/// One line without its end, or nothing when the event is not shown at this verbosity. Text of
/// others (the peer, the server) cannot move the cursor or start a line of its own.
[[nodiscard]] std::optional<std::string> render_text(const Event& event, Verbosity verbosity);

/// "0 B", "1023 B", "1.0 KiB", "12.3 MiB", "123 GiB": at most four digits.
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);
/// "0.4 ms", "12 ms", "1.5 s".
[[nodiscard]] std::string format_duration(Duration duration);

}  // namespace peersock::app
