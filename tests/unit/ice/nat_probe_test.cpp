#include "ice/nat_probe.hpp"

#include <utility>

#include <gtest/gtest.h>

#include "model_nat.hpp"
#include "nat_probe_table.hpp"

namespace peersock::testing {
namespace {

using namespace ice::nat;  // NOLINT(google-build-using-namespace)

TEST(NatProbeTable, IsAsWrittenDown) {
  EXPECT_EQ(to_text(nat_probe_table()), expected_table("nat_probe"));
}

class EveryNat : public ::testing::TestWithParam<std::tuple<Mapping, Filtering, bool>> {
 protected:
  static ModelNetwork network() {
    ModelNetwork network;
    std::tie(network.mapping, network.filtering, network.hairpin) = GetParam();
    return network;
  }
  static Hairpin expected_hairpin() {
    const auto& [mapping, filtering, hairpin] = GetParam();
    if (mapping == Mapping::kEndpointIndependent) {
      return hairpin ? Hairpin::kWorks : Hairpin::kFails;
    }
    // The neighbours know each other's port toward the server alone, whose filter has seen nothing
    // go to anybody else.
    const bool comes_in = filtering == Filtering::kEndpointIndependent;
    return hairpin && comes_in ? Hairpin::kWorks : Hairpin::kUnknown;
  }
};

TEST_P(EveryNat, IsToldByAServerWithTwoAddresses) {
  ModelNat world(network());
  const Report report = world.probe();
  EXPECT_EQ(report.mapping, std::get<Mapping>(GetParam()));
  EXPECT_EQ(report.filtering, std::get<Filtering>(GetParam()));
  EXPECT_EQ(report.hairpin, expected_hairpin());
  EXPECT_EQ(report.mapped->address, ModelNat::kOutside);
  EXPECT_EQ(report.server, ModelNat::kServer);
  EXPECT_TRUE(report.translated);
  EXPECT_FALSE(report.port_kept);
  EXPECT_FALSE(report.address_varies);
  EXPECT_TRUE(report.has_other_address);
  EXPECT_LE(world.took, kProbeLimit);
}

TEST_P(EveryNat, IsToldWhereDatagramsAreLost) {
  ModelNetwork lossy = network();
  lossy.lost = 1;
  ModelNat world(lossy);
  const Report report = world.probe();
  EXPECT_EQ(report.mapping, lossy.mapping);
  EXPECT_EQ(report.filtering, lossy.filtering);
  EXPECT_EQ(report.hairpin, expected_hairpin());
  EXPECT_LE(world.took, kProbeLimit);
}

TEST_P(EveryNat, IsToldInPartByTwoOrdinaryServers) {
  ModelNetwork ordinary = network();
  ordinary.has_other_address = false;
  const Report report = ModelNat(ordinary).probe({ModelNat::kOther});
  EXPECT_EQ(report.mapping, ordinary.mapping == Mapping::kEndpointIndependent
                                ? Mapping::kEndpointIndependent
                                : Mapping::kEndpointDependent);
  EXPECT_EQ(report.filtering, Filtering::kUnknown);
  EXPECT_FALSE(report.has_other_address);
}

TEST_P(EveryNat, IsToldInPartByTwoPortsOfOneServer) {
  ModelNetwork ordinary = network();
  ordinary.has_other_address = false;
  const Report report = ModelNat(ordinary).probe({{ModelNat::kServer.address, 3479}});
  EXPECT_EQ(report.mapping, ordinary.mapping == Mapping::kAddressAndPortDependent
                                ? Mapping::kAddressAndPortDependent
                                : Mapping::kUnknown);
}

TEST_P(EveryNat, IsSeenButNotToldByOneOrdinaryServer) {
  ModelNetwork ordinary = network();
  ordinary.has_other_address = false;
  const Report report = ModelNat(ordinary).probe();
  EXPECT_TRUE(report.translated);
  EXPECT_EQ(report.mapping, Mapping::kUnknown);
  EXPECT_EQ(report.filtering, Filtering::kUnknown);
}

INSTANTIATE_TEST_SUITE_P(All, EveryNat,
                         ::testing::Combine(::testing::Values(Mapping::kEndpointIndependent,
                                                              Mapping::kAddressDependent,
                                                              Mapping::kAddressAndPortDependent),
                                            ::testing::Values(Filtering::kEndpointIndependent,
                                                              Filtering::kAddressDependent,
                                                              Filtering::kAddressAndPortDependent),
                                            ::testing::Bool()));

TEST(NatProbe, WithoutANatThereIsNothingToHairpin) {
  ModelNetwork open;
  open.nat = false;
  ModelNat world(open);
  const Report report = world.probe({{"192.0.2.66", 3478}});
  EXPECT_FALSE(report.translated);
  EXPECT_TRUE(report.port_kept);
  EXPECT_EQ(report.mapping, Mapping::kEndpointIndependent);
  EXPECT_EQ(report.filtering, Filtering::kEndpointIndependent);
  EXPECT_EQ(report.hairpin, Hairpin::kUnknown);
  EXPECT_LT(world.took, 500ms) << "nothing was waited for";
}

TEST(NatProbe, ASilentSecondServerIsNotWaitedForInVain) {
  ModelNat world{ModelNetwork{}};
  EXPECT_EQ(world.probe({{"192.0.2.66", 3478}}).mapping, Mapping::kEndpointIndependent);
  EXPECT_LT(world.took, 500ms);
}

TEST(NatProbe, AFirewallWithoutNatFilters) {
  ModelNetwork firewall;
  firewall.nat = false;
  firewall.filtering = Filtering::kAddressAndPortDependent;
  const Report report = ModelNat(firewall).probe();
  EXPECT_FALSE(report.translated);
  EXPECT_EQ(report.filtering, Filtering::kAddressAndPortDependent);
}

TEST(NatProbe, AnOtherAddressThatIsDeadSaysNothingOfTheFilter) {
  ModelNetwork broken;
  broken.other_address_works = false;
  const Report report = ModelNat(broken).probe();
  EXPECT_EQ(report.mapping, Mapping::kUnknown);
  EXPECT_EQ(report.filtering, Filtering::kUnknown);
}

TEST(NatProbe, AServerThatDoesNotHeedChangeRequestSaysNothingOfTheFilter) {
  ModelNetwork deaf;
  deaf.heeds_change_request = false;
  const Report report = ModelNat(deaf).probe();
  EXPECT_EQ(report.mapping, Mapping::kEndpointIndependent);
  EXPECT_EQ(report.filtering, Filtering::kUnknown);
}

TEST(NatProbe, SilenceIsReportedInTime) {
  ModelNetwork dead;
  dead.lost = 100;
  ModelNat world(dead);
  const Report report = world.probe({ModelNat::kOther});
  EXPECT_EQ(report, Report{});
  EXPECT_EQ(world.sent, 9) << "three requests, three times each";
  EXPECT_LE(world.took, kProbeLimit);
}

class NatProbeAlone : public ::testing::Test {
 protected:
  std::vector<ProbeOutput> start(std::vector<wire::StunAddress> others = {}) {
    machine = Probe({ModelNat::kServer, std::move(others), {ModelNat::kInside}, {5000, 5001}});
    return machine.handle(Started{}, now);
  }
  std::vector<ProbeOutput> answer(RequestId id, std::optional<wire::StunAddress> other = {}) {
    return machine.handle(
        BindingAnswered{id, ModelNat::kServer, {"198.51.100.9", 40000}, std::move(other)}, now);
  }
  Probe machine{{}};
  Instant now{};
};

TEST_F(NatProbeAlone, AnswersFromElsewhereDoNotCount) {
  static_cast<void>(start());
  const auto out =
      machine.handle(BindingAnswered{0, {"203.0.113.66", 3478}, {"198.51.100.9", 40000}, {}}, now);
  EXPECT_TRUE(out.empty());
  EXPECT_EQ(machine.state_name(), "Asking");
}

TEST_F(NatProbeAlone, AnAddressOfAnotherFamilyIsOfNoUse) {
  static_cast<void>(start());
  static_cast<void>(machine.handle(BindingRefused{1}, now));
  const auto out =
      machine.handle(BindingAnswered{0, ModelNat::kServer, {"2001:db8::1", 40000}, {}}, now);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(std::get<Finished>(out[0]).report.mapped, std::nullopt);
  EXPECT_EQ(std::get<Finished>(out[0]).report.trouble, Trouble::kRefused);
}

TEST_F(NatProbeAlone, WithoutARouteThereIsNothingToWaitFor) {
  static_cast<void>(start());
  static_cast<void>(machine.handle(SendFailed{0}, now));
  const auto out = machine.handle(SendFailed{1}, now);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(std::get<Finished>(out[0]).report.trouble, Trouble::kNoRoute);
}

TEST_F(NatProbeAlone, AnOtherAddressThatIsHalfTheSameIsOfNoUse) {
  for (const wire::StunAddress& other :
       {wire::StunAddress{ModelNat::kServer.address, 3479}, wire::StunAddress{"203.0.113.2", 3478},
        wire::StunAddress{"2001:db8::2", 3479}}) {
    static_cast<void>(start());
    EXPECT_TRUE(answer(0, other).empty()) << other.address << ' ' << other.port;
  }
}

TEST_F(NatProbeAlone, NoMoreThanThreeOtherServersAreAsked) {
  EXPECT_EQ(start(std::vector<wire::StunAddress>(50, ModelNat::kOther)).size(), 5U);
}

TEST_F(NatProbeAlone, NamesNoMoreRequestsThanItSays) {
  auto outputs = start(std::vector<wire::StunAddress>(3, ModelNat::kOther));
  for (const auto& out : {answer(0, ModelNat::kOther), answer(1, ModelNat::kOther)}) {
    outputs.insert(outputs.end(), out.begin(), out.end());
  }
  EXPECT_EQ(outputs.size(), 11U);
}

TEST_F(NatProbeAlone, APoolShowsInTwoSockets) {
  static_cast<void>(start());
  static_cast<void>(answer(0));
  static_cast<void>(
      machine.handle(BindingAnswered{1, ModelNat::kServer, {"198.51.100.10", 40000}, {}}, now));
  const auto end = machine.handle(StopRequested{}, now);
  ASSERT_EQ(end.size(), 1U);
  EXPECT_TRUE(std::get<Finished>(end[0]).report.address_varies);
}

TEST_F(NatProbeAlone, WhatWasCutShortIsUnknown) {
  static_cast<void>(start());
  static_cast<void>(answer(0, ModelNat::kOther));
  static_cast<void>(answer(1, ModelNat::kOther));
  const auto out = machine.handle(StopRequested{}, now);
  ASSERT_EQ(out.size(), 1U);
  const Report& report = std::get<Finished>(out[0]).report;
  EXPECT_TRUE(report.mapped);
  EXPECT_EQ(report.mapping, Mapping::kUnknown);
  EXPECT_EQ(report.filtering, Filtering::kUnknown);
  EXPECT_EQ(report.hairpin, Hairpin::kUnknown);
  EXPECT_EQ(machine.deadline(), std::nullopt);
}

TEST(NatReach, IsWhatIceCanDo) {
  struct Case {
    Mapping mapping;
    Filtering filtering;
    const char* reach;  // of each kind of peer: d(irect), n(ot), ? unknown
  };
  const Case cases[] = {
      {Mapping::kEndpointIndependent, Filtering::kEndpointIndependent, "ddddd"},
      {Mapping::kEndpointIndependent, Filtering::kAddressDependent, "ddddd"},
      {Mapping::kEndpointIndependent, Filtering::kAddressAndPortDependent, "ddddn"},
      {Mapping::kEndpointIndependent, Filtering::kUnknown, "dddd?"},
      {Mapping::kAddressDependent, Filtering::kAddressDependent, "dddnn"},
      {Mapping::kAddressAndPortDependent, Filtering::kAddressAndPortDependent, "dddnn"},
      {Mapping::kEndpointDependent, Filtering::kUnknown, "dddnn"},
      {Mapping::kUnknown, Filtering::kUnknown, "ddd??"},
      {Mapping::kUnknown, Filtering::kAddressAndPortDependent, "ddd?n"},
  };
  for (const Case& c : cases) {
    Report report;
    report.mapped = wire::StunAddress{"198.51.100.9", 40000};
    report.mapping = c.mapping;
    report.filtering = c.filtering;
    std::string found;
    for (const PeerKind kind : kPeerKinds) {
      found += std::string("dn?").at(static_cast<std::size_t>(reach(report, kind)));
    }
    EXPECT_EQ(found, c.reach) << to_string(c.mapping) << ", " << to_string(c.filtering);
    report.mapped.reset();
    EXPECT_EQ(reach(report, PeerKind::kOpen), Reach::kNotDirect);
  }
}

TEST(NatReach, APoolOfAddressesMissesFiltersThatLookAtThem) {
  Report report;
  report.mapped = wire::StunAddress{"198.51.100.9", 40000};
  report.address_varies = true;
  report.mapping = Mapping::kAddressAndPortDependent;
  EXPECT_EQ(reach(report, PeerKind::kFullCone), Reach::kDirect);
  EXPECT_EQ(reach(report, PeerKind::kAddressRestricted), Reach::kNotDirect);
  report.mapping = Mapping::kEndpointIndependent;
  EXPECT_EQ(reach(report, PeerKind::kAddressRestricted), Reach::kDirect)
      << "one socket keeps its own";
}

TEST(NatReach, APortIsSearchedForWhereOneMappingDependsOnTheDestination) {
  struct Case {
    Mapping mapping;
    const char* searched;  // for a peer behind a port-restricted NAT, and behind a symmetric one
  };
  const Case cases[] = {
      {Mapping::kEndpointIndependent, "-s"},
      {Mapping::kEndpointDependent, "s-"},
      {Mapping::kAddressDependent, "s-"},
      {Mapping::kAddressAndPortDependent, "s-"},
      {Mapping::kUnknown, "ss"},
  };
  for (const Case& c : cases) {
    Report report;
    report.mapped = wire::StunAddress{"198.51.100.9", 40000};
    report.mapping = c.mapping;
    std::string found;
    for (const PeerKind kind : {PeerKind::kPortRestricted, PeerKind::kSymmetric}) {
      found += searches_for_port(report, kind) ? 's' : '-';
    }
    EXPECT_EQ(found, c.searched) << to_string(c.mapping);
    report.mapped->address = "2001:db8::9";
    EXPECT_FALSE(searches_for_port(report, PeerKind::kSymmetric)) << "it is for IPv4 alone";
    report.mapped.reset();
    EXPECT_FALSE(searches_for_port(report, PeerKind::kSymmetric));
  }
}

}  // namespace
}  // namespace peersock::testing
