#include "adapters/openssl_tls.hpp"

#include <algorithm>

#include <openssl/asn1.h>
#include <openssl/quic.h>
#include <openssl/rand.h>
#include <openssl/x509_vfy.h>

namespace peersock::adapters {
namespace {

tl::unexpected<Error> openssl_failure(std::string_view what) {
  return fail(ErrorKind::kInternal, std::string(what) + ": " + take_openssl_error());
}

bool fingerprint_of(const X509* certificate, Fingerprint& out) {
  unsigned int size = 0;
  return X509_digest(certificate, EVP_sha256(), out.data(), &size) == 1 && size == out.size();
}

bool fill_certificate(X509* certificate, EVP_PKEY* key) {
  std::uint64_t serial = 0;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) != 1) return false;
  X509_NAME* name = X509_get_subject_name(certificate);
  return X509_set_version(certificate, X509_VERSION_3) == 1 &&
         ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1) == 1 &&
         ASN1_TIME_set_string_X509(X509_getm_notBefore(certificate), "19700101000000Z") == 1 &&
         ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate), "99991231235959Z") == 1 &&
         X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                    reinterpret_cast<const unsigned char*>("peersock"), -1, -1,
                                    0) == 1 &&
         X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, key) == 1 &&
         X509_sign(certificate, key, nullptr) > 0;
}

/// Stands in for chain building: trust comes from the fingerprint that the code protected.
int verify_peer(X509_STORE_CTX* store, void* argument) noexcept {
  auto& terms = *static_cast<PeerTerms*>(argument);
  const X509* leaf = X509_STORE_CTX_get0_cert(store);
  Fingerprint shown{};
  if (leaf != nullptr && fingerprint_of(leaf, shown) && shown == terms.fingerprint) return 1;
  terms.refused = true;
  // Becomes the alert bad_certificate.
  X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
  return 0;
}

/// The client offers a list of names, each after its size (RFC 7301 section 3.1).
int select_alpn(SSL* /*ssl*/, const unsigned char** out, unsigned char* out_size,
                const unsigned char* in, unsigned int in_size, void* argument) noexcept {
  const std::string& wanted = static_cast<PeerTerms*>(argument)->alpn;
  for (std::size_t at = 0; at < in_size && in_size - at > in[at]; at += 1U + in[at]) {
    const std::string_view offered(reinterpret_cast<const char*>(in) + at + 1, in[at]);
    if (offered != wanted) continue;
    *out = in + at + 1;
    *out_size = in[at];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

bool offer_alpn(SSL_CTX* context, const std::string& name) {
  const std::string list = static_cast<char>(name.size()) + name;
  // This one function of OpenSSL returns 0 for success.
  return SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(list.data()),
                                 static_cast<unsigned int>(list.size())) == 0;
}

const SSL_METHOD* tls_method(TlsCarrier carrier, bool client) {
  if (carrier == TlsCarrier::kNgtcp2) return client ? TLS_client_method() : TLS_server_method();
  return client ? OSSL_QUIC_client_method() : OSSL_QUIC_server_method();
}

// AES-128 first: with AES instructions it is the fastest, and 128 bits match the certificate's.
constexpr const char* kCipherSuites =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

}  // namespace

Result<Identity> make_identity() {
  Identity identity;
  identity.key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  if (!identity.key) return openssl_failure("OpenSSL made no key");
  identity.certificate.reset(X509_new());
  if (!identity.certificate || !fill_certificate(identity.certificate.get(), identity.key.get()) ||
      !fingerprint_of(identity.certificate.get(), identity.fingerprint)) {
    return openssl_failure("OpenSSL made no certificate");
  }
  return identity;
}

Result<SslContextPtr> make_tls_context(quic::Role role, const Identity* identity, PeerTerms& terms,
                                       TlsCarrier carrier) {
  const bool client = role == quic::Role::kClient;
  SslContextPtr context(SSL_CTX_new(tls_method(carrier, client)));
  if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_ciphersuites(context.get(), kCipherSuites) != 1) {
    return openssl_failure("OpenSSL made no TLS context");
  }
  if (identity != nullptr &&
      (SSL_CTX_use_certificate(context.get(), identity->certificate.get()) != 1 ||
       SSL_CTX_use_PrivateKey(context.get(), identity->key.get()) != 1)) {
    return openssl_failure("OpenSSL did not take our certificate");
  }
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(context.get(), verify_peer, &terms);
  // A session is one connection: there is nothing to resume.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  if (client) {
    if (!offer_alpn(context.get(), terms.alpn)) {
      return openssl_failure("OpenSSL did not take our protocol name");
    }
  } else {
    SSL_CTX_set_alpn_select_cb(context.get(), select_alpn, &terms);
    if (SSL_CTX_set_num_tickets(context.get(), 0) != 1) {
      return openssl_failure("OpenSSL did not turn tickets off");
    }
  }
  return context;
}

}  // namespace peersock::adapters
