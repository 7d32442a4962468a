// OpenSSL's QUIC tells time with gettimeofday (crypto/time.c of 3.5) and can be told no other
// clock. But somebody may set the system's clock: an hour forward, and every connection has been
// idle for an hour; a second back, and the connection ends with an internal error ("txp generate").
#pragma once

namespace peersock::adapters {

/// From now on this process's gettimeofday goes on evenly from what the system's clock says now,
/// whatever becomes of that. It stands before the C library's, also for shared libraries. A program
/// that defines its own keeps that.
void keep_time_of_day_even();

}  // namespace peersock::adapters
