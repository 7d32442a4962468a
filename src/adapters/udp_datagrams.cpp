#include "adapters/udp_datagrams.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/udp.h>

namespace peersock::adapters {
namespace {

constexpr std::size_t kReads = 32;
/// More than a datagram of QUIC or STUN has on any path that matters (RFC 9000 section 14).
constexpr std::size_t kReadSize = 2048;
constexpr int kBuffer = 4 * 1024 * 1024;

/// What is sent along with a train: the size of its datagrams and their ECN code point.
class SendControl {
 public:
  explicit SendControl(msghdr& message) : message_(message) {
    message_.msg_control = octets_.data();
    message_.msg_controllen = 0;
  }
  template <typename T>
  void add(int level, int type, T value) {
    auto* header = reinterpret_cast<cmsghdr*>(octets_.data() + message_.msg_controllen);
    header->cmsg_level = level;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(sizeof value);
    std::memcpy(CMSG_DATA(header), &value, sizeof value);
    message_.msg_controllen += CMSG_SPACE(sizeof value);
  }

 private:
  /// A number of the size of a C int, with its header, for each of the two.
  static constexpr std::size_t kSize = 2 * CMSG_SPACE(sizeof(int));

  msghdr& message_;
  alignas(cmsghdr) std::array<std::uint8_t, kSize> octets_{};
};

}  // namespace

UniqueFd open_datagram_socket() {
  UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return fd;
  const int discover = IP_PMTUDISC_DO;
  const auto any = numeric_address("0.0.0.0", 0);
  if (setsockopt(fd.get(), IPPROTO_IP, IP_MTU_DISCOVER, &discover, sizeof discover) != 0 || !any ||
      bind(fd.get(), any->get(), any->size) != 0) {
    fd.reset();
    return fd;
  }
  // As far as the system allows; it takes the memory only when there is something to keep.
  static_cast<void>(setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &kBuffer, sizeof kBuffer));
  static_cast<void>(setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUF, &kBuffer, sizeof kBuffer));
  return fd;
}

std::optional<wire::StunAddress> numeric_endpoint(const SocketAddress& address) {
  std::array<char, NI_MAXHOST> host{};
  if (getnameinfo(address.get(), address.size, host.data(), host.size(), nullptr, 0,
                  NI_NUMERICHOST) != 0) {
    return std::nullopt;
  }
  return wire::StunAddress{host.data(), port_of(address)};
}

struct DatagramReader::Room {
  std::array<std::array<std::uint8_t, kReadSize>, kReads> octets;
  std::array<SocketAddress, kReads> senders;
  std::array<mmsghdr, kReads> messages;
  std::array<iovec, kReads> vectors;
};

DatagramReader::DatagramReader() : room_(std::make_unique<Room>()) {}
DatagramReader::~DatagramReader() = default;

std::size_t DatagramReader::read(int fd, const Handler& handler) {
  Room& room = *room_;
  for (std::size_t i = 0; i < kReads; ++i) {
    room.vectors[i] = {room.octets[i].data(), kReadSize};
    room.messages[i] = {};
    room.messages[i].msg_hdr.msg_name = &room.senders[i].storage;
    room.messages[i].msg_hdr.msg_namelen = sizeof room.senders[i].storage;
    room.messages[i].msg_hdr.msg_iov = &room.vectors[i];
    room.messages[i].msg_hdr.msg_iovlen = 1;
  }
  const int count = recvmmsg(fd, room.messages.data(), kReads, MSG_DONTWAIT, nullptr);
  if (count <= 0) return 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    const mmsghdr& message = room.messages[i];
    if ((message.msg_hdr.msg_flags & MSG_TRUNC) != 0) continue;
    room.senders[i].size = message.msg_hdr.msg_namelen;
    handler(ByteView(room.octets[i]).first(message.msg_len), room.senders[i]);
  }
  return static_cast<std::size_t>(count);
}

quic::SendOutcome send_train(int fd, const SocketAddress& remote,
                             const quic::DatagramTrain& train) {
  // Neither is written to.
  iovec vector{const_cast<std::uint8_t*>(train.bytes.data()), train.bytes.size()};
  msghdr message{};
  message.msg_name = const_cast<sockaddr_storage*>(&remote.storage);
  message.msg_namelen = remote.size;
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  SendControl control(message);
  if (is_several(train)) {
    control.add(IPPROTO_UDP, UDP_SEGMENT, static_cast<std::uint16_t>(train.segment));
  }
  if (train.ecn != quic::Ecn::kNotEct) {
    const bool v6 = remote.family() == AF_INET6;
    control.add(v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TCLASS : IP_TOS,
                static_cast<int>(train.ecn));
  }
  ssize_t sent = 0;
  do {
    sent = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0) return quic::SendOutcome::kSent;
  if (errno == EAGAIN || errno == EWOULDBLOCK) return quic::SendOutcome::kWouldBlock;
  return errno == EMSGSIZE ? quic::SendOutcome::kTooBig : quic::SendOutcome::kError;
}

quic::SendOutcome DatagramSender::send(const quic::DatagramTrain& train) {
  if (!is_several(train)) return send_train(fd_, remote_, train);
  if (segments_) {
    const auto outcome = send_train(fd_, remote_, train);
    if (outcome != quic::SendOutcome::kError) return outcome;
    // Before Linux 6.13 segments that do not fit the path are invalid rather than too long.
    if (errno != EINVAL) {
      // No checksum offload on this route, or an old system.
      segments_ = errno != EIO && errno != EOPNOTSUPP && errno != ENOPROTOOPT;
      if (segments_) return outcome;
    }
  }
  bool began = false;
  auto outcome = quic::SendOutcome::kSent;
  quic::for_each_datagram(train, [&](ByteView datagram) {
    if (outcome != quic::SendOutcome::kSent) return;
    outcome = send_train(fd_, remote_, {datagram, datagram.size(), train.ecn});
    began = began || outcome == quic::SendOutcome::kSent;
  });
  // What the system did not take of a train that it began counts as lost on the way.
  return began ? quic::SendOutcome::kSent : outcome;
}

}  // namespace peersock::adapters
