// Hosts that come to other networks, and what they are told of it.
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include <gmock/gmock.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "adapters/network_watch.hpp"
#include "sim_hosts.hpp"

namespace peersock::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint16_t kPort = 7000;

sim::SocketName name_of(const std::string& address, std::uint16_t port) {
  return sim::socket_name(address, port).value();
}

class SimRoaming : public SimHosts {
 protected:
  UniqueFd open(sim::Host& host, const std::string& address) {
    UniqueFd fd;
    host.run([&] { fd = bound_socket(SOCK_DGRAM, address, kPort); });
    return fd;
  }

  UniqueFd open_netlink(sim::Host& host, std::uint32_t groups) {
    UniqueFd fd;
    host.run([&] {
      fd = UniqueFd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
      sockaddr_nl name{};
      name.nl_family = AF_NETLINK;
      name.nl_groups = groups;
      EXPECT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
    });
    return fd;
  }

  /// `+` or `-` and the last octet of the address, message by message.
  std::vector<std::string> news(sim::Host& host, const UniqueFd& fd) {
    std::vector<std::string> all;
    host.run([&] {
      alignas(nlmsghdr) std::array<char, 512> octets{};
      for (;;) {
        const ssize_t got = recv(fd.get(), octets.data(), octets.size(), 0);
        if (got < 0) {
          EXPECT_EQ(errno, EAGAIN);
          return;
        }
        const auto* header = reinterpret_cast<const nlmsghdr*>(octets.data());
        ASSERT_TRUE(NLMSG_OK(header, static_cast<unsigned>(got)));
        const auto* body = static_cast<const ifaddrmsg*>(NLMSG_DATA(header));
        const auto* attribute = IFA_RTA(body);
        ASSERT_TRUE(RTA_OK(attribute, IFA_PAYLOAD(header)));
        ASSERT_EQ(attribute->rta_type, IFA_ADDRESS);
        const auto* address = static_cast<const unsigned char*>(RTA_DATA(attribute));
        all.push_back((header->nlmsg_type == RTM_NEWADDR ? "+" : "-") +
                      std::to_string(address[RTA_PAYLOAD(attribute) - 1]));
      }
    });
    return all;
  }

  static bool has_datagram(const UniqueFd& fd) {
    char octet = 0;
    return recv(fd.get(), &octet, 1, 0) >= 0;
  }
  void send(const UniqueFd& fd, const sim::SocketName& to) {
    sim::send_datagram(fd.get(), std::array<std::uint8_t, 1>{1}, to);
    pass(100ms);
  }
};

TEST_F(SimRoaming, TellsOfAddressesThatComeAndGo) {
  const auto fd = open_netlink(first, RTMGRP_IPV4_IFADDR);
  EXPECT_THAT(news(first, fd), IsEmpty());
  first.add_address("198.51.100.91", 24);
  first.remove_address(kFirst);
  second.add_address("198.51.100.92", 24);
  EXPECT_THAT(news(first, fd), ElementsAre("+91", "-1"));
}

TEST_F(SimRoaming, TellsOnlyOfTheFamilyThatWasAskedFor) {
  const auto ipv4 = open_netlink(third, RTMGRP_IPV4_IFADDR);
  const auto ipv6 = open_netlink(third, RTMGRP_IPV6_IFADDR);
  third.add_address("2001:db8::93", 64);
  EXPECT_THAT(news(third, ipv4), IsEmpty());
  EXPECT_THAT(news(third, ipv6), ElementsAre("+147"));
}

TEST_F(SimRoaming, SaysNothingToASocketThatIsClosed) {
  auto fd = open_netlink(first, RTMGRP_IPV4_IFADDR);
  fd.reset();
  EXPECT_NO_FATAL_FAILURE(first.add_address("198.51.100.91", 24));
}

TEST_F(SimRoaming, WakesTheWatchOfTheProgram) {
  int changes = 0;
  std::unique_ptr<adapters::NetworkWatch> watch;
  first.run([&] {
    watch = std::make_unique<adapters::NetworkWatch>(first.context(), [&] { ++changes; });
  });
  pass(10s);
  EXPECT_EQ(changes, 0);
  // Changes come in crowds, and count once.
  first.remove_address(kFirst);
  first.add_address("198.51.100.91", 24);
  pass(10s);
  EXPECT_EQ(changes, 1);
  first.remove_address("198.51.100.91");
  first.add_address("198.51.100.91", 24);
  pass(10s);
  EXPECT_EQ(changes, 1) << "they are what they were";
  first.run([&] { watch.reset(); });
}

TEST_F(SimRoaming, CannotSendFromAnAddressThatIsGone) {
  const auto fd = open(first, kFirst);
  const auto to = open(second, kSecond);
  first.remove_address(kFirst);
  send(fd, name_of(kSecond, kPort));
  EXPECT_FALSE(has_datagram(to));
  first.add_address(kFirst, 24);
  send(fd, name_of(kSecond, kPort));
  EXPECT_TRUE(has_datagram(to));
}

TEST_F(SimRoaming, HasNoWayOutWithoutAnAddress) {
  first.remove_address(kFirst);
  first.run([&] {
    EXPECT_ANY_THROW((void)connecting_socket(kSecond, kPort));
    EXPECT_EQ(errno, ENETUNREACH);
    EXPECT_NO_THROW((void)connecting_socket("127.0.0.1", kPort));
  });
}

TEST_F(SimRoaming, MovesAHostBehindAnotherNat) {
  auto site = world.add_site("site", 3, {.nats = {{}}});
  const auto before = open(*site.host, "192.168.3.2");
  const auto server = open(first, kFirst);
  send(before, name_of(kFirst, kPort));
  ASSERT_TRUE(has_datagram(server));
  world.leave(site);
  world.enter(site, 4, {.nats = {{}}});
  send(server, name_of("203.0.3.1", kPort));
  EXPECT_FALSE(has_datagram(before));
  const auto after = open(*site.host, "192.168.4.2");
  send(after, name_of(kFirst, kPort));
  ASSERT_TRUE(has_datagram(server));
  send(server, name_of("203.0.4.1", kPort));
  EXPECT_TRUE(has_datagram(after));
}

TEST_F(SimRoaming, MovesAPublicHost) {
  auto site = world.add_site("site", 3, {});
  world.leave(site);
  world.enter(site, 4, {});
  const auto fd = open(*site.host, "203.0.4.1");
  const auto server = open(first, kFirst);
  send(server, name_of("203.0.4.1", kPort));
  EXPECT_TRUE(has_datagram(fd));
  send(server, name_of("203.0.3.1", kPort));
  EXPECT_FALSE(has_datagram(fd));
}

TEST_F(SimRoaming, ShowsAProgramNoSocketOfAnotherHost) {
  const auto fd = open(first, kFirst);
  second.run([&] {
    sockaddr_storage name{};
    socklen_t size = sizeof name;
    EXPECT_EQ(getsockname(fd.get(), reinterpret_cast<sockaddr*>(&name), &size), -1);
    EXPECT_EQ(errno, EBADF);
  });
}

}  // namespace
}  // namespace peersock::testing
