// `peersock doctor`: what stands between this machine and its peers.
#pragma once

#include "app/options.hpp"
#include "app/settings.hpp"
#include "core/error.hpp"

namespace peersock::app {

/// Runs until every server has been tried, at most ten seconds or --timeout.
[[nodiscard]] ExitCode run_doctor(Options& options, const Environment& environment);

}  // namespace peersock::app
