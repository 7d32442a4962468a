// Datagrams of one UDP socket, in batches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "adapters/socket_address.hpp"
#include "adapters/unique_fd.hpp"
#include "core/bytes.hpp"
#include "quic/datagram.hpp"
#include "wire/stun.hpp"

namespace peersock::adapters {

/// Bound to any IPv4 address and a port of the system's choice, non-blocking, never fragmenting;
/// errno tells why there is none.
[[nodiscard]] UniqueFd open_datagram_socket();

/// The numeric form of an IPv4 or IPv6 socket address.
[[nodiscard]] std::optional<wire::StunAddress> numeric_endpoint(const SocketAddress& address);

/// Sends a train with one sendmsg(2), by UDP_SEGMENT if it has several datagrams, and its ECN code
/// point with it. On kError and kTooBig errno tells more.
[[nodiscard]] quic::SendOutcome send_train(int fd, const SocketAddress& remote,
                                           const quic::DatagramTrain& train);

/// Reads many datagrams with one system call; one reader serves any number of sockets.
class DatagramReader {
 public:
  DatagramReader();
  ~DatagramReader();
  DatagramReader(const DatagramReader&) = delete;
  DatagramReader& operator=(const DatagramReader&) = delete;
  DatagramReader(DatagramReader&&) = delete;
  DatagramReader& operator=(DatagramReader&&) = delete;

  using Handler = std::function<void(ByteView datagram, const SocketAddress& from)>;
  /// Once; the view is valid during the call of the handler only. Longer datagrams than QUIC's
  /// are left out. Returns how many there were, 0 when the socket is drained.
  std::size_t read(int fd, const Handler& handler);

 private:
  struct Room;
  std::unique_ptr<Room> room_;
};

/// Sends trains to one address, with segmentation by the kernel (udp(7), UDP_SEGMENT) as long as
/// the system has that.
class DatagramSender {
 public:
  DatagramSender(int fd, const SocketAddress& remote) : fd_(fd), remote_(remote) {}

  [[nodiscard]] quic::SendOutcome send(const quic::DatagramTrain& train);

 private:
  int fd_;
  SocketAddress remote_;
  bool segments_ = true;
};

}  // namespace peersock::adapters
