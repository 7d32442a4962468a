// WebSocket handshakes and frames as octets (RFC 6455), for peers that can misbehave.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace peersock::testing {

inline constexpr std::uint8_t kContinuation = 0;
inline constexpr std::uint8_t kText = 1;
inline constexpr std::uint8_t kBinary = 2;
inline constexpr std::uint8_t kClose = 8;
inline constexpr std::uint8_t kPing = 9;
inline constexpr std::uint8_t kPong = 10;

/// What a client sends to open a WebSocket at `path`.
[[nodiscard]] std::string upgrade_request(std::string_view path = "/v1");
/// What a server answers to a request, which must hold a key.
[[nodiscard]] std::string upgrade_response(std::string_view request);

/// One frame. Clients mask, servers do not.
[[nodiscard]] std::string ws_frame(std::uint8_t opcode, std::string_view payload, bool masked,
                                   bool final = true);
struct WsFrame {
  std::uint8_t opcode = 0;
  bool final = true;
  std::string payload;
};
/// Takes a complete frame from the front of `octets`, masked or not.
[[nodiscard]] std::optional<WsFrame> take_ws_frame(std::string& octets);
/// Takes an HTTP head, up to and with its empty line, from the front of `octets`.
[[nodiscard]] std::optional<std::string> take_http_head(std::string& octets);

}  // namespace peersock::testing
