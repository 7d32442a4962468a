#include "wire/websocket.hpp"

#include <algorithm>
#include <utility>

#include "wire/text.hpp"

namespace peersock::wire {
namespace {

constexpr std::size_t kMaxControl = 125;
constexpr std::size_t kMaskSize = 4;

std::uint8_t octet(char c) {
  return static_cast<std::uint8_t>(c);
}

bool is_control(WebSocketOpcode opcode) {
  return static_cast<std::uint8_t>(opcode) >= static_cast<std::uint8_t>(WebSocketOpcode::kClose);
}

std::optional<WebSocketOpcode> opcode_of(std::uint8_t value) {
  switch (value) {
    case 0:
    case 1:
    case 2:
    case 8:
    case 9:
    case 10:
      return static_cast<WebSocketOpcode>(value);
    default:
      return std::nullopt;
  }
}

/// Codes that may stand in a Close frame (RFC 6455 sections 7.4.1 and 7.4.2).
bool may_be_sent(unsigned code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

void append_big_endian(std::string& to, std::uint64_t value, int octets) {
  for (int shift = 8 * (octets - 1); shift >= 0; shift -= 8) {
    to += static_cast<char>((value >> shift) & 0xff);
  }
}

/// How many octets of extended length follow the first two of a header.
std::size_t extended_size(std::uint8_t second) {
  const auto length = second & 0x7f;
  if (length < 126) return 0;
  return length == 126 ? 2 : 8;
}

}  // namespace

std::optional<WebSocketEvent> WebSocketReader::next(std::string_view& octets) {
  while (!over_) {
    if (!frame_) {
      if (!take_header(octets)) return std::nullopt;
      if (const auto fault = begin_frame()) return broken(*fault);
    }
    take_payload(octets);
    if (taken_ < frame_->length) return std::nullopt;
    if (auto event = end_frame()) return event;
  }
  octets = {};
  return std::nullopt;
}

/// What the header takes in all, as far as the octets that are there tell.
std::size_t WebSocketReader::header_size() const {
  if (raw_size_ < 2) return 2;
  const std::uint8_t second = octet(raw_[1]);
  return 2 + extended_size(second) + ((second & 0x80) != 0 ? kMaskSize : 0);
}

bool WebSocketReader::take_header(std::string_view& octets) {
  while (raw_size_ < header_size()) {
    const std::size_t count = std::min(octets.size(), header_size() - raw_size_);
    if (count == 0) return false;
    std::copy_n(octets.begin(), count, raw_.begin() + raw_size_);
    raw_size_ = static_cast<std::uint8_t>(raw_size_ + count);
    octets.remove_prefix(count);
  }
  return true;
}

std::optional<WebSocketClose> WebSocketReader::begin_frame() {
  raw_size_ = 0;
  taken_ = 0;
  const std::uint8_t first = octet(raw_[0]);
  const std::uint8_t second = octet(raw_[1]);
  const auto opcode = opcode_of(first & 0x0f);
  // No extension gives the reserved bits a meaning, and only masked frames come from a client.
  if (!opcode || (first & 0x70) != 0 || (second & 0x80) == 0) return WebSocketClose::kProtocolError;
  Header header{*opcode, (first & 0x80) != 0, second & 0x7fU, {}};
  const std::size_t extended = extended_size(second);
  if (extended > 0) header.length = 0;
  for (std::size_t i = 0; i < extended; ++i) {
    header.length = header.length << 8 | octet(raw_.at(2 + i));
  }
  std::copy_n(raw_.begin() + 2 + static_cast<std::ptrdiff_t>(extended), kMaskSize,
              header.mask.begin());
  if (const auto fault = judge(header)) return fault;
  frame_ = header;
  if (!is_control(header.opcode) && header.opcode != WebSocketOpcode::kContinuation) {
    message_is_text_ = header.opcode == WebSocketOpcode::kText;
  }
  return std::nullopt;
}

std::optional<WebSocketClose> WebSocketReader::judge(const Header& header) const {
  if (is_control(header.opcode)) {
    const bool fits = header.final && header.length <= kMaxControl;
    return fits ? std::nullopt : std::optional(WebSocketClose::kProtocolError);
  }
  const bool continues = header.opcode == WebSocketOpcode::kContinuation;
  if (continues != in_message_) return WebSocketClose::kProtocolError;
  if (header.length > max_message_ - message_.size()) return WebSocketClose::kTooBig;
  return std::nullopt;
}

std::string& WebSocketReader::payload_of(const Header& header) {
  return is_control(header.opcode) ? control_ : message_;
}

void WebSocketReader::take_payload(std::string_view& octets) {
  const Header& header = *frame_;
  const auto count =
      static_cast<std::size_t>(std::min<std::uint64_t>(octets.size(), header.length - taken_));
  std::string& payload = payload_of(header);
  const std::size_t begin = payload.size();
  payload.append(octets.substr(0, count));
  for (std::size_t i = 0; i < count; ++i) {
    payload[begin + i] =
        static_cast<char>(payload[begin + i] ^ header.mask[(taken_ + i) % kMaskSize]);
  }
  taken_ += count;
  octets.remove_prefix(count);
}

std::optional<WebSocketEvent> WebSocketReader::end_frame() {
  const Header header = *frame_;
  frame_.reset();
  if (!is_control(header.opcode)) {
    in_message_ = !header.final;
    return in_message_ ? std::nullopt : end_message();
  }
  const std::string payload = std::exchange(control_, {});
  if (header.opcode == WebSocketOpcode::kPing) return WebSocketPing{payload};
  if (header.opcode == WebSocketOpcode::kPong) return WebSocketPong{};
  return end_connection(payload);
}

std::optional<WebSocketEvent> WebSocketReader::end_message() {
  if (message_is_text_ && !is_utf8(message_)) return broken(WebSocketClose::kInvalidPayload);
  return WebSocketMessage{std::exchange(message_, {})};
}

WebSocketEvent WebSocketReader::end_connection(std::string_view payload) {
  WebSocketClosed closed;
  if (!payload.empty()) {
    if (payload.size() < 2) return broken(WebSocketClose::kProtocolError);
    const unsigned code = octet(payload[0]) << 8 | octet(payload[1]);
    if (!may_be_sent(code)) return broken(WebSocketClose::kProtocolError);
    if (!is_utf8(payload.substr(2))) return broken(WebSocketClose::kInvalidPayload);
    closed.code = static_cast<WebSocketClose>(code);
  }
  over_ = true;
  message_ = {};
  return closed;
}

WebSocketEvent WebSocketReader::broken(WebSocketClose code) {
  over_ = true;
  frame_.reset();
  message_ = {};
  control_ = {};
  return WebSocketBroken{code};
}

void append_websocket_frame(std::string& to, WebSocketOpcode opcode, std::string_view payload) {
  to += static_cast<char>(0x80 | static_cast<std::uint8_t>(opcode));
  if (payload.size() < 126) {
    to += static_cast<char>(payload.size());
  } else if (payload.size() < 65536) {
    to += static_cast<char>(126);
    append_big_endian(to, payload.size(), 2);
  } else {
    to += static_cast<char>(127);
    append_big_endian(to, payload.size(), 8);
  }
  to += payload;
}

void append_websocket_close(std::string& to, WebSocketClose code) {
  std::string payload;
  append_big_endian(payload, static_cast<std::uint16_t>(code), 2);
  append_websocket_frame(to, WebSocketOpcode::kClose, payload);
}

}  // namespace peersock::wire
