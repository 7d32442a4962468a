#include "adapters/tls_server.hpp"

#include <cerrno>

#include <fmt/format.h>
#include <glib.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

namespace peersock::adapters {
namespace {

tl::unexpected<Error> refuse(const std::string& file, std::string_view what) {
  return fail(ErrorKind::kUsage, fmt::format("{}: {}", file, what));
}

/// A passphrase has no place to be typed in.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*data*/) noexcept {
  return -1;
}

}  // namespace

Result<SslContextPtr> load_tls_server(const std::string& certificate_file,
                                      const std::string& key_file) {
  for (const std::string* file : {&certificate_file, &key_file}) {
    errno = 0;
    const BioPtr readable(BIO_new_file(file->c_str(), "r"));
    const int system_error = errno;
    ERR_clear_error();
    if (!readable) {
      return refuse(*file,
                    fmt::format("can not be read ({}); give a PEM file", g_strerror(system_error)));
    }
  }
  SslContextPtr context(SSL_CTX_new(TLS_server_method()));
  if (!context) return fail(ErrorKind::kInternal, "no TLS context: " + take_openssl_error());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                         SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_default_passwd_cb(context.get(), no_passphrase);
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_file.c_str()) != 1) {
    ERR_clear_error();
    return refuse(certificate_file, "holds no certificate; give a PEM file with the whole chain");
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    const bool other = ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH;
    ERR_clear_error();
    if (other) {
      return refuse(key_file,
                    fmt::format("is not the key of the certificate in {}", certificate_file));
    }
    return refuse(key_file,
                  "holds no private key that can be used; give one in PEM without a "
                  "passphrase");
  }
  return context;
}

}  // namespace peersock::adapters
