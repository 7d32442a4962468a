// `peersock connect`, `listen`, `stdio-a` and `stdio-b`: one side of a session.
#pragma once

#include "app/options.hpp"
#include "app/settings.hpp"
#include "core/error.hpp"

namespace peersock::app {

/// Runs until the session is over.
[[nodiscard]] ExitCode run_session(Options& options, const Environment& environment);

}  // namespace peersock::app
