#include "adapters/split_udp_path.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "adapters/clock.hpp"
#include "adapters/split_filter.hpp"
#include "adapters/udp_datagrams.hpp"

namespace peersock::adapters {
namespace {

/// Coalesced reads of one system call, up to 256 KiB. What a few octets for another connection wait
/// for is that all that was read with them is decrypted and delivered, and the peer, which may send
/// no more until then, for the acknowledgement.
constexpr std::size_t kReads = 4;
constexpr std::size_t kReadSize = 65'536;
/// A number of the size of a C int, with its header, for each of the two things that are told.
constexpr std::size_t kControlSize = 2 * CMSG_SPACE(sizeof(int));

bool set(int fd, int level, int option, int value) {
  return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

bool is_v6(const SocketAddress& address) {
  return address.family() == AF_INET6;
}

/// Whether two sockets may share a port also depends on this.
bool copy_v6_only(int from, int to) {
  int value = 0;
  socklen_t size = sizeof value;
  return getsockopt(from, IPPROTO_IPV6, IPV6_V6ONLY, &value, &size) == 0 &&
         set(to, IPPROTO_IPV6, IPV6_V6ONLY, value);
}

void enlarge_buffers(int fd) {
  // The first one of each pair is for those with CAP_NET_ADMIN only, the second has a limit
  // (net.core.rmem_max and wmem_max).
  if (!set(fd, SOL_SOCKET, SO_RCVBUFFORCE, kSplitBuffer)) {
    static_cast<void>(set(fd, SOL_SOCKET, SO_RCVBUF, kSplitBuffer));
  }
  if (!set(fd, SOL_SOCKET, SO_SNDBUFFORCE, kSplitBuffer)) {
    static_cast<void>(set(fd, SOL_SOCKET, SO_SNDBUF, kSplitBuffer));
  }
}

/// What the system told about what one read gave.
void note_control(msghdr& message, quic::DatagramTrain& train) {
  constexpr std::uint8_t kEcnBits = 0x03;
  for (cmsghdr* at = CMSG_FIRSTHDR(&message); at != nullptr; at = CMSG_NXTHDR(&message, at)) {
    if (at->cmsg_level == IPPROTO_UDP && at->cmsg_type == UDP_GRO) {
      int segment = 0;
      std::memcpy(&segment, CMSG_DATA(at), sizeof segment);
      if (segment > 0) train.segment = static_cast<std::size_t>(segment);
    } else if (at->cmsg_level == IPPROTO_IP && at->cmsg_type == IP_TOS) {
      train.ecn = static_cast<quic::Ecn>(*CMSG_DATA(at) & kEcnBits);
    } else if (at->cmsg_level == IPPROTO_IPV6 && at->cmsg_type == IPV6_TCLASS) {
      int traffic_class = 0;
      std::memcpy(&traffic_class, CMSG_DATA(at), sizeof traffic_class);
      train.ecn = static_cast<quic::Ecn>(traffic_class & kEcnBits);
    }
  }
}

}  // namespace

/// Room for what one recvmmsg(2) gives. Pages that are never written to cost nothing.
struct SplitUdpPath::Receiver {
  std::unique_ptr<std::uint8_t[]> octets{new std::uint8_t[kReads * kReadSize]};
  std::array<mmsghdr, kReads> messages{};
  std::array<iovec, kReads> vectors{};
  struct alignas(cmsghdr) Control {
    std::array<std::uint8_t, kControlSize> octets;
  };
  std::array<Control, kReads> controls{};
  std::vector<quic::DatagramTrain> trains;

  void prepare() {
    for (std::size_t i = 0; i < kReads; ++i) {
      vectors[i] = {octets.get() + i * kReadSize, kReadSize};
      messages[i] = {};
      messages[i].msg_hdr.msg_iov = &vectors[i];
      messages[i].msg_hdr.msg_iovlen = 1;
      messages[i].msg_hdr.msg_control = controls[i].octets.data();
      messages[i].msg_hdr.msg_controllen = kControlSize;
    }
  }

  /// Reads once; returns how many datagrams there were.
  std::size_t read(int fd) {
    prepare();
    trains.clear();
    const int count = recvmmsg(fd, messages.data(), kReads, MSG_DONTWAIT, /*timeout=*/nullptr);
    std::size_t datagrams = 0;
    for (std::size_t i = 0; count > 0 && i < static_cast<std::size_t>(count); ++i) {
      const std::size_t size = messages[i].msg_len;
      if (size == 0) continue;
      quic::DatagramTrain train{{octets.get() + i * kReadSize, size}, size};
      note_control(messages[i].msg_hdr, train);
      datagrams += (size + train.segment - 1) / train.segment;
      trains.push_back(train);
    }
    return datagrams;
  }
};

SplitUdpPath::SplitUdpPath(GObjectPtr<GSocket> socket, const SocketAddress& local,
                           const SocketAddress& remote, Duration patience)
    : socket_(std::move(socket)),
      local_(local),
      remote_(remote),
      receiver_(std::make_unique<Receiver>()),
      patience_(patience) {}

SplitUdpPath::~SplitUdpPath() {
  // From now on QUIC comes to libnice.
  coalesce_for_libnice(false);
}

std::unique_ptr<SplitUdpPath> SplitUdpPath::open(GObjectPtr<GSocket> socket,
                                                 const SocketAddress& remote, Duration patience) {
  if (!socket || g_socket_is_closed(socket.get())) return nullptr;
  const SocketAddress local = bound_address(g_socket_get_fd(socket.get()));
  if (local.family() != remote.family()) return nullptr;
  if (local.family() != AF_INET && local.family() != AF_INET6) return nullptr;
  std::unique_ptr<SplitUdpPath> self(new SplitUdpPath(std::move(socket), local, remote, patience));
  if (!self->set_up()) return nullptr;
  return self;
}

bool SplitUdpPath::set_up() {
  const int nice = g_socket_get_fd(socket_.get());
  if (!set(nice, SOL_SOCKET, SO_REUSEPORT, 1)) return false;
  // The second socket to be bound has the second place in the filter's eyes. It is never connected,
  // which would take it out of the group.
  if (!set_up_own() || bind(own_.get(), local_.get(), local_.size) != 0 || !attach_filter()) {
    own_.reset();
    static_cast<void>(set(nice, SOL_SOCKET, SO_REUSEPORT, 0));
    return false;
  }
  enlarge_buffers(own_.get());
  return true;
}

bool SplitUdpPath::set_up_own() {
  const int nice = g_socket_get_fd(socket_.get());
  own_ = UniqueFd(socket(local_.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int fd = own_.get();
  // No segment size for the socket, only to see whether the system knows of it.
  if (!own_ || !set(fd, SOL_SOCKET, SO_REUSEPORT, 1) || !set(fd, IPPROTO_UDP, UDP_GRO, 1) ||
      !set(fd, IPPROTO_UDP, UDP_SEGMENT, 0)) {
    return false;
  }
  if (is_v6(local_)) {
    return copy_v6_only(nice, fd) && set(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, kSplitHopLimit) &&
           set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO) &&
           set(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
  }
  return set(fd, IPPROTO_IP, IP_TTL, kSplitHopLimit) &&
         set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO) && set(fd, IPPROTO_IP, IP_RECVTOS, 1);
}

bool SplitUdpPath::attach_filter() {
  std::vector<sock_filter> program = split_filter(remote_);
  const sock_fprog view{static_cast<unsigned short>(program.size()), program.data()};
  return setsockopt(own_.get(), SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &view, sizeof view) == 0;
}

void SplitUdpPath::coalesce_for_libnice(bool on) {
  if (coalesces_ == on || g_socket_is_closed(socket_.get())) return;
  coalesces_ = on;
  // It helps and is not needed; our own socket has shown that the system knows of it.
  static_cast<void>(set(g_socket_get_fd(socket_.get()), IPPROTO_UDP, UDP_GRO, on ? 1 : 0));
}

bool SplitUdpPath::retarget(const SocketAddress& remote) {
  if (remote.family() != local_.family()) return false;
  remote_ = remote;
  return attach_filter();
}

void SplitUdpPath::note_quic() {
  if (coalesces_) return;
  const Instant now = monotonic_now();
  if (!alone_since_) alone_since_ = now;
  if (now - *alone_since_ >= patience_) coalesce_for_libnice(true);
}

void SplitUdpPath::quic_came_to_libnice() {
  alone_since_.reset();
  coalesce_for_libnice(false);
}

quic::SendOutcome SplitUdpPath::send_batch(const quic::DatagramTrain& train) {
  if (broken_) return quic::SendOutcome::kError;
  const auto outcome = send_train(own_.get(), remote_, train);
  if (outcome != quic::SendOutcome::kError || !is_several(train)) return outcome;
  // Before Linux 6.13 segments that do not fit the path are invalid rather than too long.
  if (errno == EINVAL) return quic::SendOutcome::kTooBig;
  // No checksum offload on this route, or IPsec.
  broken_ = errno == EIO || errno == EOPNOTSUPP;
  return outcome;
}

std::size_t SplitUdpPath::receive_batch(const quic::TrainsHandler& handler, std::size_t budget) {
  std::size_t total = 0;
  while (total < budget) {
    const std::size_t datagrams = receiver_->read(own_.get());
    if (datagrams == 0) break;
    total += datagrams;
    note_quic();
    handler(receiver_->trains);
  }
  return total;
}

}  // namespace peersock::adapters
