// Where a connection code comes from, apart from being made.
#pragma once

#include <optional>

#include "app/options.hpp"
#include "app/settings.hpp"
#include "wire/code.hpp"

namespace peersock::app {

/// The first line of an open file, without its end. Reads octet by octet, so that what follows the
/// line stays in the file. Blocks until the line is there. Errors are kUsage.
[[nodiscard]] Result<Secret> read_code_line(int descriptor);

/// The code of the command line, of --code-fd or of PEERSOCK_CODE, in this order; nothing when
/// this side is to make one.
[[nodiscard]] Result<std::optional<wire::Code>> choose_code(const Options& options,
                                                            const Environment& environment);

}  // namespace peersock::app
