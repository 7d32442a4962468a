#include "ice/mapping_observation.hpp"

#include <gtest/gtest.h>

namespace peersock::testing {
namespace {

using namespace ice;  // NOLINT(google-build-using-namespace)
using wire::PortMapping;
using wire::StunAddress;

const StunAddress kServer{"203.0.113.1", 3478};
const StunAddress kSamePlace{"203.0.113.1", 3479};
const StunAddress kElsewhere{"203.0.113.2", 3478};
const StunAddress kOuter{"198.51.100.9", 40000};
const StunAddress kOuterToo{"198.51.100.9", 40001};
constexpr Instant kStart = Instant{} + 1h;

class Observation : public ::testing::Test {
 protected:
  void begin(std::vector<StunAddress> servers, std::vector<std::string> own = {}) {
    machine = MappingObservation(std::move(servers), std::move(own));
    machine.start({30000, 30001, 30002, 30003}, kStart);
    asked = machine.take_due(kStart).size();
  }
  void answer(const StunAddress& from, const StunAddress& mapped,
              std::optional<StunAddress> other = {}) {
    machine.answered(kMainSocket, from, mapped, other, kStart);
  }
  MappingObservation machine{{}, {}};
  std::size_t asked = 0;
};

TEST_F(Observation, TwoServersThatSeeTheSameTellAnIndependentMapping) {
  begin({kServer, kElsewhere});
  EXPECT_EQ(asked, 2 + kScouts);
  answer(kServer, kOuter);
  answer(kElsewhere, kOuter);
  EXPECT_EQ(machine.mapping(), PortMapping::kEndpointIndependent);
  EXPECT_EQ(machine.external(), kOuter);
}

TEST_F(Observation, AnyDifferenceTellsADependentOne) {
  begin({kServer, kSamePlace});
  answer(kServer, kOuter);
  answer(kSamePlace, kOuterToo);
  EXPECT_EQ(machine.mapping(), PortMapping::kEndpointDependent);
}

TEST_F(Observation, OnePlaceTellsNothing) {
  begin({kServer, kSamePlace});
  EXPECT_EQ(machine.mapping(), PortMapping::kUnknown);
  answer(kServer, kOuter);
  answer(kSamePlace, kOuter);
  EXPECT_EQ(machine.mapping(), PortMapping::kUnknown) << "the mapping may be by address";
}

TEST_F(Observation, TheOtherAddressOfAServerIsAskedToo) {
  begin({kServer});
  answer(kServer, kOuter, kElsewhere);
  const auto due = machine.take_due(kStart);
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due[0].server, kElsewhere);
  answer(kElsewhere, kOuterToo);
  EXPECT_EQ(machine.mapping(), PortMapping::kEndpointDependent);
}

TEST_F(Observation, AnOtherAddressOfNoUseIsNotAsked) {
  begin({kServer});
  answer(kServer, kOuter, kSamePlace);
  EXPECT_TRUE(machine.take_due(kStart).empty());
  begin({kServer});
  answer(kServer, kOuter, StunAddress{"2001:db8::1", 3478});
  EXPECT_TRUE(machine.take_due(kStart).empty());
}

TEST_F(Observation, WithoutANatOneServerIsEnough) {
  begin({kServer}, {"198.51.100.9"});
  answer(kServer, {"198.51.100.9", 30000});
  EXPECT_EQ(machine.mapping(), PortMapping::kEndpointIndependent);
  begin({kServer}, {"198.51.100.9"});
  answer(kServer, kOuter);
  EXPECT_EQ(machine.mapping(), PortMapping::kUnknown) << "another port";
}

TEST_F(Observation, AsksAgainAndEndsInTime) {
  begin({kServer});
  EXPECT_EQ(machine.deadline(), kStart + kObservationRetries[0]);
  EXPECT_EQ(machine.take_due(kStart + kObservationRetries[0]).size(), 1 + kScouts);
  EXPECT_EQ(machine.take_due(kStart + 1s).size(), 1 + kScouts);
  EXPECT_TRUE(machine.take_due(kStart + 1400ms).empty());
  EXPECT_FALSE(machine.done(kStart + 1400ms));
  EXPECT_TRUE(machine.done(kStart + kObservationLimit));
  EXPECT_EQ(machine.external(), std::nullopt);
}

TEST_F(Observation, ScoutsAreInTheOrderInWhichTheyAsked) {
  begin({kServer});
  machine.answered(3, kServer, {kOuter.address, 703}, {}, kStart);
  machine.answered(1, kServer, {kOuter.address, 701}, {}, kStart);
  machine.answered(2, kElsewhere, {kOuter.address, 702}, {}, kStart);
  const auto seen = machine.scouts();
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].mapped, 701);
  EXPECT_EQ(seen[1].local, 30003);
}

TEST_F(Observation, AnswersFromElsewhereOrAgainDoNotCount) {
  begin({kServer});
  answer(kElsewhere, kOuterToo);
  answer(kServer, kOuter);
  answer(kServer, kOuterToo);
  EXPECT_EQ(machine.external(), kOuter);
}

TEST_F(Observation, NoMoreServersThanAllowedAreAsked) {
  begin({kServer,
         kSamePlace,
         kElsewhere,
         {"203.0.113.3", 1},
         {"203.0.113.4", 1},
         {"2001:db8::1", 1}});
  EXPECT_EQ(asked, kMaxObservedServers + kScouts);
  for (int i = 10; i < 100; ++i) {
    answer(kServer, kOuter, StunAddress{"203.0.113." + std::to_string(i), 1});
  }
  EXPECT_TRUE(machine.take_due(kStart).empty());
}

}  // namespace
}  // namespace peersock::testing
