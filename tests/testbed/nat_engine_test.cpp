#include "nat_engine.hpp"

#include <array>
#include <set>

#include <gtest/gtest.h>

namespace peersock::testbed {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t inside = 0x0a000002, external = 0xc6336410, first = 0xc000020a,
                        second = 0xc000020b;
constexpr Endpoint host{inside, 40000};

NatConfig config(Dependence mapping, Dependence filtering, Ports ports = Ports::Random) {
  NatConfig made;
  made.mapping = mapping;
  made.filtering = filtering;
  made.ports = ports;
  made.addresses = {external};
  return made;
}

Endpoint sent(NatEngine& nat, const Endpoint& from, const Endpoint& to, Time now = 0s) {
  const auto verdict = nat.outbound(Protocol::Udp, {from, to}, now);
  EXPECT_TRUE(verdict);
  return verdict ? verdict->flow.source : Endpoint{};
}

bool lets_in(NatEngine& nat, const Endpoint& from, const Endpoint& to, Time now = 0s) {
  const auto flow = nat.inbound(Protocol::Udp, {from, to}, now);
  EXPECT_TRUE(!flow || flow->source == from);
  return flow && flow->destination == host;
}

struct MappingCase {
  Dependence mapping;
  bool same_for_other_port;
  bool same_for_other_address;
};
class Mapping : public testing::TestWithParam<MappingCase> {};

TEST_P(Mapping, DependsOnWhatRfc4787Says) {
  NatEngine nat(config(GetParam().mapping, Dependence::Independent), 7);
  const auto base = sent(nat, host, {first, 1});
  EXPECT_EQ(sent(nat, host, {first, 1}), base);
  EXPECT_EQ(sent(nat, host, {first, 2}) == base, GetParam().same_for_other_port);
  EXPECT_EQ(sent(nat, host, {second, 1}) == base, GetParam().same_for_other_address);
  EXPECT_NE(sent(nat, {inside, 40001}, {first, 1}), base);
}

INSTANTIATE_TEST_SUITE_P(All, Mapping,
                         testing::Values(MappingCase{Dependence::Independent, true, true},
                                         MappingCase{Dependence::Address, true, false},
                                         MappingCase{Dependence::AddressAndPort, false, false}));

struct FilterCase {
  Dependence filtering;
  bool lets_other_port_in;
  bool lets_other_address_in;
};
class Filter : public testing::TestWithParam<FilterCase> {};

TEST_P(Filter, DependsOnWhatRfc4787Says) {
  NatEngine nat(config(Dependence::Independent, GetParam().filtering), 7);
  const auto mapped = sent(nat, host, {first, 1});
  EXPECT_TRUE(lets_in(nat, {first, 1}, mapped));
  EXPECT_EQ(lets_in(nat, {first, 2}, mapped), GetParam().lets_other_port_in);
  EXPECT_EQ(lets_in(nat, {second, 1}, mapped), GetParam().lets_other_address_in);
  EXPECT_FALSE(nat.inbound(Protocol::Tcp, {{first, 1}, mapped}, 0s));
}

INSTANTIATE_TEST_SUITE_P(All, Filter,
                         testing::Values(FilterCase{Dependence::Independent, true, true},
                                         FilterCase{Dependence::Address, true, false},
                                         FilterCase{Dependence::AddressAndPort, false, false}));

TEST(Ports, ArePreservedUnlessTaken) {
  NatEngine nat(config(Dependence::Independent, Dependence::Independent, Ports::Preserved), 1);
  EXPECT_EQ(sent(nat, host, {first, 1}).port, host.port);
  EXPECT_EQ(sent(nat, {inside + 1, host.port}, {first, 1}).port, host.port + 1);
}

TEST(Ports, FollowEachOther) {
  NatEngine nat(config(Dependence::AddressAndPort, Dependence::Independent, Ports::Sequential), 1);
  const auto base = sent(nat, host, {first, 1}).port;
  EXPECT_EQ(sent(nat, host, {first, 2}).port, base + 1);
  EXPECT_EQ(sent(nat, host, {first, 3}).port, base + 2);
}

TEST(Ports, AreTheSameForTheSameSeedAlone) {
  std::set<std::uint16_t> drawn;
  for (const std::uint64_t seed : {1U, 1U, 2U}) {
    NatEngine nat(config(Dependence::Independent, Dependence::Independent), seed);
    drawn.insert(sent(nat, host, {first, 1}).port);
  }
  EXPECT_EQ(drawn.size(), 2);
}

TEST(Times, EndWithTheLastPacketFromInside) {
  auto short_lived = config(Dependence::Independent, Dependence::Address);
  short_lived.timeout = 30s;
  NatEngine nat(short_lived, 1);
  const auto mapped = sent(nat, host, {first, 1});
  EXPECT_TRUE(lets_in(nat, {first, 1}, mapped, 29s));
  EXPECT_FALSE(lets_in(nat, {first, 1}, mapped, 30s));
  EXPECT_NE(sent(nat, host, {first, 1}, 31s), mapped);
  EXPECT_EQ(nat.mappings(), 1);
}

TEST(Times, OfTheFilterAreItsOwn) {
  NatEngine nat(config(Dependence::Independent, Dependence::Address), 1);
  const auto mapped = sent(nat, host, {first, 1});
  EXPECT_EQ(sent(nat, host, {second, 1}, 100s), mapped);
  EXPECT_FALSE(lets_in(nat, {first, 1}, mapped, 130s));
  EXPECT_TRUE(lets_in(nat, {second, 1}, mapped, 130s));
}

TEST(Hairpin, GoesBackWithTheExternalSource) {
  for (const bool hairpin : {true, false}) {
    auto made = config(Dependence::Independent, Dependence::Independent);
    made.hairpin = hairpin;
    NatEngine nat(made, 1);
    const auto mapped = sent(nat, host, {first, 1});
    const Endpoint neighbour{inside + 1, 5};
    const auto verdict = nat.outbound(Protocol::Udp, {neighbour, mapped}, 0s);
    ASSERT_EQ(verdict.has_value(), hairpin);
    if (!hairpin) continue;
    EXPECT_TRUE(verdict->hairpinned);
    EXPECT_EQ(verdict->flow.destination, host);
    EXPECT_EQ(verdict->flow.source.address, external);
  }
}

TEST(Pool, IsPairedOrNot) {
  for (const bool paired : {true, false}) {
    auto made = config(Dependence::AddressAndPort, Dependence::Independent);
    made.addresses = {external, external + 1, external + 2, external + 3};
    made.paired = paired;
    NatEngine nat(made, 1);
    std::set<std::uint32_t> used;
    for (std::uint16_t port = 1; port <= 32; ++port) {
      used.insert(sent(nat, host, {first, port}).address);
    }
    EXPECT_EQ(used.size() == 1, paired);
  }
}

TEST(Limits, AMappingMoreThanAllowedIsRefusedUntilOneEnds) {
  auto made = config(Dependence::AddressAndPort, Dependence::Independent);
  made.most_mappings = 2;
  NatEngine nat(made, 1);
  static_cast<void>(sent(nat, host, {first, 1}));
  static_cast<void>(sent(nat, host, {first, 2}));
  EXPECT_FALSE(nat.outbound(Protocol::Udp, {host, {first, 3}}, 1s));
  EXPECT_TRUE(nat.outbound(Protocol::Udp, {host, {first, 3}}, 121s));
}

TEST(Reboot, ForgetsEverything) {
  NatEngine nat(config(Dependence::Independent, Dependence::Independent), 1);
  const auto mapped = sent(nat, host, {first, 1});
  nat.reboot();
  EXPECT_FALSE(lets_in(nat, {first, 1}, mapped));
  EXPECT_NE(sent(nat, host, {first, 1}), mapped);
}

}  // namespace
}  // namespace peersock::testbed
