// What is simulated behind a descriptor, and that the rest stays real.
#include "libc/descriptor.hpp"

#include <array>
#include <cerrno>
#include <ctime>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>

#include "adapters/wakeup.hpp"
#include "sim_hosts.hpp"

namespace peersock::testing {
namespace {

using ::testing::ElementsAre;

constexpr std::uint16_t kPort = 7000;

class SimDescriptor : public SimHosts {
 protected:
  static UniqueFd open(sim::Host& host, const char* address) {
    UniqueFd fd;
    host.run([&] { fd = bound_socket(SOCK_DGRAM, address, kPort); });
    return fd;
  }
};

sim::SocketName name_of(const char* address, std::uint16_t port) {
  return sim::socket_name(address, port).value();
}

/// What an unbound datagram socket says of itself once it is connected.
sim::SocketName name_towards(sim::Host& host, const char* peer) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  sim::to_sockaddr(name_of(peer, kPort), reinterpret_cast<sockaddr*>(&address), &size);
  host.run([&] {
    const UniqueFd fd(::socket(AF_INET, SOCK_DGRAM, 0));
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    size = sizeof address;
    EXPECT_EQ(getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  });
  return sim::from_sockaddr(reinterpret_cast<const sockaddr*>(&address), size).value();
}

TEST_F(SimDescriptor, AConnectedDatagramSocketSaysWhereItSendsFrom) {
  const auto outside = name_towards(first, kSecond);
  EXPECT_EQ(outside.address, name_of(kFirst, 0).address);
  EXPECT_NE(outside.port, 0);
  EXPECT_EQ(name_towards(first, "127.0.0.1").address, name_of("127.0.0.1", 0).address);
}

TEST_F(SimDescriptor, CarriesDatagramsBetweenHosts) {
  struct Way {
    sim::Host& here;
    const char* from;
    sim::Host& there;
    const char* to;
  };
  for (const auto& [here, from, there, to] :
       {Way{first, kFirst, second, kSecond}, Way{third, kThird, fourth, kFourth}}) {
    UniqueFd sender;
    UniqueFd receiver;
    sender = open(here, from);
    receiver = open(there, to);
    const std::array<std::uint8_t, 3> octets = {1, 2, 3};
    sim::send_datagram(sender.get(), octets, name_of(to, kPort));
    sim::send_datagram(sender.get(), {}, name_of(to, kPort));
    pass(1s);
    std::array<std::uint8_t, 8> got{};
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    ASSERT_EQ(recvfrom(receiver.get(), got.data(), got.size(), 0,
                       reinterpret_cast<sockaddr*>(&address), &size),
              3);
    EXPECT_EQ(sim::from_sockaddr(reinterpret_cast<sockaddr*>(&address), size),
              name_of(from, kPort));
    EXPECT_EQ(recv(receiver.get(), got.data(), got.size(), 0), 0);  // an empty one is one
    EXPECT_EQ(recv(receiver.get(), got.data(), got.size(), 0), -1);
    EXPECT_EQ(errno, EAGAIN);
  }
}

TEST_F(SimDescriptor, KnowsNoFamilyThatTheHostHasNot) {
  first.run([&] {
    EXPECT_EQ(socket(AF_INET6, SOCK_DGRAM, 0), -1);
    EXPECT_EQ(errno, EAFNOSUPPORT);
  });
}

TEST_F(SimDescriptor, RefusesAnAddressThatIsTakenOrForeign) {
  UniqueFd taken;
  first.run([&] { taken = bound_socket(SOCK_STREAM, kFirst, kPort); });
  first.run([&] { EXPECT_ANY_THROW((void)bound_socket(SOCK_STREAM, kFirst, kPort)); });
  // The same port of another host is another port.
  second.run([&] { EXPECT_NO_THROW((void)bound_socket(SOCK_STREAM, kSecond, kPort)); });
}

TEST_F(SimDescriptor, BindsASocketOnce) {
  first.run([&] {
    sockaddr_storage name{};
    socklen_t size = sizeof name;
    sim::to_sockaddr(name_of(kFirst, 0), reinterpret_cast<sockaddr*>(&name), &size);
    const auto* own = reinterpret_cast<const sockaddr*>(&name);
    const UniqueFd bound = bound_socket(SOCK_DGRAM, kFirst, kPort);
    EXPECT_EQ(bind(bound.get(), own, size), -1);
    EXPECT_EQ(errno, EINVAL);
    const UniqueFd connecting = connecting_socket(kSecond, kPort);
    EXPECT_EQ(bind(connecting.get(), own, size), -1);
    EXPECT_EQ(errno, EINVAL);
  });
}

TEST_F(SimDescriptor, TellsReadinessThroughEpoll) {
  UniqueFd epoll;
  UniqueFd receiver;
  second.run([&] {
    epoll = UniqueFd(epoll_create1(EPOLL_CLOEXEC));
    receiver = bound_socket(SOCK_DGRAM, kSecond, kPort);
  });
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = 42;
  ASSERT_EQ(epoll_ctl(epoll.get(), EPOLL_CTL_ADD, receiver.get(), &event), 0);
  EXPECT_EQ(epoll_ctl(epoll.get(), EPOLL_CTL_ADD, receiver.get(), &event), -1);
  std::array<epoll_event, 4> seen{};
  EXPECT_EQ(epoll_wait(epoll.get(), seen.data(), 4, 0), 0);
  first.run([&] {
    const UniqueFd sender = bound_socket(SOCK_DGRAM, kFirst, kPort);
    sim::send_datagram(sender.get(), std::array<std::uint8_t, 1>{7}, name_of(kSecond, kPort));
  });
  pass(1s);
  ASSERT_EQ(epoll_wait(epoll.get(), seen.data(), 4, 0), 1);
  EXPECT_EQ(seen[0].data.u64, 42U);
  receiver.reset();
  EXPECT_EQ(epoll_wait(epoll.get(), seen.data(), 4, 0), 0);
}

TEST_F(SimDescriptor, RunsTimersOfAHostInVirtualTime) {
  sim::Nanos fired{0};
  std::unique_ptr<adapters::Wakeup> wakeup;
  first.run([&] {
    wakeup = std::make_unique<adapters::Wakeup>(first.context(), [&] { fired = sim::now(); });
    wakeup->after(3600s);
  });
  pass(2h);
  first.run([&] { wakeup.reset(); });
  EXPECT_EQ(fired, 3600s);
}

TEST_F(SimDescriptor, ListsTheInterfacesOfTheHost) {
  std::vector<std::string> names;
  third.run([&] {
    ifaddrs* all = nullptr;
    ASSERT_EQ(getifaddrs(&all), 0);
    for (const auto* one = all; one != nullptr; one = one->ifa_next) {
      names.emplace_back(one->ifa_name);
    }
    freeifaddrs(all);
    EXPECT_EQ(if_nametoindex("eth0"), 2U);
  });
  // Two IPv4 addresses; then ::1, the link's own, and the global one.
  EXPECT_THAT(names, ElementsAre("lo", "eth0", "lo", "eth0", "eth0"));
}

TEST_F(SimDescriptor, GivesEachHostItsOwnRandomNumbers) {
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  first.run([&] { ASSERT_EQ(getrandom(&a, sizeof a, 0), 8); });
  second.run([&] { ASSERT_EQ(getrandom(&b, sizeof b, 0), 8); });
  EXPECT_NE(a, b);
}

TEST_F(SimDescriptor, LeavesRealDescriptorsAlone) {
  std::array<int, 2> ends{};
  first.run([&] {
    ASSERT_EQ(pipe(ends.data()), 0);
    ASSERT_EQ(write(ends[1], "real", 4), 4);
    pollfd polled{ends[0], POLLIN, 0};
    EXPECT_EQ(poll(&polled, 1, 0), 1);
    std::array<char, 8> got{};
    EXPECT_EQ(read(ends[0], got.data(), got.size()), 4);
    close(ends[0]);
    close(ends[1]);
  });
}

TEST_F(SimDescriptor, ForgetsWhatIsClosedButNotACopy) {
  const std::size_t before = sim::open_descriptors();
  first.run([&] {
    UniqueFd event(eventfd(0, EFD_CLOEXEC));
    const UniqueFd copy(dup(event.get()));
    EXPECT_EQ(sim::open_descriptors(), before + 2);
    event.reset();
    const std::uint64_t one = 1;
    EXPECT_EQ(write(copy.get(), &one, sizeof one), 8);
    std::uint64_t got = 0;
    EXPECT_EQ(read(copy.get(), &got, sizeof got), 8);
    EXPECT_EQ(got, 1U);
    EXPECT_EQ(read(copy.get(), &got, sizeof got), -1);
  });
  EXPECT_EQ(sim::open_descriptors(), before);
}

}  // namespace
}  // namespace peersock::testing
