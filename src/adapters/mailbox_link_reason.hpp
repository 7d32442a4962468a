// Why a link to a rendezvous server failed, in a short phrase for the user.
#pragma once

#include <string>
#include <string_view>

#include <gio/gio.h>
#include <libsoup/soup.h>

namespace peersock::adapters {

/// `HOST:PORT`, as a user would write it.
[[nodiscard]] std::string authority_of(GUri* uri);

[[nodiscard]] std::string not_a_url(std::string_view url);
/// The server answered the handshake with a status other than 101.
[[nodiscard]] std::string http_reason(unsigned status, const std::string& authority);
/// The answer is no HTTP.
[[nodiscard]] std::string not_http_reason(const std::string& authority);
/// It is HTTP, but does not agree to a WebSocket.
[[nodiscard]] std::string no_websocket_reason(const std::string& authority);
/// There was no answer.
[[nodiscard]] std::string hung_up_reason(const std::string& authority);
/// An open link got an error.
[[nodiscard]] std::string broken_reason(const GError& error);
/// An open link was closed; `code` is 0 when no close frame came (RFC 6455 section 7.4).
[[nodiscard]] std::string closed_reason(unsigned code);

}  // namespace peersock::adapters
