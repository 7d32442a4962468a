// The QUIC engine on ngtcp2: pacing, a choice of congestion control, and less work for each packet
// than OpenSSL's own.
#pragma once

#include <memory>

#include "adapters/congestion.hpp"
#include "core/error.hpp"
#include "core/rng.hpp"
#include "quic/connection.hpp"

namespace peersock::adapters {

/// Makes the key pair and certificate of one session. `rng` is what QUIC draws connection IDs and
/// the like from, and must outlive the engine and its connections; keys come from OpenSSL's own.
/// Errors: kInternal when OpenSSL cannot.
[[nodiscard]] Result<std::unique_ptr<quic::Engine>> make_ngtcp2_engine(
    Rng& rng, Congestion congestion = kDefaultCongestion);

}  // namespace peersock::adapters
