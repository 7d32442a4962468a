// How the system shares its processors between programs that all want one.
#pragma once

namespace peersock::adapters {

/// Asks for the processor soon and for a short time, rather than later and longer; the share stays
/// as it is. What carries octets from one program to another is in the way of both: where
/// processors are busy, each of its turns would wait for whole slices of others, and each of theirs
/// for its own. Of the calling thread and those that it starts (sched_setattr(2); Linux 6.12 and
/// newer heed it, without any privilege). An older system, or one that refuses, goes on as ever.
void ask_for_short_slices();

}  // namespace peersock::adapters
