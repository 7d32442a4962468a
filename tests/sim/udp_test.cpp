// What Linux does with UDP sockets beyond sending and receiving, checked on both: in a simulation
// and, with the same bodies, on loopback of the system that runs the test.
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

#include "adapters/split_filter.hpp"
#include "sim_hosts.hpp"

namespace peersock::testing {
namespace {

using ::testing::AnyOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

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
std::array<sock_filter, 1> always(std::uint32_t place) {
  return {sock_filter{BPF_RET | BPF_K, 0, 0, place}};
}

Octets counted(std::size_t size, std::uint8_t first = 0x40) {
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
    for (const Message& one : messages) all.push_back(one.octets.size());
    return all;
  }
};

// ---- SO_REUSEPORT ----

TEST_P(UdpSemantics, APortIsSharedOnlyWhenAllOfItsSocketsWantIt) {
  const UniqueFd first_one = bound();
  const UniqueFd second_one = open();
  EXPECT_EQ(get(first_one, SOL_SOCKET, SO_REUSEPORT), 0);
  EXPECT_EQ(bind_to(second_one, name_of(first_one)), EADDRINUSE);
  EXPECT_EQ(set(second_one, SOL_SOCKET, SO_REUSEPORT, 1), 0);
  EXPECT_EQ(bind_to(second_one, name_of(first_one)), EADDRINUSE);
  // It may be said of a socket that is bound already.
  EXPECT_EQ(set(first_one, SOL_SOCKET, SO_REUSEPORT, 1), 0);
  EXPECT_EQ(get(first_one, SOL_SOCKET, SO_REUSEPORT), 1);
  EXPECT_EQ(bind_to(second_one, name_of(first_one)), 0);
  EXPECT_TRUE(same(name_of(second_one), name_of(first_one)));
  const UniqueFd third_one = open();
  EXPECT_EQ(bind_to(third_one, name_of(first_one)), EADDRINUSE);
}

TEST_P(UdpSemantics, AFilterPicksBySequenceOfBinding) {
  auto sockets = group(3);
  const UniqueFd sender = bound();
  for (std::uint32_t place = 0; place < 3; ++place) {
    // Of the whole group, whichever socket it was attached to.
    ASSERT_EQ(attach(sockets[2 - place], always(place)), 0);
    ASSERT_EQ(send(sender, name_of(sockets[0]), counted(10)), 0);
    for (std::uint32_t i = 0; i < 3; ++i) {
      EXPECT_EQ(receive(sockets[i]).size(), i == place ? 1U : 0U) << place << " at " << i;
    }
  }
}

TEST_P(UdpSemantics, TheLastOneTakesThePlaceOfOneThatCloses) {
  auto sockets = group(3);
  const UniqueFd sender = bound();
  ASSERT_EQ(attach(sockets[0], always(0)), 0);
  const Name name = name_of(sockets[0]);
  sockets[0].reset();
  ASSERT_EQ(send(sender, name, counted(10)), 0);
  EXPECT_THAT(receive(sockets[1]), IsEmpty());
  EXPECT_EQ(receive(sockets[2]).size(), 1U);
  // And the next one comes behind.
  UniqueFd another = open();
  ASSERT_EQ(set(another, SOL_SOCKET, SO_REUSEPORT, 1), 0);
  ASSERT_EQ(bind_to(another, name), 0);
  ASSERT_EQ(attach(another, always(2)), 0);
  ASSERT_EQ(send(sender, name, counted(10)), 0);
  EXPECT_EQ(receive(another).size(), 1U);
  // A place that nobody has: any of them.
  another.reset();
  ASSERT_EQ(send(sender, name, counted(10)), 0);
  EXPECT_EQ(receive(sockets[1]).size() + receive(sockets[2]).size(), 1U);
}

TEST_P(UdpSemantics, TheFilterOutlivesTheSocketItCameWith) {
  auto sockets = group(2);
  const UniqueFd sender = bound();
  ASSERT_EQ(attach(sockets[1], adapters::split_filter(split_address(sender))), 0);
  sockets[1].reset();
  ASSERT_EQ(send(sender, name_of(sockets[0]), counted(10)), 0);
  EXPECT_EQ(receive(sockets[0]).size(), 1U);
}

TEST_P(UdpSemantics, WithoutAFilterOneSenderHasOneReceiver) {
  const auto sockets = group(4);
  const UniqueFd sender = bound();
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(send(sender, name_of(sockets[0]), counted(10 + static_cast<std::size_t>(i))), 0);
  }
  std::vector<std::size_t> counts;
  for (const UniqueFd& each : sockets) counts.push_back(receive(each).size());
  std::ranges::sort(counts);
  EXPECT_THAT(counts, ElementsAre(0, 0, 0, 5));
  // And many senders have all of them.
  std::vector<std::size_t> of_many(4);
  for (int i = 0; i < 64; ++i) {
    const UniqueFd one = bound();
    ASSERT_EQ(send(one, name_of(sockets[0]), counted(10)), 0);
    for (std::size_t j = 0; j < 4; ++j) of_many[j] += receive(sockets[j]).size();
  }
  EXPECT_THAT(of_many, Each(::testing::Gt(0U)));
}

TEST_P(UdpSemantics, AFilterWantsAGroup) {
  const UniqueFd alone = bound();
  EXPECT_EQ(attach(alone, always(0)), EINVAL);
  // A socket that shares only since it was bound has no group before another one comes.
  ASSERT_EQ(set(alone, SOL_SOCKET, SO_REUSEPORT, 1), 0);
  EXPECT_EQ(attach(alone, always(0)), EINVAL);
  const UniqueFd unbound = open();
  EXPECT_EQ(attach(unbound, always(0)), EINVAL);
  ASSERT_EQ(set(unbound, SOL_SOCKET, SO_REUSEPORT, 1), 0);
  EXPECT_EQ(attach(unbound, always(0)), 0);
  EXPECT_EQ(bind_to(unbound, name_of(alone)), EADDRINUSE) << "it has brought a group";
  const UniqueFd late = open();
  ASSERT_EQ(set(late, SOL_SOCKET, SO_REUSEPORT, 1), 0);
  ASSERT_EQ(bind_to(late, name_of(alone)), 0);
  EXPECT_EQ(attach(alone, always(0)), 0);
}

TEST_P(UdpSemantics, AFilterCanBeTakenAway) {
  const UniqueFd alone = bound();
  EXPECT_EQ(set(alone, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, 0), EINVAL);
  const auto sockets = group(2);
  EXPECT_EQ(set(sockets[0], SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, 0), ENOENT);
  ASSERT_EQ(attach(sockets[0], always(1)), 0);
  EXPECT_EQ(set(sockets[1], SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, 0), 0);
  EXPECT_EQ(set(sockets[1], SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, 0), ENOENT);
}

TEST_P(UdpSemantics, ABadFilterIsRefused) {
  const auto sockets = group(2);
  const sock_filter load{BPF_LD | BPF_B | BPF_ABS, 0, 0, 0};
  const sock_filter answer{BPF_RET | BPF_K, 0, 0, 0};
  const sock_filter far{BPF_JMP | BPF_JEQ | BPF_K, 7, 0, 0};
  EXPECT_EQ(attach(sockets[0], std::vector<sock_filter>{}), EINVAL);
  EXPECT_EQ(attach(sockets[0], std::vector{load}), EINVAL) << "no end";
  EXPECT_EQ(attach(sockets[0], std::vector{load, far, answer}), EINVAL) << "a jump behind the end";
  EXPECT_EQ(attach(sockets[0], std::vector{sock_filter{0xffff, 0, 0, 0}, answer}), EINVAL);
  EXPECT_EQ(attach(sockets[0], std::vector{load, answer}), 0);
}

TEST_P(UdpSemantics, TheSplitFilterTellsQuicFromStun) {
  const auto sockets = group(2);
  const UniqueFd peer = bound();
  const UniqueFd other = bound();
  ASSERT_EQ(attach(sockets[1], adapters::split_filter(split_address(peer))), 0);
  const Name to = name_of(sockets[0]);
  for (const auto& [sender, first_octet, place] :
       {std::tuple(&peer, 0x00, adapters::kNiceSocket),
        std::tuple(&peer, 0x3f, adapters::kNiceSocket),
        std::tuple(&peer, 0x40, adapters::kOwnSocket),
        std::tuple(&peer, 0xc3, adapters::kOwnSocket),
        std::tuple(&other, 0x40, adapters::kNiceSocket)}) {
    ASSERT_EQ(send(*sender, to, counted(20, static_cast<std::uint8_t>(first_octet))), 0);
    EXPECT_EQ(receive(sockets[place]).size(), 1U) << first_octet << " to " << place;
    EXPECT_THAT(receive(sockets[1 - place]), IsEmpty()) << first_octet;
  }
  // Too short for the filter's first question.
  ASSERT_EQ(send(peer, to, {}), 0);
  EXPECT_THAT(sizes(receive(sockets[adapters::kNiceSocket])), ElementsAre(0));
}

// ---- UDP_SEGMENT ----

TEST_P(UdpSemantics, ATrainIsSplitAndItsLastDatagramMayBeShorter) {
  const UniqueFd sender = bound();
  const UniqueFd receiver = bound();
  const Octets train = counted(3500);
  const std::vector<std::size_t> split = {1200, 1200, 1100};
  ASSERT_EQ(send(sender, name_of(receiver), train, {segments_of(1200)}), 0);
  const auto got = receive(receiver);
  EXPECT_EQ(sizes(got), split);
  EXPECT_EQ(got[1].octets, Octets(train.begin() + 1200, train.begin() + 2400));
  EXPECT_EQ(got[1].flags, 0);
  EXPECT_EQ(got[1].control_size, 0U);
  // Likewise by the option, which a message may overrule.
  EXPECT_EQ(get(sender, IPPROTO_UDP, UDP_SEGMENT), 0);
  ASSERT_EQ(set(sender, IPPROTO_UDP, UDP_SEGMENT, 1200), 0);
  EXPECT_EQ(get(sender, IPPROTO_UDP, UDP_SEGMENT), 1200);
  ASSERT_EQ(send(sender, name_of(receiver), train), 0);
  EXPECT_EQ(sizes(receive(receiver)), split);
  ASSERT_EQ(send(sender, name_of(receiver), train, {segments_of(3000)}), 0);
  EXPECT_THAT(sizes(receive(receiver)), ElementsAre(3000, 500));
  ASSERT_EQ(send(sender, name_of(receiver), counted(100), {segments_of(3000)}), 0);
  EXPECT_THAT(sizes(receive(receiver)), ElementsAre(100));
}

TEST_P(UdpSemantics, ATrainHasItsLimits) {
  const UniqueFd sender = bound();
  const UniqueFd receiver = bound();
  const Name to = name_of(receiver);
  EXPECT_EQ(send(sender, to, counted(64 * 100), {segments_of(100)}), 0);
  EXPECT_EQ(receive(receiver).size(), 64U);
  // Since Linux 6.9 it is twice as many.
  EXPECT_EQ(send(sender, to, counted(128 * 100 + 1), {segments_of(100)}), EINVAL);
  const std::size_t most = is_ipv6() ? 65527 : 65507;
  EXPECT_EQ(send(sender, to, counted(65507), {segments_of(1200)}), 0);
  EXPECT_EQ(send(sender, to, counted(most + 1), {segments_of(1200)}), EMSGSIZE);
  EXPECT_EQ(send(sender, to, counted(most + 1)), EMSGSIZE);
  EXPECT_EQ(send(sender, to, counted(70000)), EMSGSIZE);
  EXPECT_EQ(set(sender, IPPROTO_UDP, UDP_SEGMENT, -1), EINVAL);
  EXPECT_EQ(set(sender, IPPROTO_UDP, UDP_SEGMENT, 65536), EINVAL);
}

TEST_P(UdpSemantics, ControlMessagesOfAnotherFormAreRefused) {
  const UniqueFd sender = bound();
  const UniqueFd receiver = bound();
  const Name to = name_of(receiver);
  const Octets octets = counted(100);
  EXPECT_EQ(send(sender, to, octets, {{IPPROTO_UDP, UDP_SEGMENT, as_octets(int{50})}}), EINVAL);
  EXPECT_EQ(send(sender, to, octets, {{IPPROTO_UDP, UDP_GRO, as_octets(std::uint16_t{50})}}),
            EINVAL);
  EXPECT_EQ(send(sender, to, octets, {{ip_level(), ip(IP_TOS, IPV6_TCLASS), as_octets(int{256})}}),
            EINVAL);
  EXPECT_EQ(send(sender, to, octets, {{ip_level(), 0x7777, as_octets(int{1})}}), EINVAL);
  // Those of the other family say nothing.
  EXPECT_EQ(send(sender, to, octets,
                 {{ip(IPPROTO_IPV6, IPPROTO_IP), ip(IPV6_TCLASS, IP_TOS), as_octets(int{1})}}),
            0);
  EXPECT_EQ(receive(receiver).size(), 1U);
}

// ---- UDP_GRO ----

TEST_P(UdpSemantics, ATrainComesAsOneMessageToWhoWantsItSo) {
  const UniqueFd sender = bound();
  const UniqueFd receiver = bound();
  EXPECT_EQ(get(receiver, IPPROTO_UDP, UDP_GRO), 0);
  ASSERT_EQ(set(receiver, IPPROTO_UDP, UDP_GRO, 1), 0);
  EXPECT_EQ(get(receiver, IPPROTO_UDP, UDP_GRO), 1);
  const Octets train = counted(3500);
  ASSERT_EQ(send(sender, name_of(receiver), train, {segments_of(1200)}), 0);
  auto got = receive(receiver);
  ASSERT_THAT(sizes(got), ElementsAre(3500));
  EXPECT_EQ(got[0].octets, train);
  EXPECT_EQ(got[0].segment, 1200);
  EXPECT_EQ(got[0].control_size, CMSG_SPACE(sizeof(int)));
  // A datagram by itself is told of as ever.
  ASSERT_EQ(send(sender, name_of(receiver), counted(1200)), 0);
  got = receive(receiver);
  ASSERT_THAT(sizes(got), ElementsAre(1200));
  EXPECT_FALSE(got[0].segment);
  EXPECT_EQ(got[0].control_size, 0U);
  // As many as a train may have.
  ASSERT_EQ(send(sender, name_of(receiver), counted(64 * 1000), {segments_of(1000)}), 0);
  got = receive(receiver);
  ASSERT_THAT(sizes(got), ElementsAre(64000));
  EXPECT_EQ(got[0].segment, 1000);
}

TEST_P(UdpSemantics, WhatDoesNotFitTheReadersRoomIsLost) {
  const UniqueFd sender = bound();
  const UniqueFd receiver = bound();
  ASSERT_EQ(set(receiver, IPPROTO_UDP, UDP_GRO, 1), 0);
  const Octets train = counted(2000);
  ASSERT_EQ(send(sender, name_of(receiver), train, {segments_of(500)}), 0);
  auto got = receive(receiver, 700);
  ASSERT_THAT(sizes(got), ElementsAre(700));
  EXPECT_EQ(got[0].flags, MSG_TRUNC);
  EXPECT_EQ(got[0].segment, 500);
  ASSERT_EQ(send(sender, name_of(receiver), train, {segments_of(500)}), 0);
  got = receive(receiver, 65536, CMSG_LEN(0) - 1);
  EXPECT_EQ(got[0].flags, MSG_CTRUNC);
  EXPECT_EQ(got[0].control_size, 0U);
}

TEST_P(UdpSemantics, ATrainIsTakenApartForWhoDoesNotWantIt) {
  const auto sockets = group(2);
  const UniqueFd sender = bound();
  ASSERT_EQ(set(sockets[1], IPPROTO_UDP, UDP_GRO, 1), 0);
  for (const std::uint32_t place : {0U, 1U}) {
    ASSERT_EQ(attach(sockets[0], always(place)), 0);
    ASSERT_EQ(set(sockets[0], IPPROTO_UDP, UDP_GRO, 0), 0);
    ASSERT_EQ(send(sender, name_of(sockets[0]), counted(300), {segments_of(100)}), 0);
    std::size_t octets = 0;
    for (const Message& one : receive(sockets[place])) {
      octets += one.octets.size();
      EXPECT_TRUE(place == 1 || one.octets.size() == 100U);
    }
    EXPECT_EQ(octets, 300U);
    EXPECT_THAT(receive(sockets[1 - place]), IsEmpty());
  }
}

TEST_P(UdpSemantics, SendersAreKeptApart) {
  const UniqueFd one = bound();
  const UniqueFd other = bound();
  const UniqueFd receiver = bound();
  ASSERT_EQ(set(receiver, IPPROTO_UDP, UDP_GRO, 1), 0);
  const Name to = name_of(receiver);
  ASSERT_EQ(send(one, to, counted(300), {segments_of(100)}), 0);
  ASSERT_EQ(send(other, to, counted(300), {segments_of(100)}), 0);
  EXPECT_THAT(sizes(receive(receiver)), ElementsAre(300, 300));
}

// ---- the IP header ----

TEST_P(UdpSemantics, TheTrafficClassArrivesAsItWasSent) {
  const UniqueFd sender = bound();
  const UniqueFd receiver = bound();
  const Name to = name_of(receiver);
  const int option = ip(IP_TOS, IPV6_TCLASS);
  EXPECT_EQ(get(sender, ip_level(), option), 0);
  ASSERT_EQ(send(sender, to, counted(10)), 0);
  EXPECT_FALSE(receive(receiver).at(0).traffic_class) << "not asked for";
  ASSERT_EQ(set(receiver, ip_level(), ip(IP_RECVTOS, IPV6_RECVTCLASS), 1), 0);
  ASSERT_EQ(send(sender, to, counted(10)), 0);
  EXPECT_EQ(receive(receiver).at(0).traffic_class, 0);
  for (const int value : {1, 2, 3}) {
    ASSERT_EQ(send(sender, to, counted(10), {{ip_level(), option, as_octets(value)}}), 0);
    EXPECT_EQ(receive(receiver).at(0).traffic_class, value);
  }
  ASSERT_EQ(set(sender, ip_level(), option, 0xb8), 0);
  EXPECT_EQ(get(sender, ip_level(), option), 0xb8);
  ASSERT_EQ(send(sender, to, counted(10)), 0);
  EXPECT_EQ(receive(receiver).at(0).traffic_class, 0xb8);
  // With the size of a train, in the order of udp(7) before ip(7).
  ASSERT_EQ(set(receiver, IPPROTO_UDP, UDP_GRO, 1), 0);
  ASSERT_EQ(send(sender, to, counted(300), {segments_of(100), {ip_level(), option, as_octets(2)}}),
            0);
  const auto got = receive(receiver);
  ASSERT_THAT(sizes(got), ElementsAre(300));
  EXPECT_EQ(got[0].segment, 100);
  EXPECT_EQ(got[0].traffic_class, 2);
  EXPECT_EQ(got[0].control_size,
            CMSG_SPACE(sizeof(int)) + (is_ipv6() ? CMSG_SPACE(sizeof(int)) : CMSG_SPACE(1)));
}

TEST_P(UdpSemantics, TheHopLimitArrivesAsItWasSent) {
  const UniqueFd sender = bound();
  const UniqueFd receiver = bound();
  const Name to = name_of(receiver);
  const int option = ip(IP_TTL, IPV6_UNICAST_HOPS);
  ASSERT_EQ(set(receiver, ip_level(), ip(IP_RECVTTL, IPV6_RECVHOPLIMIT), 1), 0);
  EXPECT_EQ(get(sender, ip_level(), option), 64);
  ASSERT_EQ(send(sender, to, counted(10)), 0);
  EXPECT_EQ(receive(receiver).at(0).hop_limit, 64);
  ASSERT_EQ(set(sender, ip_level(), option, 63), 0);
  EXPECT_EQ(get(sender, ip_level(), option), 63);
  ASSERT_EQ(send(sender, to, counted(10)), 0);
  EXPECT_EQ(receive(receiver).at(0).hop_limit, 63);
  ASSERT_EQ(send(sender, to, counted(10), {{ip_level(), ip(IP_TTL, IPV6_HOPLIMIT), as_octets(5)}}),
            0);
  EXPECT_EQ(receive(receiver).at(0).hop_limit, 5);
  EXPECT_EQ(set(sender, ip_level(), option, 256), EINVAL);
  EXPECT_EQ(set(sender, ip_level(), option, -1), 0);
  EXPECT_EQ(get(sender, ip_level(), option), 64);
  EXPECT_EQ(set(sender, ip_level(), option, 0), ip(EINVAL, 0));
}

TEST_P(UdpSemantics, SwitchesAreToldAsOneAndNumbersHaveARange) {
  const UniqueFd fd = open();
  for (const auto& [level, option] :
       {std::pair(SOL_SOCKET, SO_REUSEPORT), std::pair(int{IPPROTO_UDP}, UDP_GRO),
        std::pair(ip_level(), ip(IP_RECVTOS, IPV6_RECVTCLASS)),
        std::pair(ip_level(), ip(IP_RECVTTL, IPV6_RECVHOPLIMIT))}) {
    EXPECT_EQ(set(fd, level, option, 7), 0);
    EXPECT_EQ(get(fd, level, option), 1) << level << " " << option;
    EXPECT_EQ(set(fd, level, option, 0), 0);
    EXPECT_EQ(get(fd, level, option), 0) << level << " " << option;
  }
  const int discover = ip(IP_MTU_DISCOVER, IPV6_MTU_DISCOVER);
  EXPECT_EQ(get(fd, ip_level(), discover), IP_PMTUDISC_WANT);
  EXPECT_EQ(set(fd, ip_level(), discover, IP_PMTUDISC_DO), 0);
  EXPECT_EQ(get(fd, ip_level(), discover), IP_PMTUDISC_DO);
  EXPECT_EQ(set(fd, ip_level(), discover, 6), EINVAL);
  EXPECT_EQ(set(fd, ip_level(), discover, -1), EINVAL);
}

std::vector<Where> places() {
  std::vector<Where> all = {{true, "127.0.0.1"}, {true, "::1"}, {false, "127.0.0.1"}};
  // Not every machine has IPv6.
  const UniqueFd fd(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 name{};
  name.sin6_family = AF_INET6;
  name.sin6_addr = in6addr_loopback;
  if (fd && bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0) {
    all.push_back({false, "::1"});
  }
  return all;
}
INSTANTIATE_TEST_SUITE_P(Places, UdpSemantics, ::testing::ValuesIn(places()),
                         [](const auto& tested) {
                           const Where& where = tested.param;
                           return std::string(where.simulated ? "simulated" : "real") +
                                  (where.address[0] == ':' ? "Ipv6" : "Ipv4");
                         });

}  // namespace
}  // namespace peersock::testing
