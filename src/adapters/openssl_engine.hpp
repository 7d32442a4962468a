// The QUIC engine that every supported system has: OpenSSL 3.5 or later.
#pragma once

#include <memory>

#include "core/error.hpp"
#include "quic/connection.hpp"

namespace peersock::adapters {

/// Makes the key pair and certificate of one session. Errors: kInternal when OpenSSL cannot.
[[nodiscard]] Result<std::unique_ptr<quic::Engine>> make_openssl_engine();

}  // namespace peersock::adapters
