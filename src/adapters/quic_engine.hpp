// The QUIC engines that a user can choose from. They interoperate, so each side chooses for itself.
#pragma once

#include <cstdint>
#include <memory>

#include "adapters/congestion.hpp"
#include "core/error.hpp"
#include "core/rng.hpp"
#include "quic/connection.hpp"

namespace peersock::adapters {

enum class QuicEngine : std::uint8_t { kOpenSsl, kNgtcp2 };
/// docs/performance.md has the figures that decided.
inline constexpr QuicEngine kDefaultQuicEngine = QuicEngine::kNgtcp2;

/// `congestion` is for ngtcp2: OpenSSL's has NewReno and no other. Makes the key pair and
/// certificate of one session. `rng` must outlive the engine and its connections. Errors: kInternal
/// when OpenSSL cannot.
[[nodiscard]] Result<std::unique_ptr<quic::Engine>> make_quic_engine(QuicEngine engine,
                                                                     Congestion congestion,
                                                                     Rng& rng);

}  // namespace peersock::adapters
