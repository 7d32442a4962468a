// The server's side of TLS as a GIO stream, on OpenSSL. GIO's own TLS makes handshakes in a pool of
// threads, where a few clients that stall would keep all others waiting.
#pragma once

#include <string>

#include <gio/gio.h>

#include "adapters/glib_ptr.hpp"
#include "adapters/openssl_util.hpp"
#include "core/error.hpp"

namespace peersock::adapters {

/// TLS 1.2 and later with the certificate (and its chain) and the key in these PEM files; they may
/// be the same one. Errors are kUsage, and name the file.
[[nodiscard]] Result<SslContextPtr> load_tls_server(const std::string& certificate_file,
                                                    const std::string& key_file);

/// What `base` carries inside TLS; the handshake is part of the first reads and writes. It can be
/// polled, never blocks and closes `base`. It keeps `context` alive.
[[nodiscard]] GObjectPtr<GIOStream> make_tls_stream(GSocketConnection* base, SSL_CTX* context);

}  // namespace peersock::adapters
