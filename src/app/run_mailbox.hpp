// `peersock mailbox`: the embedded rendezvous server.
#pragma once

#include "app/options.hpp"
#include "core/error.hpp"

namespace peersock::app {

/// Runs until a signal comes.
[[nodiscard]] ExitCode run_mailbox(const Options& options);

}  // namespace peersock::app
