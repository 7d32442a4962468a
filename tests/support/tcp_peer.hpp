// The other end of a TCP connection, octet by octet: a client or a server that can misbehave.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/wakeup.hpp"

namespace peersock::testing {

class TcpPeer {
 public:
  /// Takes the connected socket.
  TcpPeer(GMainContext* context, int fd);
  TcpPeer(const TcpPeer&) = delete;
  TcpPeer& operator=(const TcpPeer&) = delete;
  TcpPeer(TcpPeer&&) = delete;
  TcpPeer& operator=(TcpPeer&&) = delete;
  ~TcpPeer();

  /// To a listener on 127.0.0.1, or on another local address. `receive_buffer` (octets) is the
  /// system's choice when it is 0.
  [[nodiscard]] static std::unique_ptr<TcpPeer> connect(GMainContext* context, std::uint16_t port,
                                                        int receive_buffer = 0);

  /// Queues octets; they leave as fast as the other side takes them.
  void send(std::string_view octets);
  /// Everything queued has left.
  [[nodiscard]] bool flushed() const { return out_.empty(); }
  /// Stops reading, so that the other side's sends pile up.
  void stop_reading();
  /// Ends the sending direction (FIN) after what is queued.
  void finish();
  /// Ends the whole connection at once.
  void reset();

  /// All that was received and not taken.
  [[nodiscard]] std::string& received() { return in_; }
  /// The other side has closed, or reset the connection.
  [[nodiscard]] bool ended() const { return ended_; }
  /// Called after each piece of input and at the end.
  std::function<void()> on_input;

 private:
  void pump();
  void update();

  int fd_;
  std::string in_;
  std::string out_;
  bool reading_ = true;
  bool finishing_ = false;
  bool ended_ = false;
  adapters::Wakeup ready_;
};

/// Accepts connections on a free port of 127.0.0.1.
class TcpListener {
 public:
  TcpListener(GMainContext* context, std::function<void(TcpPeer&)> on_accept);
  TcpListener(const TcpListener&) = delete;
  TcpListener& operator=(const TcpListener&) = delete;
  TcpListener(TcpListener&&) = delete;
  TcpListener& operator=(TcpListener&&) = delete;
  ~TcpListener();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::vector<std::unique_ptr<TcpPeer>>& peers() { return peers_; }

 private:
  GMainContext* context_;
  std::function<void(TcpPeer&)> on_accept_;
  int fd_;
  std::uint16_t port_ = 0;
  std::vector<std::unique_ptr<TcpPeer>> peers_;
  adapters::Wakeup ready_;
};

}  // namespace peersock::testing
