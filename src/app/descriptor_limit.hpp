// How many descriptors this process may have open: what serves many connections wants more than the
// usual 1024.
#pragma once

#include <sys/resource.h>

namespace peersock::app {

/// Raises the soft limit (getrlimit(2), RLIMIT_NOFILE) to `wanted`, or as near to it as the hard
/// one allows; never lowers it. Returns the limit that now holds, `wanted` where it cannot be told.
rlim_t raise_descriptor_limit(rlim_t wanted);

}  // namespace peersock::app
