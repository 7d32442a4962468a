// Events as JSON lines, version 1 (docs/spec/events.md).
#pragma once

#include <string>

#include "core/event.hpp"
#include "core/runner.hpp"

namespace peersock::app {

inline constexpr int kEventVersion = 1;

/// One JSON object on one line, without the line's end. Octets that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string render_json(const Event& event);
/// --trace beside --json: {"v":1,"event":"trace",…}.
[[nodiscard]] std::string render_json(const TraceStep& step);

}  // namespace peersock::app
