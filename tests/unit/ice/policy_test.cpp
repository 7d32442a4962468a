#include "ice/policy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace peersock::ice {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

LocalInterface ordinary(std::string name, std::string address) {
  return {std::move(name), std::move(address), true, false, false};
}
LocalInterface loopback(std::string address) {
  return {"lo", std::move(address), true, true, false};
}
LocalInterface tunnel(std::string name, std::string address) {
  return {std::move(name), std::move(address), true, false, true};
}

TEST(Policy, OrdinaryInterfacesComeBeforeTunnels) {
  EXPECT_THAT(choose_local_addresses({tunnel("tun0", "10.8.0.2"), loopback("127.0.0.1"),
                                      ordinary("eth0", "192.0.2.2"), ordinary("eth0", "fd00::2")}),
              ElementsAre("192.0.2.2", "fd00::2", "10.8.0.2"));
}

TEST(Policy, TunnelsAreKnownByFlagOrName) {
  EXPECT_THAT(
      choose_local_addresses({ordinary("wg0", "10.9.0.1"), tunnel("ppp0", "198.51.100.7"),
                              ordinary("tailscale0", "100.64.0.1"), ordinary("eno1", "192.0.2.2")}),
      ElementsAre("192.0.2.2", "10.9.0.1", "198.51.100.7", "100.64.0.1"));
}

TEST(Policy, LoopbackAloneIsUsed) {
  EXPECT_THAT(choose_local_addresses({loopback("127.0.0.1"), loopback("::1")}),
              ElementsAre("127.0.0.1", "::1"));
}

TEST(Policy, LoopbackIsKnownByAddressToo) {
  EXPECT_THAT(
      choose_local_addresses({ordinary("dummy0", "127.0.0.9"), ordinary("eth0", "192.0.2.2")}),
      ElementsAre("192.0.2.2"));
}

class ContainerBridge : public ::testing::TestWithParam<const char*> {};

TEST_P(ContainerBridge, IsLeftOutBesideAnOrdinaryInterface) {
  EXPECT_THAT(
      choose_local_addresses({ordinary(GetParam(), "172.17.0.1"), ordinary("eth0", "192.0.2.2")}),
      ElementsAre("192.0.2.2"));
}

TEST_P(ContainerBridge, IsUsedWhenThereIsNothingButLoopbackBeside) {
  EXPECT_THAT(choose_local_addresses({loopback("127.0.0.1"), ordinary(GetParam(), "172.17.0.1")}),
              ElementsAre("172.17.0.1"));
}

INSTANTIATE_TEST_SUITE_P(Names, ContainerBridge,
                         ::testing::Values("docker0", "br-0123456789ab", "virbr0", "lxcbr0",
                                           "lxdbr0", "incusbr0", "podman1", "cni0", "vmnet8",
                                           "vboxnet0", "cali12345", "flannel.1"));

class OrdinaryName : public ::testing::TestWithParam<const char*> {};

TEST_P(OrdinaryName, IsNoContainerBridge) {
  EXPECT_THAT(
      choose_local_addresses({ordinary(GetParam(), "192.0.2.3"), ordinary("eth0", "192.0.2.2")}),
      ElementsAre("192.0.2.3", "192.0.2.2"));
}

INSTANTIATE_TEST_SUITE_P(Names, OrdinaryName,
                         ::testing::Values("br0", "br-lan", "br-0123456789xy", "bridge0", "veth1",
                                           "wlan0", "enp3s0", "bond0"));

TEST(Policy, LinkLocalAddressesAreLeftOutBesideOthers) {
  EXPECT_THAT(choose_local_addresses({ordinary("eth0", "fe80::1"), ordinary("eth0", "169.254.3.4"),
                                      ordinary("eth0", "fe80:1::1"), ordinary("eth0", "febf::1")}),
              ElementsAre("fe80::1", "169.254.3.4", "fe80:1::1", "febf::1"));
  EXPECT_THAT(choose_local_addresses({ordinary("eth0", "fe80::1"), ordinary("eth0", "169.254.3.4"),
                                      ordinary("eth0", "192.0.2.2"), ordinary("eth0", "fe8::1")}),
              ElementsAre("192.0.2.2", "fe8::1"));
}

TEST(Policy, InterfacesThatAreDownAndDuplicatesAreLeftOut) {
  EXPECT_THAT(choose_local_addresses({{"eth1", "192.0.2.9", false, false, false},
                                      ordinary("eth0", "192.0.2.2"),
                                      ordinary("eth0:1", "192.0.2.2"),
                                      ordinary("eth2", "")}),
              ElementsAre("192.0.2.2"));
}

TEST(Policy, NothingGivesNothing) {
  EXPECT_THAT(choose_local_addresses({}), IsEmpty());
}

TEST(Policy, OneInterfaceCannotFillTheList) {
  std::vector<LocalInterface> many;
  many.reserve(41);
  for (int i = 0; i < 40; ++i) many.push_back(ordinary("eth0", "2001:db8::" + std::to_string(i)));
  many.push_back(ordinary("eth0", "192.0.2.2"));
  EXPECT_THAT(choose_local_addresses(many),
              ElementsAre("2001:db8::0", "2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.2"));
}

TEST(Policy, TheListIsBounded) {
  std::vector<LocalInterface> many;
  many.reserve(41);
  for (int i = 0; i < 40; ++i) {
    many.push_back(ordinary("eth" + std::to_string(i), "192.0.2." + std::to_string(i)));
  }
  const auto chosen = choose_local_addresses(many);
  EXPECT_THAT(chosen, SizeIs(kMaxLocalAddresses));
  EXPECT_EQ(chosen.front(), "192.0.2.0");
}

TEST(Policy, KeepsTheInterfaceOfEachAddress) {
  EXPECT_THAT(choose_local_interfaces({loopback("127.0.0.1"), ordinary("eth0", "fe80::1")}),
              ElementsAre(ordinary("eth0", "fe80::1")));
}

// ---- TCP ----------------------------------------------------------------------------------------

wire::Candidate tcp_candidate(std::string address) {
  wire::Candidate made;
  made.transport = wire::CandidateTransport::kTcpPassive;
  made.address = std::move(address);
  made.port = 4000;
  return made;
}

TEST(TcpPolicy, OnlyPublicAddressesLetPeersIn) {
  const std::vector<LocalInterface> chosen = {
      ordinary("eth0", "10.0.0.2"), ordinary("eth0", "192.0.2.2"), ordinary("eth0", "fe80::1"),
      ordinary("eth0", "fd00::2"), ordinary("eth0", "2001:db8::2")};
  EXPECT_THAT(choose_tcp_interfaces(chosen, false),
              ElementsAre(ordinary("eth0", "192.0.2.2"), ordinary("eth0", "2001:db8::2")));
  EXPECT_THAT(choose_tcp_interfaces({loopback("127.0.0.1")}, false), IsEmpty());
  EXPECT_THAT(choose_tcp_interfaces({loopback("127.0.0.1")}, true),
              ElementsAre(loopback("127.0.0.1")));
}

TEST(TcpPolicy, ContainerBridgesAreLeftOut) {
  const auto chosen =
      choose_local_interfaces({ordinary("docker0", "198.51.100.1"), ordinary("eth0", "192.0.2.2")});
  EXPECT_THAT(choose_tcp_interfaces(chosen, false), ElementsAre(ordinary("eth0", "192.0.2.2")));
}

TEST(TcpPolicy, TheAddressesAreBounded) {
  std::vector<LocalInterface> many;
  many.reserve(16);
  for (int i = 0; i < 16; ++i) many.push_back(ordinary("eth0", "192.0.2." + std::to_string(i)));
  const auto chosen = choose_tcp_interfaces(many, false);
  ASSERT_THAT(chosen, SizeIs(kMaxTcpAddresses));
  EXPECT_EQ(chosen.front().address, "192.0.2.0");
}

TEST(TcpPolicy, APriorityIsBelowDirectOnesOfUdpAndAboveRelays) {
  // As libnice gives them: host 120, server reflexive 100, relayed 30 at most.
  EXPECT_LT(tcp_priority(0), std::uint32_t{100} << 24U);
  EXPECT_GT(tcp_priority(kMaxTcpAddresses), std::uint32_t{31} << 24U);
  EXPECT_GT(tcp_priority(0), tcp_priority(1));
  EXPECT_GT(tcp_priority(1'000'000), 0U);
}

TEST(TcpPolicy, OnlyPassivePublicCandidatesAreConnectedTo) {
  EXPECT_TRUE(may_connect_to(tcp_candidate("192.0.2.2"), false));
  EXPECT_TRUE(may_connect_to(tcp_candidate("2001:db8::2"), false));
  for (const char* address : {"127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.1.1", "::1",
                              "fe80::1", "fd00::1", "100.64.0.1"}) {
    EXPECT_FALSE(may_connect_to(tcp_candidate(address), false)) << address;
    EXPECT_TRUE(may_connect_to(tcp_candidate(address), true)) << address;
  }
  for (const auto transport : {wire::CandidateTransport::kUdp, wire::CandidateTransport::kTcpActive,
                               wire::CandidateTransport::kTcpSimultaneous}) {
    auto other = tcp_candidate("192.0.2.2");
    other.transport = transport;
    EXPECT_FALSE(may_connect_to(other, true));
  }
  for (const auto type : {wire::CandidateType::kPeerReflexive, wire::CandidateType::kRelayed}) {
    auto other = tcp_candidate("192.0.2.2");
    other.type = type;
    EXPECT_FALSE(may_connect_to(other, true));
  }
}

TEST(Addresses, ThatAreNotReachedFromAnywhere) {
  for (const char* address :
       {"10.1.2.3", "127.0.0.1", "192.168.1.1", "172.16.0.1", "172.31.255.1", "100.64.0.1",
        "100.127.1.1", "169.254.1.1", "fe80::1", "fd00::1", "fc00::1", "::1"}) {
    EXPECT_FALSE(is_public(address)) << address;
  }
  for (const char* address : {"1.1.1.1", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1",
                              "192.169.0.1", "2001:db8::1"}) {
    EXPECT_TRUE(is_public(address)) << address;
  }
}

}  // namespace
}  // namespace peersock::ice
