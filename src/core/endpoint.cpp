#include "core/endpoint.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "core/machine.hpp"

namespace peersock {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";
constexpr std::string_view kLocalhost = "localhost";
constexpr unsigned kMaxPort = 65535;

struct HostAndPort {
  std::string_view host;
  std::string_view port;
  bool bracketed = false;
};

/// Nothing when the text has no port, or an IPv6 address without brackets.
std::optional<HostAndPort> split(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos || text.substr(close + 1, 1) != ":") return std::nullopt;
    return HostAndPort{text.substr(1, close - 1), text.substr(close + 2), true};
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon != text.rfind(':')) return std::nullopt;
  return HostAndPort{text.substr(0, colon), text.substr(colon + 1), false};
}

bool is_numeric(int family, std::string_view address) {
  std::array<unsigned char, sizeof(in6_addr)> parsed{};
  return inet_pton(family, std::string(address).c_str(), parsed.data()) == 1;
}

bool is_ipv6(std::string_view host) {
  // inet_pton knows no zones (RFC 4007 section 11).
  const std::size_t zone = host.find('%');
  if (zone == std::string_view::npos) return is_numeric(AF_INET6, host);
  return zone + 1 < host.size() && is_numeric(AF_INET6, host.substr(0, zone));
}

/// Whatever a resolver may know: no control characters, spaces or punctuation of URLs.
/// Octets above ASCII are internationalised names.
bool may_be_name(std::string_view host) {
  return !host.empty() && host.size() <= kMaxHostName &&
         std::all_of(host.begin(), host.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '.' || c == '_' || static_cast<unsigned char>(c) >= 0x80;
         });
}

Result<std::uint16_t> parse_port(std::string_view text, unsigned lowest) {
  unsigned port = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, port);
  const bool digits = !text.empty() && parsed.ptr == end;
  if (!digits || parsed.ec != std::errc{} || port < lowest || port > kMaxPort) {
    // Only digits are repeated: anything else may be a code in the wrong place.
    return fail(ErrorKind::kUsage,
                fmt::format("{} is not a port number; choose one from {} to {}",
                            digits && text.size() <= 20 ? text : "what follows the last colon",
                            lowest, kMaxPort));
  }
  return static_cast<std::uint16_t>(port);
}

Result<Endpoint> parse_unix(std::string_view path) {
  if (path.empty() || path.find('\0') != std::string_view::npos) {
    return fail(ErrorKind::kUsage, "unix: needs the path of a socket, for example unix:/tmp/vnc");
  }
  if (path.size() > kMaxUnixPath) {
    return fail(ErrorKind::kUsage,
                fmt::format("the path of the Unix socket has {} octets, but the system allows {}; "
                            "choose a shorter one",
                            path.size(), kMaxUnixPath));
  }
  return UnixEndpoint{std::string(path)};
}

/// The host that a listener binds to, in the normal form of `TcpEndpoint`.
std::optional<std::string> listen_host(const HostAndPort& parts) {
  if (parts.bracketed) {
    if (is_ipv6(parts.host)) return std::string(parts.host);
    return std::nullopt;
  }
  if (parts.host.empty() || parts.host == kLocalhost) return std::string();
  if (parts.host == "*" || is_numeric(AF_INET, parts.host)) return std::string(parts.host);
  return std::nullopt;
}

bool all_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Result<Endpoint> parse_connect_target(std::string_view text) {
  if (text.starts_with(kUnixPrefix)) return parse_unix(text.substr(kUnixPrefix.size()));
  const auto parts = split(text);
  const bool valid = parts && (parts->bracketed ? is_ipv6(parts->host) : may_be_name(parts->host));
  if (!valid) {
    return fail(ErrorKind::kUsage,
                "the target is not of the form HOST:PORT, [IPv6]:PORT or unix:PATH; write for "
                "example localhost:5900");
  }
  const auto port = parse_port(parts->port, 1);
  if (!port) return tl::unexpected(port.error());
  return TcpEndpoint{std::string(parts->host), *port};
}

Result<Endpoint> parse_listen_address(std::string_view text) {
  if (text.starts_with(kUnixPrefix)) return parse_unix(text.substr(kUnixPrefix.size()));
  const auto parts = all_digits(text) ? HostAndPort{{}, text, false} : split(text);
  const auto host = parts ? listen_host(*parts) : std::nullopt;
  if (!host) {
    return fail(ErrorKind::kUsage,
                "the address to listen on is not of the form PORT, ADDRESS:PORT (with a numeric "
                "address), [IPv6]:PORT, *:PORT or unix:PATH; write for example 5900");
  }
  const auto port = parse_port(parts->port, 0);
  if (!port) return tl::unexpected(port.error());
  return TcpEndpoint{*host, *port};
}

std::string to_string(const Endpoint& endpoint) {
  return std::visit(
      Overloaded{
          [](const TcpEndpoint& tcp) {
            if (tcp.host.empty()) return fmt::format("{}:{}", kLocalhost, tcp.port);
            if (tcp.host.find(':') != std::string::npos) {
              return fmt::format("[{}]:{}", tcp.host, tcp.port);
            }
            return fmt::format("{}:{}", tcp.host, tcp.port);
          },
          [](const UnixEndpoint& path) { return fmt::format("{}{}", kUnixPrefix, path.path); },
      },
      endpoint);
}

}  // namespace peersock
