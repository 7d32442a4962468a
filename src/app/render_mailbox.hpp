// The facts of `peersock mailbox` as text and as JSON lines (docs/spec/events.md).
#pragma once

#include <optional>
#include <string>

#include "adapters/mailbox_facts.hpp"
#include "app/render_text.hpp"

namespace peersock::app {

/// One line, without the line end.
[[nodiscard]] std::string render_json(const adapters::MailboxFact& fact);
/// Nothing when the fact is not to be shown.
[[nodiscard]] std::optional<std::string> render_text(const adapters::MailboxFact& fact,
                                                     Verbosity verbosity);

}  // namespace peersock::app
