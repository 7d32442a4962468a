// The socket beside libnice's (adapters/split_udp_path.hpp) between two simulated hosts: trains on
// a network, which the loopback of a real system does not show.
#include <array>
#include <memory>
#include <optional>

#include <gio/gio.h>
#include <gmock/gmock.h>
#include <netinet/udp.h>

#include "adapters/split_udp_path.hpp"
#include "sim_hosts.hpp"

namespace peersock::testing {
namespace {

using adapters::SplitUdpPath;
using quic::SendOutcome;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Octets = std::vector<std::uint8_t>;

constexpr std::uint16_t kPort = 7000;

Octets train(std::size_t size) {
  return Octets(size, 0x40);
}
const Octets kStun(100, 0);

/// One of libnice's, with ours beside it.
struct Side {
  sim::Host& host;
  adapters::SocketAddress address;
  adapters::GObjectPtr<GSocket> socket{};
  std::unique_ptr<SplitUdpPath> path{};

  void open(const Side& other) {
    host.run([&] { path = SplitUdpPath::open(adapters::share(socket.get()), other.address); });
    ASSERT_TRUE(path);
  }
  [[nodiscard]] SendOutcome send(const quic::DatagramTrain& what) const {
    auto outcome = SendOutcome::kError;
    host.run([&] { outcome = path->send_batch(what); });
    return outcome;
  }
  void send_stun(const Side& to) const {
    host.run([&] {
      EXPECT_EQ(sendto(fd(), kStun.data(), kStun.size(), 0, to.address.get(), to.address.size),
                static_cast<ssize_t>(kStun.size()));
    });
  }
  /// Octets and segment of each train.
  [[nodiscard]] std::vector<std::pair<std::size_t, std::size_t>> trains() const {
    std::vector<std::pair<std::size_t, std::size_t>> all;
    path->receive_batch(
        [&](std::span<const quic::DatagramTrain> got) {
          for (const auto& one : got) {
            all.emplace_back(one.bytes.size(), one.segment);
            ecn = one.ecn;
          }
        },
        10000);
    return all;
  }
  /// What has come to libnice.
  [[nodiscard]] std::vector<std::size_t> datagrams() const {
    std::vector<std::size_t> all;
    Octets octets(65536);
    for (;;) {
      const ssize_t size = recv(fd(), octets.data(), octets.size(), MSG_DONTWAIT);
      if (size < 0) return all;
      all.push_back(static_cast<std::size_t>(size));
    }
  }
  [[nodiscard]] int fd() const { return g_socket_get_fd(socket.get()); }

  mutable std::optional<quic::Ecn> ecn{};
};

struct Way {
  const char* name;
  bool ipv6;
};

class UdpNetwork : public SimHosts, public ::testing::WithParamInterface<Way> {
 protected:
  void SetUp() override {
    for (Side* side : {&near_, &far_}) {
      side->host.run([&] {
        const int made = socket(side->address.family(), SOCK_DGRAM | SOCK_NONBLOCK, 0);
        ASSERT_EQ(bind(made, side->address.get(), side->address.size), 0);
        side->socket.reset(g_socket_new_from_fd(made, nullptr));
      });
      ASSERT_TRUE(side->socket);
    }
  }
  void TearDown() override {
    for (Side* side : {&near_, &far_}) {
      side->host.run([&] {
        side->path.reset();
        side->socket.reset();
      });
    }
  }
  [[nodiscard]] static adapters::SocketAddress at(const char* ipv4, const char* ipv6) {
    return adapters::numeric_address(GetParam().ipv6 ? ipv6 : ipv4, kPort).value();
  }
  void open_both() {
    near_.open(far_);
    far_.open(near_);
  }
  /// For long enough that both of its sockets want trains from now on.
  void let_quic_come() {
    for (int i = 0; i < 2; ++i) {
      ASSERT_EQ(near_.send({train(50), 50}), SendOutcome::kSent);
      pass(adapters::kSplitPatience);
      ASSERT_THAT(far_.trains(), ElementsAre(std::pair(50, 50)));
    }
  }
  void connect() {
    open_both();
    let_quic_come();
  }

  Side near_{third, at("198.51.100.3", kThird)};
  Side far_{fourth, at("198.51.100.4", kFourth)};
};

TEST_P(UdpNetwork, WhatComesInOneInstantIsCoalesced) {
  connect();
  ASSERT_EQ(near_.send({train(3500), 1200}), SendOutcome::kSent);
  pass(1s);
  EXPECT_THAT(far_.trains(), ElementsAre(std::pair(3500, 1200)));
  EXPECT_THAT(far_.datagrams(), IsEmpty());
  // Not what comes later.
  ASSERT_EQ(near_.send({train(1200), 1200}), SendOutcome::kSent);
  pass(1s);
  ASSERT_EQ(near_.send({train(1200), 1200}), SendOutcome::kSent);
  pass(1s);
  EXPECT_THAT(far_.trains(), ElementsAre(std::pair(1200, 1200), std::pair(1200, 1200)));
}

TEST_P(UdpNetwork, ALongerOrAShorterDatagramEndsATrain) {
  connect();
  for (const std::size_t size : {600, 600, 500, 600, 700, 700}) {
    ASSERT_EQ(near_.send({train(size), size}), SendOutcome::kSent);
  }
  pass(1s);
  EXPECT_THAT(far_.trains(),
              ElementsAre(std::pair(1700, 600), std::pair(600, 600), std::pair(1400, 700)));
  // 65,535 octets with their headers, and 64 datagrams.
  for (int i = 0; i < 66; ++i) ASSERT_EQ(near_.send({train(1200), 1200}), SendOutcome::kSent);
  for (int i = 0; i < 66; ++i) ASSERT_EQ(near_.send({train(100), 100}), SendOutcome::kSent);
  pass(1s);
  EXPECT_THAT(far_.trains(),
              ElementsAre(std::pair(54 * 1200, 1200), std::pair(12 * 1200 + 100, 1200),
                          std::pair(6400, 100), std::pair(100, 100)));
}

TEST_P(UdpNetwork, StunBehindATrainReachesLibnice) {
  connect();
  ASSERT_EQ(near_.send({train(3600), 1200}), SendOutcome::kSent);
  near_.send_stun(far_);
  pass(1s);
  EXPECT_THAT(far_.trains(), ElementsAre(std::pair(3600, 1200)));
  EXPECT_THAT(far_.datagrams(), ElementsAre(kStun.size()));
}

// What the hop limit of the split path is for: packets are coalesced before the filter is asked.
TEST_P(UdpNetwork, StunWithTheHopLimitOfATrainIsAppendedToIt) {
  connect();
  const bool ipv6 = GetParam().ipv6;
  third.run([&] {
    const int value = adapters::kSplitHopLimit;
    ASSERT_EQ(setsockopt(near_.fd(), ipv6 ? IPPROTO_IPV6 : IPPROTO_IP,
                         ipv6 ? IPV6_UNICAST_HOPS : IP_TTL, &value, sizeof value),
              0);
  });
  ASSERT_EQ(near_.send({train(3600), 1200}), SendOutcome::kSent);
  near_.send_stun(far_);
  pass(1s);
  EXPECT_THAT(far_.trains(), ElementsAre(std::pair(3600 + kStun.size(), 1200)));
  EXPECT_THAT(far_.datagrams(), IsEmpty());
}

TEST_P(UdpNetwork, StunThatArrivesTogetherIsOneMessageToLibniceOnceQuicComesToOurs) {
  const auto arrive = [this] {
    near_.send_stun(far_);
    near_.send_stun(far_);
    pass(1s);
    return far_.datagrams();
  };
  open_both();
  EXPECT_THAT(arrive(), ElementsAre(kStun.size(), kStun.size()));
  ASSERT_EQ(near_.send({train(50), 50}), SendOutcome::kSent);
  pass(100ms);
  EXPECT_THAT(far_.trains(), ElementsAre(std::pair(50, 50)));
  EXPECT_THAT(arrive(), ElementsAre(kStun.size(), kStun.size())) << "of the path before";
  let_quic_come();
  EXPECT_THAT(arrive(), ElementsAre(2 * kStun.size()));
  far_.host.run([&] { far_.path->quic_came_to_libnice(); });
  EXPECT_THAT(arrive(), ElementsAre(kStun.size(), kStun.size()));
}

TEST_P(UdpNetwork, NothingIsCoalescedWhereTheSocketThatTheHashPicksDoesNotWantIt) {
  connect();
  fourth.run([&] {
    for (const int fd : {far_.fd(), far_.path->fd()}) {
      const int off = 0;
      ASSERT_EQ(setsockopt(fd, IPPROTO_UDP, UDP_GRO, &off, sizeof off), 0);
    }
  });
  ASSERT_EQ(near_.send({train(3600), 1200}), SendOutcome::kSent);
  pass(1s);
  EXPECT_THAT(far_.trains(),
              ElementsAre(std::pair(1200, 1200), std::pair(1200, 1200), std::pair(1200, 1200)));
}

TEST_P(UdpNetwork, EcnCrossesTheNetwork) {
  connect();
  for (const auto ecn : {quic::Ecn::kEct0, quic::Ecn::kCe, quic::Ecn::kNotEct, quic::Ecn::kEct1}) {
    ASSERT_EQ(near_.send({train(3600), 1200, ecn}), SendOutcome::kSent);
    pass(1s);
    EXPECT_THAT(far_.trains(), ElementsAre(std::pair(3600, 1200)));
    EXPECT_EQ(far_.ecn, ecn);
  }
}

TEST_P(UdpNetwork, WhatDoesNotFitTheLinkIsRefused) {
  connect();
  const std::size_t most = GetParam().ipv6 ? 1452 : 1472;
  EXPECT_EQ(near_.send({train(most), most}), SendOutcome::kSent);
  EXPECT_EQ(near_.send({train(most + 1), most + 1}), SendOutcome::kTooBig);
  EXPECT_EQ(near_.send({train(3 * most), most}), SendOutcome::kSent);
  EXPECT_EQ(near_.send({train(3 * most), most + 1}), SendOutcome::kTooBig);
  pass(1s);
  EXPECT_THAT(far_.trains(), ElementsAre(std::pair(4 * most, most)));
}

TEST_P(UdpNetwork, WithoutOursLibniceGetsEachDatagramByItself) {
  connect();
  far_.host.run([&] { far_.path.reset(); });
  ASSERT_EQ(near_.send({train(3500), 1200}), SendOutcome::kSent);
  near_.send_stun(far_);
  pass(1s);
  EXPECT_THAT(far_.datagrams(), ElementsAre(1200, 1200, 1100, kStun.size()));
  far_.open(near_);
  let_quic_come();
  ASSERT_EQ(near_.send({train(3500), 1200}), SendOutcome::kSent);
  pass(1s);
  EXPECT_THAT(far_.trains(), ElementsAre(std::pair(3500, 1200)));
}

INSTANTIATE_TEST_SUITE_P(Families, UdpNetwork,
                         ::testing::Values(Way{"Ipv4", false}, Way{"Ipv6", true}),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace peersock::testing
