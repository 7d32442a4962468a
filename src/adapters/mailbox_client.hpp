// One connection of the embedded rendezvous server: its socket, how far it has come, and what still
// has to be sent. Small while it is idle, because most clients wait for somebody.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "adapters/byte_socket.hpp"
#include "adapters/client_address.hpp"
#include "adapters/mailbox_facts.hpp"
#include "core/time.hpp"
#include "wire/websocket.hpp"
#include "wormhole/server.hpp"

namespace peersock::adapters {

/// Waits for the end of the request's head.
struct ClientAsking {
  std::string head;
};
/// Speaks WebSocket.
struct ClientOpen {
  wire::WebSocketReader reader;
  Instant pinged;
};
/// Has been told everything; what it still sends is thrown away until it closes too.
struct ClientLeaving {
  Instant since;
  bool finished = false;  ///< our direction has ended
};

class MailboxClient {
 public:
  using Id = wormhole::ConnectionId;

  MailboxClient(Id name, ClientOrigin from, ByteSocket connection, Instant now)
      : id(name),
        origin(std::move(from)),
        since(now),
        last_heard(now),
        socket_(std::move(connection)) {}

  /// Octets that arrived, in `scratch`; counted. Empty, and maybe `over`, when there are none.
  [[nodiscard]] std::string_view read(std::span<char> scratch);

  /// Puts octets or a frame into the queue. Says by how many octets it grew.
  std::size_t queue(std::string_view octets) {
    out_ += octets;
    return octets.size();
  }
  std::size_t queue_frame(wire::WebSocketOpcode opcode, std::string_view payload) {
    const std::size_t before = out_.size();
    wire::append_websocket_frame(out_, opcode, payload);
    return out_.size() - before;
  }
  /// Nothing more is said; what is in the queue still goes out, then our direction ends.
  void leave(Instant now) { phase = ClientLeaving{now}; }
  /// Gives the system what it takes, unless it wants no more for now. Says the octets.
  std::size_t flush();
  /// The system wants more again.
  void unblock() { blocked_ = false; }
  /// Octets in the queue.
  [[nodiscard]] std::size_t backlog() const { return out_.size() - sent_; }
  /// Waits for the system to take more, or a TLS read does.
  [[nodiscard]] bool wants_write() const { return blocked_ || socket_.reading_wants_write(); }
  /// Cuts the connection, for `why` unless it is ending for another reason. The queue is lost.
  void cut(ClientEnd why);

  [[nodiscard]] bool is_open() const { return std::holds_alternative<ClientOpen>(phase); }
  [[nodiscard]] bool is_leaving() const { return std::holds_alternative<ClientLeaving>(phase); }
  [[nodiscard]] int fd() const { return socket_.fd(); }

  const Id id;
  ClientOrigin origin;
  std::variant<ClientAsking, ClientOpen, ClientLeaving> phase;
  Instant since;
  Instant last_heard;
  std::uint64_t received = 0;  ///< octets
  std::uint64_t written = 0;   ///< octets that the system has taken
  /// Reading beyond this is a flood.
  std::uint64_t receive_limit = 0;
  ClientEnd end = ClientEnd::kClosed;
  bool joined = false;         ///< it spoke WebSocket
  bool known = false;          ///< the machine counts on it
  bool over = false;           ///< to be forgotten at the end of the turn
  bool noted = false;          ///< in the list of those that the end of the turn looks at
  bool watches_write = false;  ///< as the EpollSet was told

 private:
  ByteSocket socket_;
  std::string out_;
  std::size_t sent_ = 0;  ///< of out_
  bool blocked_ = false;
};

}  // namespace peersock::adapters
