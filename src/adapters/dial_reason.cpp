#include "adapters/dial_reason.hpp"

#include <fmt/format.h>
#include <libsoup/soup.h>

#include "wire/text.hpp"

namespace peersock::adapters {
namespace {

std::string certificate_fault(GTlsCertificateFlags flags) {
  if ((flags & G_TLS_CERTIFICATE_BAD_IDENTITY) != 0) return "it is for another name";
  if ((flags & G_TLS_CERTIFICATE_EXPIRED) != 0) return "it has expired";
  if ((flags & G_TLS_CERTIFICATE_NOT_ACTIVATED) != 0) return "it is not valid yet: check the clock";
  if ((flags & G_TLS_CERTIFICATE_REVOKED) != 0) return "it was revoked";
  if ((flags & G_TLS_CERTIFICATE_UNKNOWN_CA) != 0) return "this machine does not know its issuer";
  return "it is not acceptable";
}

}  // namespace

std::string authority_text(std::string_view host, int port) {
  const std::string shown = wire::printable(host, kMaxShown);
  return host.find(':') == std::string_view::npos ? fmt::format("{}:{}", shown, port)
                                                  : fmt::format("[{}]:{}", shown, port);
}

std::string connect_reason(const GError& error, const std::string& peer) {
  if (error.domain == G_RESOLVER_ERROR) {
    return error.code == G_RESOLVER_ERROR_TEMPORARY_FAILURE
               ? fmt::format("the name in {} could not be looked up: check the network", peer)
               : fmt::format("the name in {} is not known", peer);
  }
  if (error.domain == G_IO_ERROR) {
    switch (error.code) {
      case G_IO_ERROR_CONNECTION_REFUSED:
        return fmt::format("{} refused the connection", peer);
      case G_IO_ERROR_HOST_UNREACHABLE:
      case G_IO_ERROR_NETWORK_UNREACHABLE:
        return fmt::format("there is no route to {}", peer);
      case G_IO_ERROR_TIMED_OUT:
        return fmt::format("{} does not answer", peer);
      default:
        break;
    }
  }
  return fmt::format("the connection to {} failed: {}", peer,
                     wire::printable(error.message, kMaxShown));
}

std::string tls_reason(const GError& error, const std::string& authority,
                       GTlsCertificateFlags certificate, const std::string& without_tls) {
  if (certificate != G_TLS_CERTIFICATE_NO_FLAGS) {
    return fmt::format("the TLS certificate of {} can not be trusted: {}", authority,
                       certificate_fault(certificate));
  }
  if (error.domain != G_TLS_ERROR) return connect_reason(error, authority);
  if (error.code == G_TLS_ERROR_NOT_TLS) {
    return fmt::format("{} does not speak TLS: {}", authority, without_tls);
  }
  if (error.code == G_TLS_ERROR_UNAVAILABLE) {
    return "this machine has no TLS: install glib-networking";
  }
  return fmt::format("the TLS handshake with {} failed ({}): if it has no TLS, {}", authority,
                     wire::printable(error.message, kMaxShown), without_tls);
}

std::string proxy_reason(const ProxyRefusal& refusal, unsigned status) {
  const std::string proxy = "the proxy " + refusal.proxy;
  switch (status) {
    case 0:
      return proxy + " does not answer as an HTTP proxy does";
    case SOUP_STATUS_PROXY_UNAUTHORIZED:
      return refusal.knew_us ? proxy + " refuses the user name or password"
                             : proxy + " wants a user name and a password";
    case SOUP_STATUS_FORBIDDEN:
    case SOUP_STATUS_METHOD_NOT_ALLOWED:
      return fmt::format("{} does not allow connections to {} (HTTP {})", proxy, refusal.target,
                         status);
    default:
      break;
  }
  const char* phrase = soup_status_get_phrase(status);
  return fmt::format("{} did not connect to {} (HTTP {}{}{})", proxy, refusal.target, status,
                     phrase != nullptr ? " " : "", phrase != nullptr ? phrase : "");
}

std::string timeout_reason(DialPhase phase, const std::string& peer, Duration after,
                           const std::string& without_tls) {
  const double seconds = std::chrono::duration<double>(after).count();
  switch (phase) {
    case DialPhase::kResolving:
      return fmt::format("the name in {} was not found within {:.3g} s", peer, seconds);
    case DialPhase::kConnecting:
    case DialPhase::kAskingProxy:
      return fmt::format("{} did not answer within {:.3g} s", peer, seconds);
    case DialPhase::kSecuring:
      return fmt::format("{} did not start TLS within {:.3g} s: if it has none, {}", peer, seconds,
                         without_tls);
    case DialPhase::kUpgrading:
      break;
  }
  return fmt::format("{} did not answer the WebSocket handshake within {:.3g} s", peer, seconds);
}

}  // namespace peersock::adapters
