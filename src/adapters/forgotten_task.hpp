// A reference that GLib forgets.
#pragma once

#include <gio/gio.h>

namespace peersock::adapters {

/// GSocketClient of GLib 2.74 never lets go of its task when an attempt to connect fails more than
/// 250 ms after it has begun and no address is left: the task, what it holds and the main context
/// stay for ever, for each such attempt. To be called with the result of an attempt that has
/// failed: a second later, when nobody else can still be at work on it, the last reference is
/// dropped if there is one.
void release_forgotten_task(GAsyncResult* result, GMainContext* context);

}  // namespace peersock::adapters
