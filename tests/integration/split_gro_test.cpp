// A receiver whose packets are coalesced before any socket is asked, as behind a network card:
// loopback hides that. Two namespaces of the network, joined by a pair of devices that segment when
// they send and coalesce when they receive. Needs root or user namespaces, and iproute2.
#include <array>
#include <cstdlib>
#include <fstream>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "adapters/split_udp_path.hpp"
#include "plain_socket.hpp"

namespace peersock::testing {
namespace {

using adapters::SplitUdpPath;
using adapters::UniqueFd;

void run(const std::string& command) {
  ASSERT_EQ(std::system(command.c_str()), 0) << command;  // NOLINT(cert-env33-c)
}

void set_offload(const char* device, std::uint32_t command, std::uint32_t value) {
  const UniqueFd any(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ethtool_value setting{command, value};
  ifreq request{};
  (void)std::snprintf(request.ifr_name, sizeof request.ifr_name, "%s", device);
  request.ifr_data = reinterpret_cast<char*>(&setting);
  ASSERT_EQ(ioctl(any.get(), SIOCETHTOOL, &request), 0);
}

/// Enters namespaces of its own; this process never comes back.
void enter_namespaces() {
  const uid_t user = getuid();
  const gid_t group = getgid();
  const int own_users = user == 0 ? 0 : CLONE_NEWUSER;
  ASSERT_EQ(unshare(own_users | CLONE_NEWNET), 0);
  if (own_users != 0) {
    std::ofstream("/proc/self/setgroups") << "deny";
    std::ofstream("/proc/self/uid_map") << "0 " << user << " 1";
    std::ofstream("/proc/self/gid_map") << "0 " << group << " 1";
  }
}

/// Datagrams that have come to libnice's socket, after a while if there are none yet.
std::size_t arrived(const PlainSocket& socket) {
  pollfd ready{socket.fd(), POLLIN, 0};
  poll(&ready, 1, /*timeout=*/100);
  return socket.receive().size();
}

/// Until a datagram gets through; none is left under way.
void await_link(const PlainSocket& near, const PlainSocket& far) {
  for (int tries = 0; tries < 100 && arrived(far) == 0; ++tries) near.send_to(far, stun_message());
  static_cast<void>(arrived(far));
}

class SplitGro : public ::testing::Test {
 protected:
  void SetUp() override {
    enter_namespaces();
    near_network_ = UniqueFd(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
    ASSERT_EQ(unshare(CLONE_NEWNET), 0);
    far_network_ = UniqueFd(open("/proc/self/ns/net", O_RDONLY));
    enter(near_network_);
    // Segments leave one by one.
    run("ip link add a0 type veth peer name b0 && ip addr add 192.0.2.1/24 dev a0 && "
        "ip link set a0 gso_max_segs 1 up && ip link set b0 netns /proc/self/fd/" +
        std::to_string(far_network_.get()));
    // Otherwise the other end takes its packets for those of a neighbour that need no coalescing.
    set_offload("a0", ETHTOOL_STSO, 0);
    enter(far_network_);
    run("ip addr add 192.0.2.2/24 dev b0 && ip link set b0 up");
    set_offload("b0", ETHTOOL_SGRO, 1);
  }
  static void enter(const UniqueFd& network) { ASSERT_EQ(setns(network.get(), CLONE_NEWNET), 0); }

  UniqueFd near_network_;
  UniqueFd far_network_;
};

TEST_F(SplitGro, TrainsAreCoalescedAndStunReachesLibnice) {
  const Bytes train = quic_train(10, 1200, 1200);
  constexpr std::size_t kRounds = 10;
  // Each pair of ports has a hash of its own, by which the kernel picks one of the two sockets.
  for (int pair = 0; pair < 8; ++pair) {
    enter(far_network_);
    const PlainSocket far("192.0.2.2");
    enter(near_network_);
    const PlainSocket near("192.0.2.1");
    await_link(near, far);
    const auto path = SplitUdpPath::open(near.shared(), far.address(), Duration{0});
    enter(far_network_);
    const auto far_path = SplitUdpPath::open(far.shared(), near.address(), Duration{0});
    ASSERT_TRUE(path && far_path);

    std::size_t stun = 0;
    std::size_t octets = 0;
    std::size_t trains = 0;
    for (std::size_t i = 0; i < kRounds; ++i) {
      ASSERT_EQ(path->send_batch({train, 1200}), quic::SendOutcome::kSent);
      near.send_to(far, stun_message());
      stun += arrived(far);
      far_path->receive_batch(
          [&](std::span<const quic::DatagramTrain> all) {
            trains += all.size();
            for (const auto& each : all) octets += each.bytes.size();
          },
          1000);
    }
    EXPECT_EQ(stun, kRounds);
    EXPECT_EQ(octets, kRounds * train.size());
    EXPECT_LT(trains, kRounds * 5) << "coalesced, whichever socket the hash picked";
  }
}

/// What libnice sends, but so close together that the other end finds both at once.
void send_together(const PlainSocket& from, const PlainSocket& to, const Bytes& octets,
                   int segment) {
  const int none = 0;
  ASSERT_EQ(setsockopt(from.fd(), IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment), 0);
  from.send_to(to, octets);
  ASSERT_EQ(setsockopt(from.fd(), IPPROTO_UDP, UDP_SEGMENT, &none, sizeof none), 0);
}

// The price of UDP_GRO on libnice's socket; the simulation has the same (sim/stack/udp_port.cpp).
TEST_F(SplitGro, StunThatArrivesTogetherIsOneMessageToLibniceOnceQuicComesToOurs) {
  enter(far_network_);
  const PlainSocket far("192.0.2.2");
  enter(near_network_);
  const PlainSocket near("192.0.2.1");
  await_link(near, far);
  Bytes two = stun_message();
  const Bytes one = stun_message();
  two.insert(two.end(), one.begin(), one.end());
  send_together(near, far, two, static_cast<int>(one.size()));
  EXPECT_EQ(arrived(far), 2U) << "without a socket of ours";
  enter(far_network_);
  const auto path = SplitUdpPath::open(far.shared(), near.address(), Duration{0});
  ASSERT_TRUE(path);
  enter(near_network_);
  send_together(near, far, two, static_cast<int>(one.size()));
  EXPECT_EQ(arrived(far), 2U) << "as long as nothing comes to it";
  near.send_to(far, quic_train(1, 100, 100));
  EXPECT_EQ(path->receive_batch([](std::span<const quic::DatagramTrain>) {}, 1), 1U);
  send_together(near, far, two, static_cast<int>(one.size()));
  EXPECT_EQ(arrived(far), 1U);
  path->quic_came_to_libnice();
  send_together(near, far, two, static_cast<int>(one.size()));
  EXPECT_EQ(arrived(far), 2U);
}

}  // namespace
}  // namespace peersock::testing
