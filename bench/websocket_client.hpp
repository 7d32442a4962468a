// A WebSocket client (RFC 6455) that costs next to nothing: a non-blocking socket and a frame
// reader, for a load generator that talks to servers on loopback. It checks what it needs to be
// sure of a figure, and no more.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include <netinet/in.h>

#include "adapters/unique_fd.hpp"

namespace peersock::bench {

class WebSocketClient {
 public:
  enum class State : std::uint8_t { kUpgrading, kOpen, kClosing, kEnded };
  using OnText = std::function<void(std::string_view)>;

  /// Starts to connect to `server`, path /v1, from the address `source` of this machine.
  WebSocketClient(const sockaddr_in& server, in_addr source);

  [[nodiscard]] int fd() const { return socket_.get(); }
  [[nodiscard]] State state() const { return state_; }
  /// Why it ended; empty while it has not, and when both sides had agreed to close.
  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] std::uint64_t octets_received() const { return received_; }

  /// The socket is ready (edge-triggered): writes and reads what is possible, by way of `buffer`.
  /// `on_text` is called for each text frame and may send and close. `ending`: the other side will
  /// send no more, so there is an end to be read.
  void pump(std::span<char> buffer, bool ending, const OnText& on_text);
  /// Queues one text frame; `flush` or the next `pump` writes it.
  void send_text(std::string_view text);
  /// Starts the closing handshake; the server is expected to end the connection.
  void close();
  void flush();

 private:
  void queue_frame(std::uint8_t opcode, std::string_view payload);
  /// Both take from the front of `octets`, and return false when more of them are needed.
  bool take_response(std::string_view& octets);
  bool take_frame(std::string_view& octets, const OnText& on_text);
  void consume(std::string_view octets, const OnText& on_text);
  void ended();
  void fail(std::string why);

  adapters::UniqueFd socket_;
  State state_ = State::kUpgrading;
  std::string error_;
  std::string output_;
  std::string partial_;  ///< the beginning of a frame
  std::uint64_t received_ = 0;
  std::uint32_t mask_ = 2463534242;
};

}  // namespace peersock::bench
