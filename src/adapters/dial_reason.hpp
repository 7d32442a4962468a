// Why a server could not be reached over TCP, in a short phrase for the user.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <gio/gio.h>

#include "core/time.hpp"

namespace peersock::adapters {

/// Texts of other libraries and of users are shown up to this length.
inline constexpr std::size_t kMaxShown = 200;

/// `HOST:PORT` or `[IPv6]:PORT`, as a user would write it, fit to be shown.
[[nodiscard]] std::string authority_text(std::string_view host, int port);

/// No connection, or a broken one. `peer` is an authority, or "the proxy" and one.
[[nodiscard]] std::string connect_reason(const GError& error, const std::string& peer);
/// No TLS; `certificate` tells what was wrong with the certificate, if that was looked at, and
/// `without_tls` what to try when the server has none.
[[nodiscard]] std::string tls_reason(const GError& error, const std::string& authority,
                                     GTlsCertificateFlags certificate,
                                     const std::string& without_tls);

struct ProxyRefusal {
  std::string proxy;     ///< authority
  std::string target;    ///< likewise
  bool knew_us = false;  ///< it was given a user name
};
/// The proxy made no way to the target; `status` 0: its answer is no HTTP.
[[nodiscard]] std::string proxy_reason(const ProxyRefusal& refusal, unsigned status);

/// How far an attempt has come, in this order.
enum class DialPhase : std::uint8_t {
  kResolving,
  kConnecting,
  kAskingProxy,
  kSecuring,
  kUpgrading,  ///< TCP and TLS are there; what they carry is not
};
/// Of a WebSocket, if it is kUpgrading.
[[nodiscard]] std::string timeout_reason(DialPhase phase, const std::string& peer, Duration after,
                                         const std::string& without_tls);

}  // namespace peersock::adapters
