// Text that a stranger wrote, made fit to be shown.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace peersock::wire {

/// Well-formed UTF-8: no overlong forms, no surrogates (RFC 3629 section 4).
[[nodiscard]] bool is_utf8(std::string_view text);

/// `text` without what could deceive a reader or drive a terminal: invalid UTF-8, control
/// characters (C0, DEL, C1) and the invisible characters that break lines or reorder text are left
/// out; a tab or a line break becomes a space. The result is valid UTF-8 of at most `max_octets`.
[[nodiscard]] std::string printable(std::string_view text, std::size_t max_octets);

}  // namespace peersock::wire
