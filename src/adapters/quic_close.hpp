// How a connection ended, as a fact with a sentence for a person: the same for every engine.
#pragma once

#include <cstdint>
#include <string_view>

#include "adapters/openssl_tls.hpp"
#include "core/time.hpp"
#include "quic/connection.hpp"

namespace peersock::adapters {

/// A CONNECTION_CLOSE that was sent or received (RFC 9000 section 19.19).
struct CloseInfo {
  std::uint64_t code = 0;
  bool transport = false;   ///< a transport error (type 0x1c), not the application's code
  bool remote = false;      ///< the peer sent it
  std::string_view reason;  ///< as on the wire
};

/// For everything but our own close. The reason is cut and made printable.
[[nodiscard]] quic::fact::Closed describe_close(const CloseInfo& info, const PeerTerms& terms);
/// The peer was silent for `idle_timeout`.
[[nodiscard]] quic::fact::Closed describe_silence(Duration idle_timeout);

}  // namespace peersock::adapters
