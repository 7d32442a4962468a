// The fast datagram path: a socket of our own beside the one that libnice uses for a direct pair,
// bound to the same address and port.
//
// A classic BPF program of the kernel (SO_ATTACH_REUSEPORT_CBPF, socket(7)) gives this socket the
// QUIC datagrams of the selected peer and leaves everything else to libnice: STUN, which begins
// with two zero bits (RFC 7983 section 7), and whatever comes from elsewhere, such as the
// ChannelData messages of a TURN server, which look like QUIC. Trains are sent with UDP_SEGMENT and
// read with UDP_GRO (udp(7)), so that a system call carries up to 64 datagrams.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include <gio/gio.h>

#include "adapters/glib_ptr.hpp"
#include "adapters/socket_address.hpp"
#include "adapters/unique_fd.hpp"
#include "core/time.hpp"
#include "quic/datagram.hpp"

namespace peersock::adapters {

/// What QUIC is sent with, as the time to live (IPv4) or hop limit (IPv6). libnice's datagrams keep
/// the system's 64, and packets that differ in it are never coalesced by GRO: a STUN message at the
/// end of a train of QUIC would not reach libnice.
inline constexpr int kSplitHopLimit = 63;
/// Of the socket's buffers, as far as the system allows it.
inline constexpr int kSplitBuffer = 4 * 1024 * 1024;

/// QUIC comes to our socket for so long, and not to libnice, before what arrives together is given
/// to libnice as one message, too. What is under way on the path before may arrive late.
inline constexpr Duration kSplitPatience = std::chrono::milliseconds(250);

class SplitUdpPath final : public quic::DatagramPath {
 public:
  /// `socket` is libnice's, bound, for UDP. Null when the system refuses any of what is needed; the
  /// socket is then as good as before. Options that only help are not needed.
  [[nodiscard]] static std::unique_ptr<SplitUdpPath> open(GObjectPtr<GSocket> socket,
                                                          const SocketAddress& remote,
                                                          Duration patience = kSplitPatience);
  ~SplitUdpPath() override;
  SplitUdpPath(const SplitUdpPath&) = delete;
  SplitUdpPath& operator=(const SplitUdpPath&) = delete;
  SplitUdpPath(SplitUdpPath&&) = delete;
  SplitUdpPath& operator=(SplitUdpPath&&) = delete;

  /// The pair has changed and the local socket has not. False when the system refuses.
  [[nodiscard]] bool retarget(const SocketAddress& remote);
  [[nodiscard]] bool shares(const GSocket* socket) const { return socket_.get() == socket; }
  [[nodiscard]] const SocketAddress& remote() const { return remote_; }

  /// At most 64 datagrams and 65,507 octets. kTooBig when they do not fit the link or what is known
  /// of the path: datagrams are never fragmented.
  quic::SendOutcome send_batch(const quic::DatagramTrain& train) override;
  std::size_t receive_batch(const quic::TrainsHandler& handler, std::size_t budget) override;
  [[nodiscard]] int fd() const override { return own_.get(); }

  /// The peer, or its relay, still sends another way: until QUIC comes to our socket again, libnice
  /// gets each datagram by itself.
  void quic_came_to_libnice();

  /// The system has no segmentation on this route: nothing of more than one datagram can be sent.
  [[nodiscard]] bool broken() const { return broken_; }

 private:
  struct Receiver;

  SplitUdpPath(GObjectPtr<GSocket> socket, const SocketAddress& local, const SocketAddress& remote,
               Duration patience);
  [[nodiscard]] bool set_up();
  [[nodiscard]] bool set_up_own();
  [[nodiscard]] bool attach_filter();
  /// UDP_GRO on libnice's socket. Where packets are coalesced the kernel does not ask the filter
  /// but picks one of the two sockets by a hash, and coalesces only if that one wants it. But then
  /// libnice, too, gets what arrives together as one message, and can read none of it: so only
  /// while QUIC comes to our socket.
  void coalesce_for_libnice(bool on);
  void note_quic();

  GObjectPtr<GSocket> socket_;
  SocketAddress local_;
  SocketAddress remote_;
  UniqueFd own_;
  std::unique_ptr<Receiver> receiver_;
  Duration patience_;
  std::optional<Instant> alone_since_;  ///< since when QUIC has come to our socket only
  bool coalesces_ = false;
  bool broken_ = false;
};

}  // namespace peersock::adapters
