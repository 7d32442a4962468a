#include "adapters/ngtcp2_tls.hpp"

namespace peersock::adapters {

Ngtcp2Tls::Ngtcp2Tls(SSL_CTX* context, quic::Role role) : ssl_(SSL_new(context)) {
  ngtcp2_crypto_ossl_ctx* crypto = nullptr;
  if (!ssl_ || ngtcp2_crypto_ossl_ctx_new(&crypto, ssl_.get()) != 0) return;
  crypto_.reset(crypto);
  reference_.get_conn = connection_of;
  reference_.user_data = this;
  SSL_set_app_data(ssl_.get(), &reference_);
  if (role == quic::Role::kClient) {
    SSL_set_connect_state(ssl_.get());
    valid_ = ngtcp2_crypto_ossl_configure_client_session(ssl_.get()) == 0;
  } else {
    SSL_set_accept_state(ssl_.get());
    valid_ = ngtcp2_crypto_ossl_configure_server_session(ssl_.get()) == 0;
  }
}

Ngtcp2Tls::~Ngtcp2Tls() {
  // OpenSSL calls back when it is freed, and there is no connection any more.
  if (ssl_) SSL_set_app_data(ssl_.get(), nullptr);
}

void Ngtcp2Tls::attach(ngtcp2_conn* connection) {
  connection_ = connection;
  ngtcp2_conn_set_tls_native_handle(connection, crypto_.get());
}

ngtcp2_conn* Ngtcp2Tls::connection_of(ngtcp2_crypto_conn_ref* reference) noexcept {
  return static_cast<Ngtcp2Tls*>(reference->user_data)->connection_;
}

}  // namespace peersock::adapters
