// Keeps every connection but the first away from a QUIC listener: a session has one peer, so a
// second handshake, a flood of Initial packets or another QUIC version is dropped unread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/bytes.hpp"
#include "quic/connection.hpp"

namespace peersock::adapters {

/// Looks at the first packet's long header only (RFC 9000 section 17.2); everything else passes
/// to OpenSSL, which knows its connection IDs.
class InitialGate {
 public:
  explicit InitialGate(quic::Role role) : role_(role) {}

  [[nodiscard]] bool admits(ByteView datagram);
  /// Learns the connection ID that this side chose from what it sends.
  void on_sent(ByteView datagram);
  /// A connection ID that this side gave out: the peer may use it at once.
  void on_issued(ByteView id);
  /// After a datagram was handled: if it made no connection, another may try.
  void on_handled(bool have_connection);
  /// No Initial packet is of use any more.
  void on_handshake_complete() { complete_ = true; }

 private:
  struct ConnectionId {
    std::array<std::uint8_t, 20> octets{};
    std::size_t size = 0;

    friend bool operator==(const ConnectionId&, const ConnectionId&) = default;
  };
  struct LongHeader {
    bool initial = false;
    std::uint32_t version = 0;
    ConnectionId destination;
    ConnectionId source;
  };
  [[nodiscard]] static std::optional<LongHeader> parse(ByteView datagram);

  quic::Role role_;
  bool complete_ = false;
  std::optional<ConnectionId> original_;  ///< the destination that the client invented
  std::vector<ConnectionId> ours_;
};

}  // namespace peersock::adapters
