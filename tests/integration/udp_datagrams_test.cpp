#include "adapters/udp_datagrams.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace peersock::adapters {
namespace {

class Datagrams : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(from && to);
    const auto bound = numeric_address("127.0.0.1", port_of(bound_address(to.get())));
    ASSERT_TRUE(bound);
    target = *bound;
  }
  std::vector<Bytes> read_all() {
    std::vector<Bytes> found;
    while (reader.read(to.get(), [&](ByteView datagram, const SocketAddress& sender) {
      EXPECT_EQ(port_of(sender), port_of(bound_address(from.get())));
      found.emplace_back(datagram.begin(), datagram.end());
    }) > 0) {
    }
    return found;
  }
  UniqueFd from = open_datagram_socket();
  UniqueFd to = open_datagram_socket();
  SocketAddress target;
  DatagramReader reader;
};

TEST_F(Datagrams, ATrainArrivesAsItsDatagrams) {
  Bytes octets(10 * 1200 + 300);
  for (std::size_t i = 0; i < octets.size(); ++i) octets[i] = static_cast<std::uint8_t>(i / 7);
  DatagramSender sender(from.get(), target);
  EXPECT_EQ(sender.send({octets, 1200, quic::Ecn::kEct0}), quic::SendOutcome::kSent);
  EXPECT_EQ(sender.send({ByteView(octets).first(5), 0, quic::Ecn::kNotEct}),
            quic::SendOutcome::kSent);
  const auto found = read_all();
  ASSERT_EQ(found.size(), 12U);
  Bytes whole;
  for (std::size_t i = 0; i < 11; ++i) {
    EXPECT_EQ(found[i].size(), i < 10 ? 1200U : 300U);
    whole.insert(whole.end(), found[i].begin(), found[i].end());
  }
  EXPECT_EQ(whole, octets);
  EXPECT_EQ(found[11].size(), 5U);
}

TEST_F(Datagrams, MoreThanOneReadTakesArriveToo) {
  DatagramSender sender(from.get(), target);
  const Bytes octets(1, 7);
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(sender.send({octets, 1, quic::Ecn::kNotEct}), quic::SendOutcome::kSent);
  }
  EXPECT_EQ(read_all().size(), 100U);
}

TEST_F(Datagrams, ThoseThatAreTooLongForQuicAreLeftOut) {
  DatagramSender sender(from.get(), target);
  EXPECT_EQ(sender.send({Bytes(4000, 1), 0, quic::Ecn::kNotEct}), quic::SendOutcome::kSent);
  EXPECT_EQ(sender.send({Bytes(2048, 2), 0, quic::Ecn::kNotEct}), quic::SendOutcome::kSent);
  const auto found = read_all();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0], Bytes(2048, 2));
}

TEST_F(Datagrams, WhatNoLinkCanCarryIsTooBig) {
  DatagramSender sender(from.get(), target);
  EXPECT_EQ(sender.send({Bytes(70'000, 1), 0, quic::Ecn::kNotEct}), quic::SendOutcome::kTooBig);
}

TEST_F(Datagrams, AClosedSocketIsAnError) {
  DatagramSender sender(from.get(), target);
  from.reset();
  EXPECT_EQ(sender.send({Bytes(10, 1), 0, quic::Ecn::kNotEct}), quic::SendOutcome::kError);
}

TEST(NumericEndpoint, IsAddressAndPort) {
  EXPECT_EQ(numeric_endpoint(*numeric_address("192.0.2.1", 5)),
            (wire::StunAddress{"192.0.2.1", 5}));
  EXPECT_EQ(numeric_endpoint(*numeric_address("2001:db8::1", 9)),
            (wire::StunAddress{"2001:db8::1", 9}));
}

}  // namespace
}  // namespace peersock::adapters
