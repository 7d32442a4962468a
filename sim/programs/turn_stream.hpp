// One client's TCP connection to a TURN server: STUN messages and channel data, one after the other
// (RFC 8656 sections 3.1 and 12.5).
#pragma once

#include <functional>
#include <optional>

#include "adapters/fd_watch.hpp"
#include "adapters/unique_fd.hpp"
#include "programs/stun_message.hpp"

namespace peersock::sim {

/// Octets that the first message of `octets` takes, with its padding; nothing when it is not whole.
[[nodiscard]] std::optional<std::size_t> turn_message_size(OctetView octets);

class TurnStream {
 public:
  struct Callbacks {
    std::function<void(OctetView)> message;
    /// The client has gone; the stream may be destroyed.
    std::function<void()> closed;
  };

  TurnStream(GMainContext* context, adapters::UniqueFd fd, Callbacks callbacks);

  /// A whole message. What does not fit into what waits already is lost, as a datagram would be.
  void send(OctetView message);
  /// When it is destroyed, the client is told at once, and the address is free.
  void reset_at_end();
  [[nodiscard]] const SocketName& peer() const { return peer_; }

 private:
  void step();
  [[nodiscard]] bool read_all();
  [[nodiscard]] bool write_all();

  adapters::UniqueFd fd_;
  Callbacks callbacks_;
  SocketName peer_;
  Octets received_;
  Octets waiting_;  // to be sent
  adapters::FdWatch watch_;
};

}  // namespace peersock::sim
