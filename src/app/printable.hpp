// Makes text of unknown origin safe to show.
#pragma once

#include <string>
#include <string_view>

namespace peersock::app {

/// One line of valid UTF-8 without control characters and without characters that reorder what a
/// terminal shows. Line ends become spaces, everything else that is not fit to be shown U+FFFD.
[[nodiscard]] std::string printable(std::string_view text);

/// The same, cut to `limit` characters for use in a sentence about a value.
[[nodiscard]] std::string excerpt(std::string_view text, std::size_t limit = 60);

}  // namespace peersock::app
