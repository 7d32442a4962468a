// What the embedded rendezvous server needs of HTTP/1.1 (RFC 9112): one request a connection, whose
// body does not matter, answered by a short page or by the handshake of a WebSocket (RFC 6455
// section 4.2). The header fields are libsoup's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <libsoup/soup.h>

#include "adapters/websocket_handshake.hpp"

namespace peersock::adapters {

struct HttpRequest {
  std::string method;
  std::string path;  ///< without the query
  HeadersPtr headers;

  /// All values of a field, with commas between them; nothing when there is none.
  [[nodiscard]] std::optional<std::string> field(const char* name) const;
};

/// `head` ends with its empty line. Nothing when it is no request.
[[nodiscard]] std::optional<HttpRequest> parse_http_request(std::string_view head);

struct HttpAnswer {
  unsigned status = SOUP_STATUS_OK;
  std::string type = "text/plain";
  std::string body = std::string();
  std::string more_fields = std::string();  ///< each with its line end
};
/// The connection ends after it. The body is left out for HEAD.
[[nodiscard]] std::string render_http_answer(const HttpAnswer& answer, std::string_view method);

/// 101 when `request` is the handshake of a WebSocket, otherwise what is wrong with it.
[[nodiscard]] HttpAnswer answer_websocket_handshake(const HttpRequest& request);
[[nodiscard]] inline bool is_upgrade(const HttpAnswer& answer) {
  return answer.status == SOUP_STATUS_SWITCHING_PROTOCOLS;
}

}  // namespace peersock::adapters
