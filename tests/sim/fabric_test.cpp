// Cables, NATs and the backbone.
#include <array>
#include <memory>

#include <gmock/gmock.h>

#include "fabric/nat_box.hpp"
#include "sim_hosts.hpp"

namespace peersock::testing {
namespace {

constexpr std::uint16_t kPort = 7000;

sim::SocketName name_of(const std::string& address, std::uint16_t port) {
  return sim::socket_name(address, port).value();
}

std::optional<sim::SocketName> received_from(const UniqueFd& fd) {
  std::array<char, 64> octets{};
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (recvfrom(fd.get(), octets.data(), octets.size(), 0, reinterpret_cast<sockaddr*>(&address),
               &size) < 0) {
    return std::nullopt;
  }
  return sim::from_sockaddr(reinterpret_cast<const sockaddr*>(&address), size);
}

class Fabric : public SimHosts {
 protected:
  UniqueFd open(sim::Host& host, const std::string& address) {
    UniqueFd fd;
    host.run([&] { fd = bound_socket(SOCK_DGRAM, address, kPort); });
    return fd;
  }
  void send(const UniqueFd& fd, const sim::SocketName& to) {
    sim::send_datagram(fd.get(), std::array<std::uint8_t, 1>{1}, to);
    pass(100ms);
  }
};

TEST_F(Fabric, ANatHidesAHostAndLetsAnswersIn) {
  const auto site = world.add_site("site", 3, {.nats = {{.ports = testbed::Ports::Random}}});
  const auto inside = open(*site.host, "192.168.3.2");
  const auto server = open(first, kFirst);
  const auto stranger = open(second, kSecond);
  send(inside, name_of(kFirst, kPort));
  const auto seen = received_from(server);
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->address, name_of("203.0.3.1", 0).address);
  EXPECT_NE(seen->port, kPort);
  send(server, *seen);
  EXPECT_TRUE(received_from(inside));
  send(stranger, *seen);
  EXPECT_FALSE(received_from(inside));
  EXPECT_EQ(site.nats.front()->counts().dropped, 1U);
}

TEST_F(Fabric, ARebootedNatHasForgotten) {
  const auto site = world.add_site("site", 3, {.nats = {{.ports = testbed::Ports::Random}}});
  const auto inside = open(*site.host, "192.168.3.2");
  const auto server = open(first, kFirst);
  send(inside, name_of(kFirst, kPort));
  const auto before = received_from(server);
  site.nats.front()->reboot();
  send(server, before.value());
  EXPECT_FALSE(received_from(inside));
  send(inside, name_of(kFirst, kPort));
  EXPECT_NE(received_from(server), before);
}

TEST_F(Fabric, AFirewallLetsIpv6AnswersIn) {
  const auto site = world.add_site("site", 3, {.nats = {{}}, .ipv6 = true});
  const auto inside = open(*site.host, "2001:db8:3::2");
  const auto server = open(third, kThird);
  send(server, name_of("2001:db8:3::2", kPort));
  EXPECT_FALSE(received_from(inside));
  send(inside, name_of(kThird, kPort));
  EXPECT_EQ(received_from(server), name_of("2001:db8:3::2", kPort));
  send(server, name_of("2001:db8:3::2", kPort));
  EXPECT_TRUE(received_from(inside));
}

TEST_F(Fabric, ABoxMayLetNoUdpThrough) {
  const auto site = world.add_site("site", 3, {.nats = {{.udp = false}}});
  const auto inside = open(*site.host, "192.168.3.2");
  const auto server = open(first, kFirst);
  send(inside, name_of(kFirst, kPort));
  EXPECT_FALSE(received_from(server));
}

TEST_F(Fabric, APulledCableLosesWhatIsUnderWay) {
  const auto site = world.add_site("site", 3, {});
  const auto outside = open(*site.host, "203.0.3.1");
  const auto server = open(first, kFirst);
  sim::send_datagram(outside.get(), std::array<std::uint8_t, 1>{1}, name_of(kFirst, kPort));
  site.access->set_connected(false);
  pass(1s);
  EXPECT_FALSE(received_from(server));
  send(outside, name_of(kFirst, kPort));
  EXPECT_FALSE(received_from(server));
  site.access->set_connected(true);
  send(outside, name_of(kFirst, kPort));
  EXPECT_TRUE(received_from(server));
}

TEST_F(Fabric, ACableDelaysAndLoses) {
  const testbed::LineConfig half{.delay = 40ms, .loss = 50};
  const auto site = world.add_site("site", 3, {.up = half, .down = half});
  const auto outside = open(*site.host, "203.0.3.1");
  const auto server = open(first, kFirst);
  for (int i = 0; i < 1000; ++i) {
    sim::send_datagram(outside.get(), std::array<std::uint8_t, 1>{1}, name_of(kFirst, kPort));
  }
  pass(44ms);  // 40 and 5
  EXPECT_FALSE(received_from(server));
  pass(2ms);
  int arrived = 0;
  while (received_from(server)) ++arrived;
  EXPECT_THAT(arrived, ::testing::AllOf(::testing::Gt(400), ::testing::Lt(600)));
}

}  // namespace
}  // namespace peersock::testing
