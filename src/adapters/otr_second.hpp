// The second message of SMP, made before the secret is known and completed afterwards.
//
// libotr makes it in one step, of ten exponentiations, and only two of its eleven numbers depend on
// the secret s: Qb = g1^r g2^s and D6 = r6 - s cP. So the step is taken early with s = 0, and what
// waits for the secret is one exponentiation.
#pragma once

#include <optional>

#include "core/bytes.hpp"

extern "C" {
#include <libotr/sm.h>
}

namespace peersock::adapters {

/// `early` is what libotr's step 2b made with the secret zero, `state` its state since then, with
/// the secret put in. Returns the message as libotr would have made it with that secret, and brings
/// the state to match. Nothing when `early` is no second message or there is no memory; `state` is
/// of no use then.
[[nodiscard]] std::optional<Bytes> complete_second(OtrlSMState& state, ByteView early);

}  // namespace peersock::adapters
