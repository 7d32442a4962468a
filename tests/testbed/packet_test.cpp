#include "packet.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace peersock::testbed {
namespace {

using namespace std::chrono_literals;
using Octets = std::vector<std::uint8_t>;

constexpr std::uint32_t inside = 0x0a000002, external = 0xc6336410, remote = 0xc000020a;

void put16(Octets& octets, std::size_t at, std::uint32_t value) {
  octets[at] = static_cast<std::uint8_t>(value >> 8U);
  octets[at + 1] = static_cast<std::uint8_t>(value);
}

void put32(Octets& octets, std::size_t at, std::uint32_t value) {
  put16(octets, at, value >> 16U);
  put16(octets, at + 2, value);
}

// Over the pseudo-header as well; 0 when it is right.
std::uint16_t transport_sum(const Octets& packet) {
  Octets all(12);
  std::copy(packet.begin() + 12, packet.begin() + 20, all.begin());
  all[9] = packet[9];
  put16(all, 10, static_cast<std::uint32_t>(packet.size() - 20));
  all.insert(all.end(), packet.begin() + 20, packet.end());
  return internet_checksum(all);
}

Octets packet(Protocol protocol, const Endpoint& from, const Endpoint& to) {
  const std::size_t header = protocol == Protocol::Tcp ? 20 : 8;
  Octets made(20 + header + 5, 0x5a);
  std::fill(made.begin(), made.begin() + 20 + static_cast<std::ptrdiff_t>(header), 0);
  made[0] = 0x45;
  put16(made, 2, static_cast<std::uint32_t>(made.size()));
  made[8] = 64;
  made[9] = static_cast<std::uint8_t>(protocol);
  put32(made, 12, from.address);
  put32(made, 16, to.address);
  put16(made, 10, internet_checksum(std::span(made).first(20)));
  put16(made, 20, from.port);
  put16(made, 22, to.port);
  if (protocol == Protocol::Udp) put16(made, 24, static_cast<std::uint32_t>(header + 5));
  put16(made, protocol == Protocol::Udp ? 26 : 36, transport_sum(made));
  return made;
}

NatEngine engine() {
  NatConfig config;
  config.ports = Ports::Random;
  config.addresses = {external};
  return {config, 3};
}

class Translation : public testing::TestWithParam<Protocol> {};

TEST_P(Translation, ThereAndBackKeepsTheChecksumsRight) {
  auto nat = engine();
  auto out = packet(GetParam(), {inside, 4000}, {remote, 80});
  ASSERT_EQ(translate_outbound(out, nat, 0s), Exit::Outside);
  EXPECT_EQ(source_address(out), external);
  EXPECT_EQ(out[8], 63);
  EXPECT_EQ(internet_checksum(std::span(out).first(20)), 0);
  EXPECT_EQ(transport_sum(out), 0);
  const auto port = static_cast<std::uint16_t>(out[20] << 8U | out[21]);
  auto back = packet(GetParam(), {remote, 80}, {external, port});
  ASSERT_EQ(translate_inbound(back, nat, 0s), Exit::Inside);
  EXPECT_EQ(destination_address(back), inside);
  EXPECT_EQ(back[22] << 8U | back[23], 4000);
  EXPECT_EQ(internet_checksum(std::span(back).first(20)), 0);
  EXPECT_EQ(transport_sum(back), 0);
}

INSTANTIATE_TEST_SUITE_P(Both, Translation, testing::Values(Protocol::Udp, Protocol::Tcp));

TEST(Errors, AreTranslatedWithWhatTheyQuote) {
  auto nat = engine();
  auto out = packet(Protocol::Udp, {inside, 4000}, {remote, 80});
  ASSERT_TRUE(translate_outbound(out, nat, 0s));
  Octets error(28);
  error[0] = 0x45;
  put16(error, 2, static_cast<std::uint32_t>(28 + out.size()));
  error[8] = 64;
  error[9] = 1;
  put32(error, 12, 0xcb007101);  // a router on the way
  put32(error, 16, external);
  put16(error, 10, internet_checksum(error));
  error[20] = 3;
  error.insert(error.end(), out.begin(), out.end());
  put16(error, 22, internet_checksum(std::span(error).subspan(20)));
  ASSERT_EQ(translate_inbound(error, nat, 0s), Exit::Inside);
  EXPECT_EQ(destination_address(error), inside);
  EXPECT_EQ(source_address(std::span(error).subspan(28)), inside);
  EXPECT_EQ(error[48] << 8U | error[49], 4000);
  EXPECT_EQ(internet_checksum(std::span(error).subspan(20)), 0);
  EXPECT_EQ(internet_checksum(std::span(error).first(20)), 0);
}

TEST(Refusal, WhateverIsCutShort) {
  const auto whole = packet(Protocol::Udp, {inside, 4000}, {remote, 80});
  for (std::size_t length = 0; length < 28; ++length) {
    auto nat = engine();
    Octets cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_FALSE(translate_outbound(cut, nat, 0s)) << length;
  }
}

TEST(Refusal, FragmentsAndTheDying) {
  auto nat = engine();
  auto fragment = packet(Protocol::Udp, {inside, 4000}, {remote, 80});
  fragment[6] = 0x20;
  EXPECT_FALSE(translate_outbound(fragment, nat, 0s));
  auto dying = packet(Protocol::Udp, {inside, 4000}, {remote, 80});
  dying[8] = 1;
  EXPECT_FALSE(translate_outbound(dying, nat, 0s));
}

}  // namespace
}  // namespace peersock::testbed
