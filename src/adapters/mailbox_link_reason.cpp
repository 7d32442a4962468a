#include "adapters/mailbox_link_reason.hpp"

#include <fmt/format.h>

#include "adapters/dial_reason.hpp"
#include "wire/text.hpp"

namespace peersock::adapters {

std::string authority_of(GUri* uri) {
  const std::string_view host = g_uri_get_host(uri);
  int port = g_uri_get_port(uri);
  if (port < 0) port = std::string_view(g_uri_get_scheme(uri)) == "wss" ? 443 : 80;
  return authority_text(host, port);
}

std::string not_a_url(std::string_view url) {
  return fmt::format("\"{}\" is not of the form ws://HOST:PORT/v1 or wss://HOST/v1",
                     wire::printable(url, kMaxShown));
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
