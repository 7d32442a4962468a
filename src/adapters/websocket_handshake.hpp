// What both sides of a WebSocket's opening handshake need (RFC 6455 section 4).
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <libsoup/soup.h>

namespace peersock::adapters {

/// The empty line that ends the head of a request or an answer, with the line end before it.
inline constexpr std::string_view kHttpHeadEnd = "\r\n\r\n";
/// Octets of a Sec-WebSocket-Key before base64.
inline constexpr std::size_t kWebSocketKeySize = 16;

struct HeadersUnref {
  void operator()(SoupMessageHeaders* headers) const { soup_message_headers_unref(headers); }
};
using HeadersPtr = std::unique_ptr<SoupMessageHeaders, HeadersUnref>;

/// The Sec-WebSocket-Accept that answers the Sec-WebSocket-Key `key`.
[[nodiscard]] std::string websocket_accept_of(std::string_view key);

/// Whether one of the field's values is `token`, in capitals or not.
[[nodiscard]] bool has_token(SoupMessageHeaders* headers, const char* field, const char* token);

}  // namespace peersock::adapters
