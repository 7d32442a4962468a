// For tests of what Linux does with UDP sockets beyond sending and receiving, whose bodies run on
// both: on a simulated host, and on loopback of the system that runs the test.
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <optional>
#include <ostream>
#include <vector>

#include <gmock/gmock.h>
#include <linux/filter.h>
#include <netinet/udp.h>
#include <poll.h>

#include "adapters/socket_address.hpp"
#include "sim_hosts.hpp"

namespace peersock::testing {
using Octets = std::vector<std::uint8_t>;

struct Where {
  bool simulated;
  const char* address;

  friend std::ostream& operator<<(std::ostream& out, const Where& where) {
    return out << (where.simulated ? "simulated " : "real ") << where.address;
  }
};

struct Message {
  Octets octets;
  int flags = 0;
  std::size_t control_size = 0;
  std::optional<int> segment;
  std::optional<int> traffic_class;
  std::optional<int> hop_limit;
};

/// As sock_filter has it: a program that always answers `place`.
inline std::array<sock_filter, 1> always(std::uint32_t place) {
  return {sock_filter{BPF_RET | BPF_K, 0, 0, place}};
}

inline Octets counted(std::size_t size, std::uint8_t first = 0x40) {
  Octets octets;
  while (octets.size() < size) octets.push_back(first++);
  return octets;
}

class UdpSemantics : public SimHosts, public ::testing::WithParamInterface<Where> {
 protected:
  /// On the simulated host, or on this machine.
  void on(const std::function<void()>& call) {
    if (!GetParam().simulated) return call();
    third.run(call);
    pass(1ms);
  }
  [[nodiscard]] int domain() const { return is_ipv6() ? AF_INET6 : AF_INET; }
  [[nodiscard]] bool is_ipv6() const { return GetParam().address[0] == ':'; }
  [[nodiscard]] int ip(int ipv4, int ipv6) const { return is_ipv6() ? ipv6 : ipv4; }
  [[nodiscard]] int ip_level() const { return ip(IPPROTO_IP, IPPROTO_IPV6); }

  [[nodiscard]] UniqueFd open() {
    UniqueFd fd;
    on([&] { fd = UniqueFd(socket(domain(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)); });
    EXPECT_TRUE(fd);
    return fd;
  }
  struct Name {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    [[nodiscard]] const sockaddr* get() const {
      return reinterpret_cast<const sockaddr*>(&storage);
    }
  };
  [[nodiscard]] static Name any_port_of(const char* address) {
    Name name;
    sim::to_sockaddr(sim::socket_name(address, 0).value(),
                     reinterpret_cast<sockaddr*>(&name.storage), &name.size);
    return name;
  }
  [[nodiscard]] static bool same(const Name& a, const Name& b) {
    return a.size == b.size && std::memcmp(&a.storage, &b.storage, a.size) == 0;
  }
  [[nodiscard]] static Name name_of(const UniqueFd& fd) {
    Name name;
    EXPECT_EQ(getsockname(fd.get(), reinterpret_cast<sockaddr*>(&name.storage), &name.size), 0);
    return name;
  }
  /// Zero, or what went wrong.
  [[nodiscard]] int bind_to(const UniqueFd& fd, const Name& name) {
    int result = 0;
    on([&] { result = bind(fd.get(), name.get(), name.size) == 0 ? 0 : errno; });
    return result;
  }
  [[nodiscard]] int set(const UniqueFd& fd, int level, int option, int value) {
    int result = 0;
    on([&] {
      result = setsockopt(fd.get(), level, option, &value, sizeof value) == 0 ? 0 : errno;
    });
    return result;
  }
  [[nodiscard]] static int get(const UniqueFd& fd, int level, int option) {
    int value = -1;
    socklen_t size = sizeof value;
    EXPECT_EQ(getsockopt(fd.get(), level, option, &value, &size), 0);
    EXPECT_EQ(size, sizeof value);
    return value;
  }
  template <typename Program>
  [[nodiscard]] int attach(const UniqueFd& fd, Program program) {
    const sock_fprog view{static_cast<unsigned short>(program.size()), program.data()};
    int result = 0;
    on([&] {
      result = setsockopt(fd.get(), SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &view, sizeof view) == 0
                   ? 0
                   : errno;
    });
    return result;
  }
  /// Bound to a port of the system's choice.
  [[nodiscard]] UniqueFd bound() {
    UniqueFd fd = open();
    EXPECT_EQ(bind_to(fd, any_port_of(GetParam().address)), 0);
    return fd;
  }
  /// So many sockets of one group, in the order in which they were bound.
  [[nodiscard]] std::vector<UniqueFd> group(std::size_t count) {
    std::vector<UniqueFd> all;
    for (std::size_t i = 0; i < count; ++i) {
      all.push_back(open());
      EXPECT_EQ(set(all.back(), SOL_SOCKET, SO_REUSEPORT, 1), 0);
      EXPECT_EQ(
          bind_to(all.back(), i == 0 ? any_port_of(GetParam().address) : name_of(all.front())), 0);
    }
    return all;
  }

  /// As adapters want it.
  [[nodiscard]] static adapters::SocketAddress split_address(const UniqueFd& fd) {
    adapters::SocketAddress address;
    const Name name = name_of(fd);
    address.storage = name.storage;
    address.size = name.size;
    return address;
  }

  struct Control {
    int level;
    int type;
    Octets value;
  };
  template <typename T>
  [[nodiscard]] static Octets as_octets(T value) {
    Octets octets(sizeof value);
    std::memcpy(octets.data(), &value, sizeof value);
    return octets;
  }
  [[nodiscard]] static Control segments_of(std::uint16_t size) {
    return {IPPROTO_UDP, UDP_SEGMENT, as_octets(size)};
  }
  /// Zero, or what went wrong.
  [[nodiscard]] int send(const UniqueFd& from, const Name& to, const Octets& octets,
                         const std::vector<Control>& controls = {}) {
    Name name = to;
    iovec vector{const_cast<std::uint8_t*>(octets.data()), octets.size()};
    alignas(cmsghdr) std::array<std::uint8_t, 256> space{};
    msghdr message{};
    message.msg_name = &name.storage;
    message.msg_namelen = name.size;
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    for (const Control& control : controls) {
      auto* header = reinterpret_cast<cmsghdr*>(space.data() + message.msg_controllen);
      header->cmsg_level = control.level;
      header->cmsg_type = control.type;
      header->cmsg_len = CMSG_LEN(control.value.size());
      std::memcpy(CMSG_DATA(header), control.value.data(), control.value.size());
      message.msg_controllen += CMSG_SPACE(control.value.size());
      message.msg_control = space.data();
    }
    int result = 0;
    on([&] {
      const ssize_t sent = sendmsg(from.get(), &message, MSG_DONTWAIT);
      result = sent < 0 ? errno : 0;
      EXPECT_TRUE(sent < 0 || sent == static_cast<ssize_t>(octets.size()));
    });
    return result;
  }
  /// All that has come, a message each, into so much room.
  [[nodiscard]] static std::vector<Message> receive(const UniqueFd& fd, std::size_t room = 65536,
                                                    std::size_t control_room = 256) {
    std::vector<Message> all;
    for (;;) {
      Message got;
      got.octets.resize(room);
      iovec vector{got.octets.data(), room};
      alignas(cmsghdr) std::array<std::uint8_t, 256> control{};
      msghdr message{};
      message.msg_iov = &vector;
      message.msg_iovlen = 1;
      message.msg_control = control.data();
      message.msg_controllen = control_room;
      const ssize_t size = recvmsg(fd.get(), &message, MSG_DONTWAIT);
      if (size < 0) return all;
      got.octets.resize(static_cast<std::size_t>(size));
      got.flags = message.msg_flags;
      got.control_size = message.msg_controllen;
      for (cmsghdr* at = CMSG_FIRSTHDR(&message); at != nullptr; at = CMSG_NXTHDR(&message, at)) {
        note(*at, got);
      }
      all.push_back(std::move(got));
    }
  }
  static void note(const cmsghdr& header, Message& into) {
    int number = 0;
    const std::size_t size = header.cmsg_len - CMSG_LEN(0);
    std::memcpy(&number, CMSG_DATA(&header), std::min(size, sizeof number));
    if (header.cmsg_level == IPPROTO_UDP && header.cmsg_type == UDP_GRO) into.segment = number;
    if (header.cmsg_level == IPPROTO_IP && header.cmsg_type == IP_TTL) into.hop_limit = number;
    if (header.cmsg_level == IPPROTO_IPV6 && header.cmsg_type == IPV6_HOPLIMIT) {
      into.hop_limit = number;
    }
    if (header.cmsg_level == IPPROTO_IP && header.cmsg_type == IP_TOS) {
      EXPECT_EQ(size, 1U) << "the type of service is an octet";
      into.traffic_class = number;
    }
    if (header.cmsg_level == IPPROTO_IPV6 && header.cmsg_type == IPV6_TCLASS) {
      EXPECT_EQ(size, sizeof(int)) << "the traffic class is an int";
      into.traffic_class = number;
    }
  }
  [[nodiscard]] static std::vector<std::size_t> sizes(const std::vector<Message>& messages) {
    std::vector<std::size_t> all;
    all.reserve(messages.size());
    for (const Message& one : messages) all.push_back(one.octets.size());
    return all;
  }
};

/// Not every machine has IPv6.
inline std::vector<Where> places() {
  std::vector<Where> all = {{true, "127.0.0.1"}, {true, "::1"}, {false, "127.0.0.1"}};
  const UniqueFd fd(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 name{};
  name.sin6_family = AF_INET6;
  name.sin6_addr = in6addr_loopback;
  if (fd && bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0) {
    all.push_back({false, "::1"});
  }
  return all;
}

inline std::string name_of_place(const ::testing::TestParamInfo<Where>& tested) {
  const Where& where = tested.param;
  return std::string(where.simulated ? "simulated" : "real") +
         (where.address[0] == ':' ? "Ipv6" : "Ipv4");
}

}  // namespace peersock::testing
