// The Socialist Millionaires' Protocol by libotr's sm.h, in its 1536-bit group (RFC 3526 section
// 2).
#pragma once

#include <memory>

#include "auth/handshake.hpp"

namespace peersock::adapters {

/// A fresh engine for one run; engines are independent of each other. The first call initialises
/// libgcrypt for the process, unless that has been done already.
[[nodiscard]] std::unique_ptr<auth::SmpEngine> make_otr_smp_engine();

}  // namespace peersock::adapters
