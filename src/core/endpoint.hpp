// Where a local service is, or where local programs may connect to: as users write it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "core/error.hpp"

namespace peersock {

struct TcpEndpoint {
  /// A name or a numeric address (IPv6 without brackets, possibly with %zone). Only when
  /// listening: empty stands for loopback in both families, "*" for every address.
  std::string host;
  std::uint16_t port = 0;  ///< 0 only when listening: any free port

  friend bool operator==(const TcpEndpoint&, const TcpEndpoint&) = default;
};

/// A Unix domain stream socket in the file system.
struct UnixEndpoint {
  std::string path;

  friend bool operator==(const UnixEndpoint&, const UnixEndpoint&) = default;
};

using Endpoint = std::variant<TcpEndpoint, UnixEndpoint>;

/// Octets in a path: what `sockaddr_un` holds on Linux, without its final NUL (unix(7)).
inline constexpr std::size_t kMaxUnixPath = 107;
/// RFC 1035 section 2.3.4, in the usual text form.
inline constexpr std::size_t kMaxHostName = 253;

/// `HOST:PORT`, `[IPv6]:PORT` or `unix:PATH`; the port is 1 to 65535. Errors are kUsage, and
/// repeat no more of `text` than a port number: it may be a code in the wrong place.
[[nodiscard]] Result<Endpoint> parse_connect_target(std::string_view text);

/// `PORT`, `ADDRESS:PORT`, `[IPv6]:PORT`, `*:PORT`, `localhost:PORT` or `unix:PATH`; addresses are
/// numeric, the port is 0 to 65535. Errors as above.
[[nodiscard]] Result<Endpoint> parse_listen_address(std::string_view text);

/// In the form in which it is parsed; IPv6 addresses in brackets, the empty host as `localhost`.
[[nodiscard]] std::string to_string(const Endpoint& endpoint);

}  // namespace peersock
