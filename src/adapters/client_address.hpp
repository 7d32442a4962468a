// Where a client of the embedded rendezvous server comes from, in the three forms that are needed:
// in full for the client itself, as a key for limits, cut short for logs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <gio/gio.h>

#include "wormhole/server.hpp"

namespace peersock::adapters {

struct ClientOrigin {
  /// Nothing for a Unix socket whose proxy does not say.
  std::optional<wormhole::ClientAddress> address;
  /// What limits count: an IPv4 address, or the first 64 bits of an IPv6 address, which is what one
  /// customer usually has. Empty: not counted.
  std::string key;
  /// `192.0.2.0/24`, `2001:db8:1::/48`, or `unix`.
  std::string network = "unix";
  /// The connection comes from this machine, as that of a reverse proxy does.
  bool is_local = true;
};

/// IPv4 addresses that are written as IPv6 ones (`::ffff:192.0.2.1`) count as what they are.
[[nodiscard]] ClientOrigin origin_of(GSocketAddress* remote);
/// The last address of `X-Forwarded-For`, which is the one that the nearest proxy has seen; nothing
/// when that is none.
[[nodiscard]] std::optional<ClientOrigin> forwarded_origin(std::string_view header);

}  // namespace peersock::adapters
