#include "bench/websocket_client.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <netinet/tcp.h>
#include <sys/socket.h>

namespace peersock::bench {
namespace {

// RFC 6455 section 5.2.
constexpr std::uint8_t kFinal = 0x80;
constexpr std::uint8_t kMasked = 0x80;
constexpr std::uint8_t kText = 1;
constexpr std::uint8_t kClose = 8;
constexpr std::uint8_t kPing = 9;
constexpr std::uint8_t kPong = 10;
constexpr std::size_t kMaxResponse = 16'384;
constexpr std::uint64_t kMaxFrame = 1 << 24;

// The key, and the answer to it, are those of RFC 6455 section 1.3: nothing hangs on their novelty.
constexpr std::string_view kRequest =
    "GET /v1 HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
constexpr std::string_view kAccepted = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

std::string system_error(const char* what) {
  return std::string(what) + ": " + std::system_category().message(errno);
}

std::uint64_t big_endian(std::string_view octets) {
  std::uint64_t value = 0;
  for (const char octet : octets) value = value << 8 | static_cast<std::uint8_t>(octet);
  return value;
}

}  // namespace

WebSocketClient::WebSocketClient(const sockaddr_in& server, in_addr source)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)), output_(kRequest) {
  const int on = 1;
  // The port is chosen when the other end is known, so that it need only be free towards that end.
  (void)setsockopt(socket_.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  (void)setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in own{};
  own.sin_family = AF_INET;
  own.sin_addr = source;
  if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0) {
    fail(system_error("bind"));
  } else if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&server), sizeof server) !=
                 0 &&
             errno != EINPROGRESS) {
    fail(system_error("connect"));
  }
}

void WebSocketClient::fail(std::string why) {
  if (state_ == State::kEnded) return;
  state_ = State::kEnded;
  error_ = std::move(why);
}

void WebSocketClient::ended() {
  if (state_ == State::kClosing) {
    state_ = State::kEnded;
  } else {
    fail("the server ended the connection");
  }
}

void WebSocketClient::flush() {
  while (!output_.empty() && state_ != State::kEnded) {
    const ssize_t sent = ::send(socket_.get(), output_.data(), output_.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      output_.erase(0, static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      return;
    } else if (errno != EINTR) {
      state_ == State::kClosing ? ended() : fail(system_error("send"));
    }
  }
}

void WebSocketClient::pump(std::span<char> buffer, bool ending, const OnText& on_text) {
  flush();
  while (state_ != State::kEnded) {
    const ssize_t octets = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (octets < 0 && errno == EINTR) continue;
    if (octets < 0 && errno == EAGAIN) break;
    if (octets < 0) {
      state_ == State::kClosing ? ended() : fail(system_error("receive"));
    } else if (octets == 0) {
      ended();
    } else {
      received_ += static_cast<std::uint64_t>(octets);
      consume({buffer.data(), static_cast<std::size_t>(octets)}, on_text);
      // Less than there was room for: what comes after it will be told.
      if (!ending && static_cast<std::size_t>(octets) < buffer.size()) break;
    }
  }
  flush();
}

void WebSocketClient::consume(std::string_view octets, const OnText& on_text) {
  std::string joined;
  if (!partial_.empty()) {
    joined = std::move(partial_);
    joined += octets;
    octets = joined;
  }
  while (!octets.empty() && state_ != State::kEnded) {
    const bool taken =
        state_ == State::kUpgrading ? take_response(octets) : take_frame(octets, on_text);
    if (!taken) break;
  }
  partial_.assign(octets);
}

bool WebSocketClient::take_response(std::string_view& octets) {
  const auto end = octets.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    if (octets.size() > kMaxResponse) fail("the server's answer does not end");
    return false;
  }
  const std::string_view response = octets.substr(0, end);
  octets.remove_prefix(end + 4);
  if (response.substr(0, 12) != "HTTP/1.1 101" ||
      response.find(kAccepted) == std::string_view::npos) {
    fail("the server refused: " + std::string(response.substr(0, response.find('\r'))));
    return false;
  }
  state_ = State::kOpen;
  return true;
}

bool WebSocketClient::take_frame(std::string_view& octets, const OnText& on_text) {
  if (octets.size() < 2) return false;
  const auto first = static_cast<std::uint8_t>(octets[0]);
  const auto second = static_cast<std::uint8_t>(octets[1]);
  std::size_t header = 2;
  std::uint64_t size = second;
  if (second == 126) header = 4;
  if (second == 127) header = 10;
  if (octets.size() < header) return false;
  if (header > 2) size = big_endian(octets.substr(2, header - 2));
  if ((first & kFinal) == 0 || second >= kMasked || size > kMaxFrame) {
    fail("the server sent a frame that this program does not take");
    return false;
  }
  if (octets.size() - header < size) return false;
  const auto payload = octets.substr(header, static_cast<std::size_t>(size));
  octets.remove_prefix(header + payload.size());
  switch (first & 0x0f) {
    case kText:
      on_text(payload);
      return true;
    case kPing:
      queue_frame(kPong, payload);
      return true;
    case kClose:
      if (state_ == State::kOpen) fail("the server closed the connection");
      return true;
    default:
      return true;
  }
}

void WebSocketClient::send_text(std::string_view text) {
  queue_frame(kText, text);
}

void WebSocketClient::close() {
  if (state_ != State::kOpen) return;
  state_ = State::kClosing;
  static constexpr std::string_view kNormal("\x03\xe8", 2);
  queue_frame(kClose, kNormal);
}

void WebSocketClient::queue_frame(std::uint8_t opcode, std::string_view payload) {
  output_ += static_cast<char>(kFinal | opcode);
  if (payload.size() < 126) {
    output_ += static_cast<char>(kMasked | payload.size());
  } else {
    const bool shorter = payload.size() < 65536;
    output_ += static_cast<char>(kMasked | (shorter ? 126 : 127));
    for (int shift = shorter ? 8 : 56; shift >= 0; shift -= 8) {
      output_ += static_cast<char>(payload.size() >> shift & 0xff);
    }
  }
  // Masks protect proxies from scripts in browsers (RFC 6455 section 10.3); here they only have to
  // cost the server what masks cost.
  mask_ ^= mask_ << 13;
  mask_ ^= mask_ >> 17;
  mask_ ^= mask_ << 5;
  std::array<char, 4> mask{};
  std::memcpy(mask.data(), &mask_, mask.size());
  output_.append(mask.data(), mask.size());
  const std::size_t begin = output_.size();
  output_ += payload;
  for (std::size_t i = 0; i < payload.size(); ++i) output_[begin + i] ^= mask[i % 4];
}

}  // namespace peersock::bench
