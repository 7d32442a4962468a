// SMP by the system's shared libotr, whose arithmetic is libgcrypt's own: the other side of tests
// that show that ours is the same protocol.
#pragma once

#include <memory>

#include "auth/handshake.hpp"

namespace peersock::testing {

/// An engine without checks of its own. Throws when there is no shared libotr.
[[nodiscard]] std::unique_ptr<auth::SmpEngine> make_shared_otr_smp_engine();

}  // namespace peersock::testing
