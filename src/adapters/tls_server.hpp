// The certificate and the key of a server that speaks TLS, on OpenSSL. GIO's own TLS servers shake
// hands in a pool of threads, where a few clients that stall would keep all others waiting.
#pragma once

#include <string>

#include "adapters/openssl_util.hpp"
#include "core/error.hpp"

namespace peersock::adapters {

/// TLS 1.2 and later with the certificate (and its chain) and the key in these PEM files; they may
/// be the same one. Errors are kUsage, and name the file.
[[nodiscard]] Result<SslContextPtr> load_tls_server(const std::string& certificate_file,
                                                    const std::string& key_file);

}  // namespace peersock::adapters
