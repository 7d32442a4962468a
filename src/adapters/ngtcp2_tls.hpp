// The TLS side of one ngtcp2 connection: OpenSSL makes the handshake, ngtcp2 carries its messages.
#pragma once

#include "adapters/ngtcp2_util.hpp"
#include "adapters/openssl_tls.hpp"
#include "core/error.hpp"

namespace peersock::adapters {

/// Stays at its address while OpenSSL holds it. Must outlive its ngtcp2 connection.
class Ngtcp2Tls {
 public:
  explicit Ngtcp2Tls(SSL_CTX* context, quic::Role role);
  Ngtcp2Tls(const Ngtcp2Tls&) = delete;
  Ngtcp2Tls& operator=(const Ngtcp2Tls&) = delete;
  Ngtcp2Tls(Ngtcp2Tls&&) = delete;
  Ngtcp2Tls& operator=(Ngtcp2Tls&&) = delete;
  ~Ngtcp2Tls();

  /// False when OpenSSL or ngtcp2 made no object: see take_openssl_error.
  [[nodiscard]] bool valid() const { return valid_; }
  /// Joins both sides; afterwards nothing is asked of this object once `connection` has gone.
  void attach(ngtcp2_conn* connection);
  [[nodiscard]] SSL* ssl() const { return ssl_.get(); }

 private:
  static ngtcp2_conn* connection_of(ngtcp2_crypto_conn_ref* reference) noexcept;

  SslPtr ssl_;
  Ngtcp2CryptoPtr crypto_;
  ngtcp2_crypto_conn_ref reference_{};
  ngtcp2_conn* connection_ = nullptr;
  bool valid_ = false;
};

}  // namespace peersock::adapters
