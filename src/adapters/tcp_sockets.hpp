// Listening TCP sockets for the embedded rendezvous server.
#pragma once

#include <string>
#include <vector>

#include <gio/gio.h>

#include "adapters/glib_ptr.hpp"
#include "core/endpoint.hpp"
#include "core/error.hpp"

namespace peersock::adapters {

/// Sockets that listen at `endpoint`, non-blocking: one, or one for each address family when the
/// host stands for both ("" and "*"; a family that the machine does not have is left out). They
/// share one port. Errors are kLocalEndpoint.
[[nodiscard]] Result<std::vector<GObjectPtr<GSocket>>> listen_tcp(const TcpEndpoint& endpoint);

/// `127.0.0.1:4000` or `[::1]:4000`.
[[nodiscard]] std::string local_authority(GSocket* socket);

}  // namespace peersock::adapters
