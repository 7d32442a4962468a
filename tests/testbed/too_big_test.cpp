#include "too_big.hpp"

#include <gtest/gtest.h>

#include "line.hpp"
#include "packet.hpp"

namespace peersock::testbed {
namespace {

using namespace std::chrono_literals;
using Octets = std::vector<std::uint8_t>;

constexpr std::size_t ethernet = 14;
constexpr std::uint16_t mtu = 1280;
constexpr std::uint8_t udp = 17, tcp = 6, icmp = 1, icmpv6 = 58;

Router router() {
  Router made;
  made.ipv4 = {203, 0, 113, 7};
  made.ipv6 = {0x20, 1, 0xd, 0xb8};
  made.ipv6[15] = 7;
  return made;
}

void put16(Octets& octets, std::size_t at, std::size_t value) {
  octets[at] = static_cast<std::uint8_t>(value >> 8U);
  octets[at + 1] = static_cast<std::uint8_t>(value);
}

std::size_t get16(const Octets& octets, std::size_t at) {
  return static_cast<std::size_t>(octets[at]) << 8U | octets[at + 1];
}

Octets ethernet_header(std::size_t type) {
  Octets made{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0, 0};
  put16(made, 12, type);
  return made;
}

// From 10.0.0.2 port 4000 to 192.0.2.10 port 80, "don't fragment".
Octets ipv4_frame(std::size_t size, std::uint8_t protocol = udp) {
  Octets made = ethernet_header(0x0800);
  made.resize(ethernet + size);
  made[ethernet] = 0x45;
  put16(made, ethernet + 2, size);
  made[ethernet + 6] = 0x40;
  made[ethernet + 8] = 64;
  made[ethernet + 9] = protocol;
  const Octets addresses{10, 0, 0, 2, 192, 0, 2, 10};
  std::copy(addresses.begin(), addresses.end(), made.begin() + ethernet + 12);
  put16(made, ethernet + 10, internet_checksum(std::span(made).subspan(ethernet, 20)));
  put16(made, ethernet + 20, 4000);
  put16(made, ethernet + 22, 80);
  put16(made, ethernet + 24, size - 20);
  return made;
}

// From 2001:db8:1::2 to 2001:db8:2::2.
Octets ipv6_frame(std::size_t size, std::uint8_t next = udp) {
  Octets made = ethernet_header(0x86dd);
  made.resize(ethernet + size);
  made[ethernet] = 0x60;
  put16(made, ethernet + 4, size - 40);
  made[ethernet + 6] = next;
  made[ethernet + 7] = 64;
  for (const std::size_t at : {8U, 24U}) {
    const Octets prefix{0x20, 1, 0xd, 0xb8, 0, static_cast<std::uint8_t>(at / 16 + 1)};
    std::copy(prefix.begin(), prefix.end(),
              made.begin() + static_cast<std::ptrdiff_t>(ethernet + at));
    made[ethernet + at + 15] = 2;
  }
  return made;
}

std::uint16_t icmpv6_sum(const Octets& packet) {
  Octets all(packet.begin() + 8, packet.begin() + 40);
  all.resize(40);
  put16(all, 34, packet.size() - 40);
  all[39] = icmpv6;
  all.insert(all.end(), packet.begin() + 40, packet.end());
  return internet_checksum(all);
}

TEST(TooBig, Ipv4GetsFragmentationNeeded) {
  const Octets frame = ipv4_frame(1400);
  const auto answer = too_big_answer(frame, mtu, router());
  ASSERT_TRUE(answer);
  EXPECT_TRUE(std::equal(answer->begin(), answer->begin() + 6, frame.begin() + 6)) << "back";
  EXPECT_TRUE(std::equal(answer->begin() + 6, answer->begin() + 12, frame.begin()));
  const Octets packet(answer->begin() + ethernet, answer->end());
  EXPECT_EQ(packet.size(), 576);
  EXPECT_EQ(get16(packet, 2), packet.size());
  EXPECT_EQ(packet[9], icmp);
  EXPECT_EQ(internet_checksum(std::span(packet).first(20)), 0);
  EXPECT_EQ(source_address(packet), 0xcb007107);
  EXPECT_EQ(destination_address(packet), 0x0a000002);
  EXPECT_EQ(packet[20], 3);
  EXPECT_EQ(packet[21], 4);
  EXPECT_EQ(get16(packet, 26), mtu);
  EXPECT_EQ(internet_checksum(std::span(packet).subspan(20)), 0);
  EXPECT_TRUE(std::equal(packet.begin() + 28, packet.end(), frame.begin() + ethernet)) << "quoted";
}

TEST(TooBig, Ipv6GetsPacketTooBig) {
  const Octets frame = ipv6_frame(1400);
  const auto answer = too_big_answer(frame, mtu, router());
  ASSERT_TRUE(answer);
  const Octets packet(answer->begin() + ethernet, answer->end());
  EXPECT_EQ(packet.size(), 1280);
  EXPECT_EQ(get16(packet, 4), packet.size() - 40);
  EXPECT_EQ(packet[6], icmpv6);
  EXPECT_TRUE(std::equal(packet.begin() + 24, packet.begin() + 40, frame.begin() + ethernet + 8));
  EXPECT_EQ(packet[23], 7) << "from the router";
  EXPECT_EQ(packet[40], 2);
  EXPECT_EQ(packet[41], 0);
  EXPECT_EQ(get16(packet, 46), mtu);
  EXPECT_EQ(icmpv6_sum(packet), 0);
  EXPECT_TRUE(std::equal(packet.begin() + 48, packet.end(), frame.begin() + ethernet)) << "quoted";
}

TEST(TooBig, NothingIsSaidWhereARouterKeepsQuiet) {
  const auto answers = [](const Octets& frame) {
    return too_big_answer(frame, mtu, router()).has_value();
  };
  EXPECT_TRUE(answers(ipv4_frame(1400, tcp)));
  auto may_be_cut = ipv4_frame(1400);
  may_be_cut[ethernet + 6] = 0;
  EXPECT_FALSE(answers(may_be_cut));
  auto fragment = ipv4_frame(1400);
  fragment[ethernet + 7] = 9;
  EXPECT_FALSE(answers(fragment));
  auto multicast = ipv4_frame(1400);
  multicast[ethernet + 16] = 224;
  EXPECT_FALSE(answers(multicast));
  auto error = ipv4_frame(1400, icmp);
  error[ethernet + 20] = 3;
  EXPECT_FALSE(answers(error));
  error[ethernet + 20] = 8;
  EXPECT_TRUE(answers(error)) << "an echo is no error";
  auto error6 = ipv6_frame(1400, icmpv6);
  error6[ethernet + 40] = 1;
  EXPECT_FALSE(answers(error6));
  error6[ethernet + 40] = 128;
  EXPECT_TRUE(answers(error6));
  auto arp = ipv4_frame(1400);
  put16(arp, 12, 0x0806);
  EXPECT_FALSE(answers(arp));
}

TEST(TooBig, WhateverIsCutShortIsNotAnswered) {
  for (const Octets& whole : {ipv4_frame(1400), ipv6_frame(1400)}) {
    const std::size_t least = ethernet + (whole[12] == 8 ? 28 : 48);
    for (std::size_t length = 0; length < least; ++length) {
      const Octets cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
      EXPECT_FALSE(too_big_answer(cut, mtu, router())) << length;
    }
  }
}

// The sender of what did not fit is told in its own words, behind a NAT as well.
TEST(TooBig, ComesBackThroughANat) {
  NatConfig config;
  config.ports = Ports::Random;
  config.addresses = {0xc6336410};
  NatEngine nat(config, 3);
  Octets frame = ipv4_frame(1400);
  const Octets sent(frame.begin() + ethernet, frame.end());
  ASSERT_EQ(translate_outbound(std::span(frame).subspan(ethernet), nat, 0s), Exit::Outside);
  const auto answer = too_big_answer(frame, mtu, router());
  ASSERT_TRUE(answer);
  Octets packet(answer->begin() + ethernet, answer->end());
  EXPECT_EQ(destination_address(packet), 0xc6336410);
  ASSERT_EQ(translate_inbound(packet, nat, 0s), Exit::Inside);
  EXPECT_EQ(destination_address(packet), 0x0a000002);
  EXPECT_EQ(internet_checksum(std::span(packet).subspan(20)), 0);
  EXPECT_EQ(get16(packet, 26), mtu);
  const auto quoted = std::span(packet).subspan(28);
  EXPECT_EQ(source_address(quoted), 0x0a000002);
  EXPECT_EQ(get16(packet, 28 + 20), 4000);
  EXPECT_TRUE(std::equal(quoted.begin() + 12, quoted.begin() + 24, sent.begin() + 12));
}

TEST(TooBig, ALineRefusesWhatDoesNotFit) {
  LineConfig config;
  config.tells = mtu;
  config.router = router();
  Line line(config, 1);
  const Octets fits = ipv4_frame(mtu);
  const Octets longer = ipv4_frame(mtu + 1);
  EXPECT_FALSE(line.refuse(fits));
  EXPECT_TRUE(line.refuse(longer));
  line.enter(longer, 0s);
  EXPECT_FALSE(line.leave(1s));
  line.enter(fits, 1s);
  EXPECT_EQ(line.leave(2s), fits);
  EXPECT_FALSE(Line(LineConfig{}, 1).refuse(longer));
}

}  // namespace
}  // namespace peersock::testbed
