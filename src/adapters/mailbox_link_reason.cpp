#include "adapters/mailbox_link_reason.hpp"

#include <fmt/format.h>

#include "wire/text.hpp"

namespace peersock::adapters {
namespace {

/// Texts of other libraries and of users are shown up to this length.
constexpr std::size_t kMaxShown = 200;

std::string certificate_fault(GTlsCertificateFlags flags) {
  if ((flags & G_TLS_CERTIFICATE_BAD_IDENTITY) != 0) return "it is for another name";
  if ((flags & G_TLS_CERTIFICATE_EXPIRED) != 0) return "it has expired";
  if ((flags & G_TLS_CERTIFICATE_NOT_ACTIVATED) != 0) return "it is not valid yet: check the clock";
  if ((flags & G_TLS_CERTIFICATE_REVOKED) != 0) return "it was revoked";
  if ((flags & G_TLS_CERTIFICATE_UNKNOWN_CA) != 0) return "this machine does not know its issuer";
  return "it is not acceptable";
}

std::string tls_reason(const GError& error, const std::string& authority,
                       GTlsCertificateFlags certificate) {
  if (certificate != G_TLS_CERTIFICATE_NO_FLAGS) {
    return fmt::format("the TLS certificate of {} can not be trusted: {}", authority,
                       certificate_fault(certificate));
  }
  if (error.code == G_TLS_ERROR_NOT_TLS) {
    return fmt::format("{} does not speak TLS: try ws:// instead of wss://", authority);
  }
  if (error.code == G_TLS_ERROR_UNAVAILABLE) {
    return "this machine has no TLS for wss://: install glib-networking";
  }
  return fmt::format("the TLS handshake with {} failed ({}): if it has no TLS, try ws://",
                     authority, wire::printable(error.message, kMaxShown));
}

}  // namespace

std::string authority_of(GUri* uri) {
  const std::string_view host = g_uri_get_host(uri);
  int port = g_uri_get_port(uri);
  if (port < 0) port = std::string_view(g_uri_get_scheme(uri)) == "wss" ? 443 : 80;
  const std::string shown = wire::printable(host, kMaxShown);
  return host.find(':') == std::string_view::npos ? fmt::format("{}:{}", shown, port)
                                                  : fmt::format("[{}]:{}", shown, port);
}

std::string not_a_url(std::string_view url) {
  return fmt::format("\"{}\" is not of the form ws://HOST:PORT/v1 or wss://HOST/v1",
                     wire::printable(url, kMaxShown));
}

std::string connect_reason(const GError& error, const std::string& authority,
                           GTlsCertificateFlags certificate) {
  if (error.domain == G_RESOLVER_ERROR) {
    return error.code == G_RESOLVER_ERROR_TEMPORARY_FAILURE
               ? fmt::format("the name in {} could not be looked up: check the network", authority)
               : fmt::format("the name in {} is not known", authority);
  }
  if (error.domain == G_TLS_ERROR) return tls_reason(error, authority, certificate);
  if (error.domain == G_IO_ERROR) {
    switch (error.code) {
      case G_IO_ERROR_CONNECTION_REFUSED:
        return fmt::format("{} refused the connection", authority);
      case G_IO_ERROR_HOST_UNREACHABLE:
      case G_IO_ERROR_NETWORK_UNREACHABLE:
        return fmt::format("there is no route to {}", authority);
      case G_IO_ERROR_TIMED_OUT:
        return fmt::format("{} does not answer", authority);
      default:
        break;
    }
  }
  return fmt::format("the connection to {} failed: {}", authority,
                     wire::printable(error.message, kMaxShown));
}

std::string not_http_reason(const std::string& authority) {
  return fmt::format("{} does not speak HTTP", authority);
}

std::string no_websocket_reason(const std::string& authority) {
  return fmt::format("{} did not accept the WebSocket handshake: is it a rendezvous server?",
                     authority);
}

std::string hung_up_reason(const std::string& authority) {
  return fmt::format("{} closed the connection without a WebSocket handshake", authority);
}

std::string http_reason(unsigned status, const std::string& authority) {
  const char* phrase = soup_status_get_phrase(status);
  return fmt::format("{} answered HTTP {}{}{} instead of a WebSocket", authority, status,
                     phrase != nullptr ? " " : "", phrase != nullptr ? phrase : "");
}

std::string timeout_reason(LinkPhase phase, const std::string& authority, Duration after) {
  const double seconds = std::chrono::duration<double>(after).count();
  switch (phase) {
    case LinkPhase::kResolving:
      return fmt::format("the name in {} was not found within {:.3g} s", authority, seconds);
    case LinkPhase::kConnecting:
      return fmt::format("{} did not answer within {:.3g} s", authority, seconds);
    case LinkPhase::kSecuring:
      return fmt::format("{} did not start TLS within {:.3g} s: if it has none, try ws://",
                         authority, seconds);
    case LinkPhase::kUpgrading:
      break;
  }
  return fmt::format("{} did not answer the WebSocket handshake within {:.3g} s", authority,
                     seconds);
}

std::string broken_reason(const GError& error) {
  if (g_error_matches(&error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE)) {
    return "the server sent a message that is too long";
  }
  if (error.domain == SOUP_WEBSOCKET_ERROR) {
    return error.code == static_cast<int>(SOUP_WEBSOCKET_CLOSE_TOO_BIG)
               ? "the server sent a message that is too long"
               : "the server broke the WebSocket protocol";
  }
  if (g_error_matches(&error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT)) {
    return "the server does not answer any more";
  }
  return fmt::format("the connection broke: {}", wire::printable(error.message, kMaxShown));
}

std::string closed_reason(unsigned code) {
  switch (code) {
    case 0:
      return "the connection broke";
    case SOUP_WEBSOCKET_CLOSE_NORMAL:
    case SOUP_WEBSOCKET_CLOSE_NO_STATUS:
      return "the server closed the connection";
    case SOUP_WEBSOCKET_CLOSE_GOING_AWAY:
      return "the server is going away";
    default:
      return fmt::format("the server closed the connection with code {}", code);
  }
}

}  // namespace peersock::adapters
