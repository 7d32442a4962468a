#include "raw_device.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace peersock::testbed {

void fail(const std::string& sentence) {
  if (std::fprintf(stderr, "%s\n", sentence.c_str()) < 0) std::abort();
  std::exit(1);
}

RawDevice::RawDevice(const std::string& name)
    : descriptor_(::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL))) {
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  sockaddr_ll here{};
  here.sll_family = AF_PACKET;
  here.sll_protocol = htons(ETH_P_ALL);
  here.sll_ifindex = static_cast<int>(::if_nametoindex(name.c_str()));
  const int on = 1;
  const int buffer = 4 << 20;
  if (descriptor_ < 0 || here.sll_ifindex == 0 ||
      ::setsockopt(descriptor_, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) != 0 ||
      ::bind(descriptor_, reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0 ||
      ::ioctl(descriptor_, SIOCGIFHWADDR, &request) != 0) {
    fail("cannot use the device " + name + ": " + std::strerror(errno));
  }
  // More than the usual limit where we may; what we get is enough otherwise.
  if (::setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) != 0) {
    static_cast<void>(::setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer));
  }
  std::copy_n(request.ifr_hwaddr.sa_data, address_.size(), address_.begin());
  if (::ioctl(descriptor_, SIOCGIFMTU, &request) != 0) {
    fail("the device " + name + " has no MTU: " + std::strerror(errno));
  }
  mtu_ = static_cast<std::uint16_t>(request.ifr_mtu);
}

RawDevice::~RawDevice() {
  static_cast<void>(::close(descriptor_));
}

std::span<std::uint8_t> RawDevice::receive(std::span<std::uint8_t> buffer) const {
  const auto length = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
  return length <= 0 ? std::span<std::uint8_t>() : buffer.first(static_cast<std::size_t>(length));
}

void RawDevice::send(std::span<const std::uint8_t> frame) const {
  static_cast<void>(::send(descriptor_, frame.data(), frame.size(), 0));
}

void RawDevice::send(std::span<const std::vector<std::uint8_t>> frames) const {
  constexpr std::size_t most = 64;
  std::array<iovec, most> parts{};
  std::array<mmsghdr, most> messages{};
  while (!frames.empty()) {
    const auto count = std::min(frames.size(), most);
    for (std::size_t n = 0; n < count; ++n) {
      // sendmmsg only reads what it is given.
      parts[n] = {const_cast<std::uint8_t*>(frames[n].data()), frames[n].size()};
      messages[n].msg_hdr.msg_iov = &parts[n];
      messages[n].msg_hdr.msg_iovlen = 1;
    }
    const auto sent = ::sendmmsg(descriptor_, messages.data(), static_cast<unsigned>(count), 0);
    // It stops at a frame that the device does not take; the others go on.
    frames = frames.subspan(sent > 0 ? static_cast<std::size_t>(sent) : 1);
  }
}

Time monotonic_now() {
  return std::chrono::duration_cast<Time>(std::chrono::steady_clock::now().time_since_epoch());
}

std::map<std::string, std::string> options(int count, char** values) {
  std::map<std::string, std::string> found;
  for (int index = 1; index + 1 < count; index += 2) {
    const std::string name = values[index];
    if (!name.starts_with("--")) fail("what is " + name + "?");
    found[name.substr(2)] = values[index + 1];
  }
  if (count % 2 == 0) fail("every option has a value");
  return found;
}

}  // namespace peersock::testbed
