// One TCP connection that carries checks and datagrams in frames (RFC 4571), as ICE-TCP has it.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include <glib.h>

#include "adapters/fd_watch.hpp"
#include "adapters/socket_address.hpp"
#include "adapters/unique_fd.hpp"
#include "core/bytes.hpp"
#include "quic/datagram.hpp"
#include "wire/tcp_frame.hpp"

namespace peersock::adapters {

class TcpConnection {
 public:
  /// Takes a connected socket. `ready` runs from `context`, which outlives the connection, and may
  /// destroy it. Everything is read from the beginning; room to write is told of after kWouldBlock.
  TcpConnection(GMainContext* context, UniqueFd fd, ReadyHandler ready);
  /// Begins to connect; null when the system refuses at once. `ready` then tells of room to write.
  [[nodiscard]] static std::unique_ptr<TcpConnection> connect(GMainContext* context,
                                                              const SocketAddress& remote,
                                                              ReadyHandler ready);
  /// What was sent still arrives, as far as the system has taken it.
  ~TcpConnection();
  TcpConnection(const TcpConnection&) = delete;
  TcpConnection& operator=(const TcpConnection&) = delete;
  TcpConnection(TcpConnection&&) = delete;
  TcpConnection& operator=(TcpConnection&&) = delete;

  /// Of one that connects, when it is ready: whether it is there now.
  [[nodiscard]] bool conclude();

  enum class State : std::uint8_t {
    kSome,     ///< there is something; there may be more
    kNothing,  ///< nothing now
    kOver,     ///< the peer has ended it, or it broke
  };
  /// One read; then `next` has the frames.
  [[nodiscard]] State read();
  /// Valid until `read`.
  [[nodiscard]] std::optional<ByteView> next() { return reader_.next(); }
  /// What comes is no frame of ours.
  [[nodiscard]] bool broken() const { return reader_.broken(); }

  /// All or nothing; what the system does not take of a train waits here, and counts as sent.
  [[nodiscard]] quic::SendOutcome send(const quic::DatagramTrain& train);
  /// One frame beside the trains; false when too many wait already.
  bool send_frame(ByteView content);
  /// When there is room to write: true when nothing waits any more.
  bool flush();

  [[nodiscard]] SocketAddress local() const { return bound_address(fd_.get()); }

 private:
  /// Of frames that wait for room; a train has less.
  static constexpr std::size_t kMaxWaiting = std::size_t{128} * 1024;

  UniqueFd fd_;
  FdWatch watch_;
  wire::TcpFrameReader reader_;
  Bytes waiting_;
  std::size_t sent_ = 0;  ///< of what waits
  bool failed_ = false;
};

/// Accepted or not, a socket of ours: it does not wait to fill packets, and keeps little that has
/// not left yet, so that QUIC sees early when it is too fast.
void set_datagram_options(int fd);

}  // namespace peersock::adapters
