// How a connection ended, as a fact with a sentence for a person.
#pragma once

#include <openssl/ssl.h>

#include "adapters/openssl_tls.hpp"
#include "core/time.hpp"
#include "quic/connection.hpp"

namespace peersock::adapters {

/// For everything but our own close. The peer's reason is cut and made printable.
[[nodiscard]] quic::fact::Closed describe_close(const SSL_CONN_CLOSE_INFO& info,
                                                const PeerTerms& terms, Duration idle_timeout);
/// The peer was silent for `idle_timeout`.
[[nodiscard]] quic::fact::Closed describe_silence(Duration idle_timeout);

}  // namespace peersock::adapters
