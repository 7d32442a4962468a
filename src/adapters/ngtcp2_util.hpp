// Ownership of ngtcp2's objects, and our time in its units.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_ossl.h>

#include "adapters/openssl_util.hpp"
#include "core/time.hpp"

namespace peersock::adapters {

using Ngtcp2ConnectionPtr = std::unique_ptr<ngtcp2_conn, OpenSslDeleter<ngtcp2_conn_del>>;
using Ngtcp2CryptoPtr =
    std::unique_ptr<ngtcp2_crypto_ossl_ctx, OpenSslDeleter<ngtcp2_crypto_ossl_ctx_del>>;

/// Both count nanoseconds.
[[nodiscard]] inline ngtcp2_tstamp to_ngtcp2(Instant instant) {
  return static_cast<ngtcp2_tstamp>(instant.time_since_epoch().count());
}

/// Nothing for "never".
[[nodiscard]] inline std::optional<Instant> from_ngtcp2(ngtcp2_tstamp timestamp) {
  if (timestamp == UINT64_MAX) return std::nullopt;
  constexpr auto kMost = static_cast<ngtcp2_tstamp>(INT64_MAX);
  return Instant(Duration(static_cast<std::int64_t>(std::min(timestamp, kMost))));
}

}  // namespace peersock::adapters
