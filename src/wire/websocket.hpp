// WebSocket frames (RFC 6455 section 5) as the server's side reads and writes them. No extensions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace peersock::wire {

enum class WebSocketOpcode : std::uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10,
};

/// Status codes of a Close frame: RFC 6455 section 7.4.1.
enum class WebSocketClose : std::uint16_t {
  kNormal = 1000,
  kGoingAway = 1001,
  kProtocolError = 1002,
  kInvalidPayload = 1007,
  kPolicyViolation = 1008,
  kTooBig = 1009,
};

/// A whole message, text or binary; text is valid UTF-8.
struct WebSocketMessage {
  std::string payload;
};
struct WebSocketPing {
  std::string payload;  ///< at most 125 octets, to be sent back in a Pong
};
struct WebSocketPong {};
/// The client says goodbye; to be answered with the same code.
struct WebSocketClosed {
  WebSocketClose code = WebSocketClose::kNormal;
};
/// The client broke the protocol or a limit; to be told so in a Close.
struct WebSocketBroken {
  WebSocketClose code = WebSocketClose::kProtocolError;
};
using WebSocketEvent =
    std::variant<WebSocketMessage, WebSocketPing, WebSocketPong, WebSocketClosed, WebSocketBroken>;

/// Reads what a client sends, in pieces of any size. Memory: one message, and nothing in between.
class WebSocketReader {
 public:
  /// `max_message` octets, over all fragments of one message; a longer one is kTooBig as soon as a
  /// header says so.
  explicit WebSocketReader(std::size_t max_message) : max_message_(max_message) {}

  /// Takes octets from the front of `octets` until they make an event, or all of them. After
  /// WebSocketClosed and WebSocketBroken everything is taken and nothing comes.
  [[nodiscard]] std::optional<WebSocketEvent> next(std::string_view& octets);

 private:
  struct Header {
    WebSocketOpcode opcode = WebSocketOpcode::kContinuation;
    bool final = true;
    std::uint64_t length = 0;
    std::array<char, 4> mask{};
  };

  [[nodiscard]] bool take_header(std::string_view& octets);
  [[nodiscard]] std::size_t header_size() const;
  [[nodiscard]] std::optional<WebSocketClose> begin_frame();
  [[nodiscard]] std::optional<WebSocketClose> judge(const Header& header) const;
  void take_payload(std::string_view& octets);
  [[nodiscard]] std::optional<WebSocketEvent> end_frame();
  [[nodiscard]] std::optional<WebSocketEvent> end_message();
  [[nodiscard]] WebSocketEvent end_connection(std::string_view payload);
  [[nodiscard]] WebSocketEvent broken(WebSocketClose code);
  [[nodiscard]] std::string& payload_of(const Header& header);

  std::size_t max_message_;
  std::array<char, 14> raw_{};  ///< of the header, as far as it has come
  std::uint8_t raw_size_ = 0;
  std::optional<Header> frame_;  ///< whose payload is being read
  std::uint64_t taken_ = 0;      ///< of its payload
  std::string message_;          ///< the fragments so far
  std::string control_;          ///< payload of a control frame between them
  bool in_message_ = false;      ///< a fragment came that was not the last
  bool message_is_text_ = false;
  bool over_ = false;
};

/// Appends one unfragmented, unmasked frame.
void append_websocket_frame(std::string& to, WebSocketOpcode opcode, std::string_view payload);
void append_websocket_close(std::string& to, WebSocketClose code);

}  // namespace peersock::wire
