// TLS as the profile wants it (docs/spec/quic.md): version 1.3, one ALPN name, a certificate on
// both sides that counts by its fingerprint alone.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "adapters/openssl_util.hpp"
#include "core/error.hpp"
#include "quic/connection.hpp"

namespace peersock::adapters {

/// SHA-256 of a certificate in DER form.
using Fingerprint = std::array<std::uint8_t, 32>;

/// The key pair of one session and the certificate that shows it.
struct Identity {
  PrivateKeyPtr key;
  CertificatePtr certificate;
  Fingerprint fingerprint{};
};

/// Makes a fresh Ed25519 key and signs its certificate with it. Nothing in the certificate says
/// who or when: it is random, and valid for ever.
[[nodiscard]] Result<Identity> make_identity();

/// What the peer must show, and whether it did.
struct PeerTerms {
  Fingerprint fingerprint{};
  std::string alpn{quic::kAlpn};
  bool refused = false;  ///< the peer showed another certificate
};

/// Who carries the handshake's messages.
enum class TlsCarrier : std::uint8_t { kOpenSslQuic, kNgtcp2 };

/// `terms` must outlive the context and everything made from it.
/// Without an identity no certificate is shown (only tests do that).
[[nodiscard]] Result<SslContextPtr> make_tls_context(quic::Role role, const Identity* identity,
                                                     PeerTerms& terms,
                                                     TlsCarrier carrier = TlsCarrier::kOpenSslQuic);

}  // namespace peersock::adapters
