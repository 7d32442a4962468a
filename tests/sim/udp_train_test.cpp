// UDP_SEGMENT and UDP_GRO, and what of the IP header a socket chooses and is told.
#include "udp_semantics.hpp"

namespace peersock::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class UdpTrains : public UdpSemantics {};

// ---- UDP_SEGMENT ----

TEST_P(UdpTrains, ATrainIsSplitAndItsLastDatagramMayBeShorter) {
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

TEST_P(UdpTrains, ATrainHasItsLimits) {
  const UniqueFd sender = bound();
  const UniqueFd receiver = bound();
  const Name to = name_of(receiver);
  EXPECT_EQ(send(sender, to, counted(std::size_t{64} * 100), {segments_of(100)}), 0);
  EXPECT_EQ(receive(receiver).size(), 64U);
  // Since Linux 6.9 it is twice as many.
  EXPECT_EQ(send(sender, to, counted(std::size_t{128} * 100 + 1), {segments_of(100)}), EINVAL);
  const std::size_t most = is_ipv6() ? 65527 : 65507;
  EXPECT_EQ(send(sender, to, counted(65507), {segments_of(1200)}), 0);
  EXPECT_EQ(send(sender, to, counted(most + 1), {segments_of(1200)}), EMSGSIZE);
  EXPECT_EQ(send(sender, to, counted(most + 1)), EMSGSIZE);
  EXPECT_EQ(send(sender, to, counted(70000)), EMSGSIZE);
  EXPECT_EQ(set(sender, IPPROTO_UDP, UDP_SEGMENT, -1), EINVAL);
  EXPECT_EQ(set(sender, IPPROTO_UDP, UDP_SEGMENT, 65536), EINVAL);
}

TEST_P(UdpTrains, ControlMessagesOfAnotherFormAreRefused) {
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

TEST_P(UdpTrains, ATrainComesAsOneMessageToWhoWantsItSo) {
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
  ASSERT_EQ(send(sender, name_of(receiver), counted(std::size_t{64} * 1000), {segments_of(1000)}),
            0);
  got = receive(receiver);
  ASSERT_THAT(sizes(got), ElementsAre(64000));
  EXPECT_EQ(got[0].segment, 1000);
}

TEST_P(UdpTrains, WhatDoesNotFitTheReadersRoomIsLost) {
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

TEST_P(UdpTrains, ATrainIsTakenApartForWhoDoesNotWantIt) {
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

TEST_P(UdpTrains, SendersAreKeptApart) {
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

TEST_P(UdpTrains, TheTrafficClassArrivesAsItWasSent) {
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

TEST_P(UdpTrains, TheHopLimitArrivesAsItWasSent) {
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

TEST_P(UdpTrains, SwitchesAreToldAsOneAndNumbersHaveARange) {
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

INSTANTIATE_TEST_SUITE_P(Places, UdpTrains, ::testing::ValuesIn(places()), name_of_place);

}  // namespace
}  // namespace peersock::testing
