// The socket beside libnice's, between two of them on loopback. A plain socket stands for
// libnice's.
#include "adapters/split_udp_path.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>

#include "../support/system_calls.hpp"
#include "plain_socket.hpp"

namespace peersock::testing {
namespace {

using adapters::SplitUdpPath;
using quic::SendOutcome;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// What a path has read.
struct Received {
  Bytes octets;
  std::vector<std::size_t> segments;
  std::vector<quic::Ecn> ecn;

  void take_from(SplitUdpPath& path) {
    while (path.receive_batch(
               [this](std::span<const quic::DatagramTrain> trains) {
                 for (const auto& train : trains) {
                   octets.insert(octets.end(), train.bytes.begin(), train.bytes.end());
                   segments.push_back(train.segment);
                   ecn.push_back(train.ecn);
                 }
               },
               1) > 0) {
    }
  }
};

class SplitUdp : public ::testing::TestWithParam<std::string> {
 protected:
  [[nodiscard]] std::unique_ptr<SplitUdpPath> open(const PlainSocket& from,
                                                   const PlainSocket& to) const {
    return SplitUdpPath::open(from.shared(), to.address(), Duration{0});
  }
  void connect() {
    path_a_ = open(a_, b_);
    path_b_ = open(b_, a_);
    ASSERT_TRUE(path_a_ && path_b_);
  }

  PlainSocket a_{GetParam()};
  PlainSocket b_{GetParam()};
  std::unique_ptr<SplitUdpPath> path_a_;
  std::unique_ptr<SplitUdpPath> path_b_;
};

TEST_P(SplitUdp, CarriesTrainsBothWays) {
  connect();
  const Bytes there = quic_train(50, 1200, 700);
  const Bytes back = quic_train(3, 1452, 1452);
  EXPECT_EQ(path_a_->send_batch({there, 1200}), SendOutcome::kSent);
  EXPECT_EQ(path_b_->send_batch({back, 1452}), SendOutcome::kSent);
  Received at_a;
  Received at_b;
  at_a.take_from(*path_a_);
  at_b.take_from(*path_b_);
  EXPECT_EQ(at_b.octets, there);
  EXPECT_THAT(at_b.segments, ElementsAre(1200)) << "one system call, one train";
  EXPECT_EQ(at_a.octets, back);
  EXPECT_THAT(at_a.segments, ElementsAre(1452));
  EXPECT_THAT(a_.receive(), IsEmpty());
  EXPECT_THAT(b_.receive(), IsEmpty());
}

TEST_P(SplitUdp, TakesTheLargestTrain) {
  connect();
  const Bytes most = quic_train(64, 1023, 1000);
  EXPECT_EQ(path_a_->send_batch({most, 1023}), SendOutcome::kSent);
  const Bytes one(1, 0x40);
  EXPECT_EQ(path_a_->send_batch({one, 0}), SendOutcome::kSent);
  Received received;
  received.take_from(*path_b_);
  ASSERT_EQ(received.octets.size(), most.size() + 1);
}

TEST_P(SplitUdp, StunReachesLibniceUnderLoad) {
  connect();
  const Bytes load = quic_train(40, 1200, 1200);
  Received received;
  std::size_t stun_seen = 0;
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(path_a_->send_batch({load, 1200}), SendOutcome::kSent);
    a_.send_to(b_, stun_message());
    ASSERT_EQ(path_a_->send_batch({load, 1200}), SendOutcome::kSent);
    received.take_from(*path_b_);
    for (const Bytes& message : b_.receive()) {
      EXPECT_EQ(message, stun_message());
      ++stun_seen;
    }
  }
  EXPECT_EQ(stun_seen, 200U);
  EXPECT_EQ(received.octets.size(), 400 * load.size());
}

TEST_P(SplitUdp, QuicOfOthersIsLibnicesBusiness) {
  connect();
  // A TURN server's ChannelData begins like QUIC.
  const PlainSocket other(GetParam());
  other.send_to(b_, quic_train(1, 100, 100));
  EXPECT_EQ(b_.receive().size(), 1U);
  Received received;
  received.take_from(*path_b_);
  EXPECT_THAT(received.octets, IsEmpty());
}

TEST_P(SplitUdp, EcnArrivesAsItWasSent) {
  connect();
  const Bytes train = quic_train(4, 1200, 1200);
  for (const auto ecn : {quic::Ecn::kNotEct, quic::Ecn::kEct0, quic::Ecn::kEct1, quic::Ecn::kCe}) {
    ASSERT_EQ(path_a_->send_batch({train, 1200, ecn}), SendOutcome::kSent);
    Received received;
    received.take_from(*path_b_);
    EXPECT_THAT(received.ecn, ElementsAre(ecn));
    ASSERT_EQ(path_a_->send_batch({ByteView(train).first(1200), 1200, ecn}), SendOutcome::kSent);
    received = {};
    received.take_from(*path_b_);
    EXPECT_THAT(received.ecn, ElementsAre(ecn)) << "of a single datagram";
  }
}

TEST_P(SplitUdp, QuicDiffersFromStunInItsHopLimit) {
  path_a_ = open(a_, b_);
  ASSERT_TRUE(path_a_);
  const bool v6 = a_.address().family() == AF_INET6;
  const int level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
  const int on = 1;
  ASSERT_EQ(::setsockopt(b_.fd(), level, v6 ? IPV6_RECVHOPLIMIT : IP_RECVTTL, &on, sizeof on), 0);
  const auto hop_limit = [&] {
    std::array<std::uint8_t, 2000> octets{};
    alignas(cmsghdr) std::array<std::uint8_t, 256> control{};
    iovec vector{octets.data(), octets.size()};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    EXPECT_GT(recvmsg(b_.fd(), &message, 0), 0);
    int value = -1;
    for (cmsghdr* at = CMSG_FIRSTHDR(&message); at != nullptr; at = CMSG_NXTHDR(&message, at)) {
      if (at->cmsg_level == level) std::memcpy(&value, CMSG_DATA(at), sizeof value);
    }
    return value;
  };
  ASSERT_EQ(path_a_->send_batch({quic_train(1, 100, 100), 100}), SendOutcome::kSent);
  EXPECT_EQ(hop_limit(), adapters::kSplitHopLimit);
  a_.send_to(b_, stun_message());
  EXPECT_EQ(hop_limit(), 64);
}

TEST_P(SplitUdp, LibnicesSocketWantsTrainsWhileQuicComesToOurs) {
  connect();
  EXPECT_EQ(b_.option(IPPROTO_UDP, UDP_GRO), 0);
  const auto arrive = [this] {
    ASSERT_EQ(path_a_->send_batch({quic_train(1, 500, 500), 500}), SendOutcome::kSent);
    Received().take_from(*path_b_);
  };
  arrive();
  EXPECT_EQ(b_.option(IPPROTO_UDP, UDP_GRO), 1);
  path_b_->quic_came_to_libnice();
  EXPECT_EQ(b_.option(IPPROTO_UDP, UDP_GRO), 0);
  arrive();
  EXPECT_EQ(b_.option(IPPROTO_UDP, UDP_GRO), 1);
  path_b_.reset();
  EXPECT_EQ(b_.option(IPPROTO_UDP, UDP_GRO), 0);
}

TEST_P(SplitUdp, AfterClosingLibniceGetsEachDatagramByItself) {
  connect();
  path_b_.reset();
  ASSERT_EQ(path_a_->send_batch({quic_train(5, 1200, 300), 1200}), SendOutcome::kSent);
  const auto datagrams = b_.receive();
  ASSERT_EQ(datagrams.size(), 5U);
  EXPECT_EQ(datagrams[0].size(), 1200U);
  EXPECT_EQ(datagrams[4].size(), 300U);
  // And the place beside it is free again.
  path_b_ = open(b_, a_);
  ASSERT_TRUE(path_b_);
  ASSERT_EQ(path_a_->send_batch({quic_train(5, 1200, 300), 1200}), SendOutcome::kSent);
  a_.send_to(b_, stun_message());
  Received received;
  received.take_from(*path_b_);
  EXPECT_EQ(received.octets.size(), 5100U);
  EXPECT_EQ(b_.receive().size(), 1U);
}

TEST_P(SplitUdp, FollowsThePeerToAnotherAddress) {
  connect();
  const PlainSocket moved(GetParam());
  auto path_moved = open(moved, b_);
  ASSERT_TRUE(path_moved);
  ASSERT_TRUE(path_b_->retarget(moved.address()));
  ASSERT_EQ(path_moved->send_batch({quic_train(2, 500, 500), 500}), SendOutcome::kSent);
  Received received;
  received.take_from(*path_b_);
  EXPECT_EQ(received.octets.size(), 1000U);
  ASSERT_EQ(path_b_->send_batch({quic_train(2, 500, 500), 500}), SendOutcome::kSent);
  received = {};
  received.take_from(*path_moved);
  EXPECT_EQ(received.octets.size(), 1000U);
  // Its old address is like any other now.
  ASSERT_EQ(path_a_->send_batch({quic_train(1, 500, 500), 500}), SendOutcome::kSent);
  EXPECT_EQ(b_.receive().size(), 1U);
}

TEST_P(SplitUdp, DatagramsThatDoNotFitAreALoss) {
  connect();
  // Loopback takes this much.
  const Bytes one(65400, 0x40);
  EXPECT_EQ(path_a_->send_batch({one, 0}), SendOutcome::kSent);
  Refusals ordered;
  ordered.sendmsg = [](int) { return EMSGSIZE; };
  const Bytes train = quic_train(3, 1452, 1452);
  EXPECT_EQ(path_a_->send_batch({train, 1452}), SendOutcome::kTooBig);
  ordered.sendmsg = [](int) { return EINVAL; };  // as older systems have it
  EXPECT_EQ(path_a_->send_batch({train, 1452}), SendOutcome::kTooBig);
  EXPECT_EQ(path_a_->send_batch({ByteView(train).first(1452), 1452}), SendOutcome::kError);
  EXPECT_FALSE(path_a_->broken());
}

TEST_P(SplitUdp, ARouteWithoutSegmentationBreaksThePath) {
  connect();
  Refusals ordered;
  ordered.sendmsg = [](int) { return EIO; };
  EXPECT_EQ(path_a_->send_batch({quic_train(1, 100, 100), 100}), SendOutcome::kError);
  EXPECT_FALSE(path_a_->broken());
  EXPECT_EQ(path_a_->send_batch({quic_train(3, 100, 100), 100}), SendOutcome::kError);
  EXPECT_TRUE(path_a_->broken());
}

TEST_P(SplitUdp, AFullBufferTakesNothing) {
  connect();
  Refusals ordered;
  ordered.sendmsg = [](int) { return EAGAIN; };
  EXPECT_EQ(path_a_->send_batch({quic_train(3, 100, 100), 100}), SendOutcome::kWouldBlock);
  EXPECT_FALSE(path_a_->broken());
}

struct NeededCall {
  const char* name;
  int level;
  int option;
};

TEST_P(SplitUdp, IsNotThereWhenTheSystemRefusesAnyOfWhatItNeeds) {
  const bool v6 = a_.address().family() == AF_INET6;
  std::vector<NeededCall> calls = {
      {"SO_REUSEPORT", SOL_SOCKET, SO_REUSEPORT},
      {"SO_ATTACH_REUSEPORT_CBPF", SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF},
      {"UDP_GRO", IPPROTO_UDP, UDP_GRO},
      {"UDP_SEGMENT", IPPROTO_UDP, UDP_SEGMENT},
  };
  if (v6) {
    calls.push_back({"IPV6_V6ONLY", IPPROTO_IPV6, IPV6_V6ONLY});
    calls.push_back({"IPV6_UNICAST_HOPS", IPPROTO_IPV6, IPV6_UNICAST_HOPS});
    calls.push_back({"IPV6_MTU_DISCOVER", IPPROTO_IPV6, IPV6_MTU_DISCOVER});
  } else {
    calls.push_back({"IP_TTL", IPPROTO_IP, IP_TTL});
    calls.push_back({"IP_MTU_DISCOVER", IPPROTO_IP, IP_MTU_DISCOVER});
  }
  const std::size_t descriptors = open_descriptors();
  for (const NeededCall& call : calls) {
    Refusals ordered;
    ordered.setsockopt = [&](int level, int option) -> std::optional<int> {
      if (level == call.level && option == call.option) return ENOPROTOOPT;
      return std::nullopt;
    };
    EXPECT_EQ(open(a_, b_), nullptr) << call.name;
    EXPECT_EQ(open_descriptors(), descriptors) << call.name;
    EXPECT_EQ(a_.option(IPPROTO_UDP, UDP_GRO), 0) << call.name;
  }
  {
    Refusals ordered;
    ordered.bind = [] { return EADDRINUSE; };
    EXPECT_EQ(open(a_, b_), nullptr);
  }
  // libnice's socket has kept working, and the path is there once nothing is refused.
  b_.send_to(a_, quic_train(1, 100, 100));
  EXPECT_EQ(a_.receive().size(), 1U);
  EXPECT_NE(open(a_, b_), nullptr);
}

TEST_P(SplitUdp, SmallBuffersAreNoReasonToDoWithout) {
  Refusals ordered;
  ordered.setsockopt = [](int level, int option) -> std::optional<int> {
    const bool buffer = option == SO_RCVBUF || option == SO_SNDBUF || option == SO_RCVBUFFORCE ||
                        option == SO_SNDBUFFORCE;
    if (level == SOL_SOCKET && buffer) return EPERM;
    return std::nullopt;
  };
  EXPECT_NE(open(a_, b_), nullptr);
}

INSTANTIATE_TEST_SUITE_P(Addresses, SplitUdp, ::testing::ValuesIn(loopback_addresses()));

TEST(SplitUdpPath, WantsAPairOfOneFamily) {
  const PlainSocket a("127.0.0.1");
  EXPECT_EQ(SplitUdpPath::open(a.shared(), *adapters::numeric_address("::1", 9)), nullptr);
  EXPECT_EQ(SplitUdpPath::open(nullptr, a.address()), nullptr);
}

}  // namespace
}  // namespace peersock::testing
