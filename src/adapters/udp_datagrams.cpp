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

quic::SendOutcome DatagramSender::send(const quic::DatagramTrain& train) {
  const bool many = train.segment != 0 && train.segment < train.bytes.size();
  if (!many) return send_one(train.bytes, 0, train.ecn);
  if (segments_) {
    const auto outcome = send_one(train.bytes, train.segment, train.ecn);
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
    outcome = send_one(datagram, 0, train.ecn);
    began = began || outcome == quic::SendOutcome::kSent;
  });
  // What the system did not take of a train that it began counts as lost on the way.
  return began ? quic::SendOutcome::kSent : outcome;
}

quic::SendOutcome DatagramSender::send_one(ByteView bytes, std::size_t segment, quic::Ecn ecn) {
  iovec vector{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};  // not written to
  alignas(cmsghdr)
      std::array<std::uint8_t, CMSG_SPACE(sizeof(std::uint16_t)) + CMSG_SPACE(sizeof(int))>
          control{};
  msghdr message{};
  message.msg_name = &remote_.storage;
  message.msg_namelen = remote_.size;
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  const auto add = [&]<typename T>(int level, int type, T value) {
    auto* header = reinterpret_cast<cmsghdr*>(control.data() + message.msg_controllen);
    *header = {CMSG_LEN(sizeof value), level, type};
    std::memcpy(CMSG_DATA(header), &value, sizeof value);
    message.msg_controllen += CMSG_SPACE(sizeof value);
  };
  if (segment != 0) add(IPPROTO_UDP, UDP_SEGMENT, static_cast<std::uint16_t>(segment));
  if (ecn != quic::Ecn::kNotEct) add(IPPROTO_IP, IP_TOS, static_cast<int>(ecn));
  ssize_t sent = 0;
  do {
    sent = sendmsg(fd_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0) return quic::SendOutcome::kSent;
  if (errno == EAGAIN || errno == EWOULDBLOCK) return quic::SendOutcome::kWouldBlock;
  return errno == EMSGSIZE ? quic::SendOutcome::kTooBig : quic::SendOutcome::kError;
}

}  // namespace peersock::adapters
