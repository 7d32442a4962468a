// The facts of `peersock doctor` as text and as JSON lines (docs/spec/events.md).
#pragma once

#include <optional>
#include <string>

#include "app/doctor_facts.hpp"
#include "app/render_text.hpp"

namespace peersock::app {

/// One line, without the line end.
[[nodiscard]] std::string render_json(const DoctorFact& fact);
/// Nothing when the fact is not to be shown. May hold more than one line.
[[nodiscard]] std::optional<std::string> render_text(const DoctorFact& fact, Verbosity verbosity);

}  // namespace peersock::app
