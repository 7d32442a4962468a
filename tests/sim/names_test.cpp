// Names of a simulation: the system's resolver of the program, over a table and in virtual time.
#include <gmock/gmock.h>

#include "adapters/resolver.hpp"
#include "sim_hosts.hpp"

namespace peersock::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Optional;

constexpr const char* kName = "server.example";

class SimNames : public SimHosts {
 protected:
  /// What the program's resolver says within a minute, and when.
  std::optional<adapters::ResolveResult> ask(sim::Host& host, const std::string& name,
                                             Duration timeout = 10s) {
    std::optional<adapters::ResolveResult> result;
    adapters::Lookup lookup;
    const sim::Nanos asked = sim::now();
    host.run([&] {
      const auto resolver = adapters::make_system_resolver(host.context());
      lookup = resolver(name, timeout, [&](adapters::ResolveResult given) {
        result = std::move(given);
        took = sim::now() - asked;
      });
    });
    pass(60s);
    host.run([&] { lookup.reset(); });
    return result;
  }
  std::string failure(sim::Host& host, const std::string& name, Duration timeout = 10s) {
    const auto result = ask(host, name, timeout);
    return result && !*result ? result->error() : "";
  }

  sim::Nanos took{};
};

TEST_F(SimNames, HaveAddressesAfterAWhile) {
  world.names().add({.name = kName, .addresses = {"198.51.100.9", "192.0.2.1"}, .delay = 30ms});
  EXPECT_THAT(ask(first, kName)->value(), ElementsAre("198.51.100.9", "192.0.2.1"));
  EXPECT_EQ(took, 30ms);
}

TEST_F(SimNames, AreOfFamiliesThatTheHostHas) {
  world.names().add({.name = kName, .addresses = {"2001:db8::9", "198.51.100.9"}});
  EXPECT_THAT(ask(first, kName)->value(), ElementsAre("198.51.100.9"));
  EXPECT_THAT(ask(third, kName)->value(), ElementsAre("2001:db8::9", "198.51.100.9"));
}

TEST_F(SimNames, MayBeUnknownOrUnknownForTheMoment) {
  world.names().add({.name = kName, .addresses = {"198.51.100.9"}, .broken = 90s});
  EXPECT_THAT(failure(first, "nobody.example"), HasSubstr("is not known"));
  EXPECT_THAT(failure(first, kName), HasSubstr("no server of names answers"));
  EXPECT_THAT(ask(first, kName)->value(), ElementsAre("198.51.100.9"));
}

TEST_F(SimNames, AreNotAwaitedForLongerThanTheProgramWants) {
  world.names().add({.name = kName, .addresses = {"198.51.100.9"}, .delay = 20s});
  EXPECT_EQ(failure(first, kName, 500ms), "no answer came in time");
  EXPECT_EQ(took, 500ms);
}

TEST_F(SimNames, MayComeToMeanAnotherAddress) {
  world.names().add({.name = kName, .addresses = {"198.51.100.9"}});
  EXPECT_THAT(ask(first, kName)->value(), ElementsAre("198.51.100.9"));
  world.names().point(kName, {"198.51.100.10"});
  EXPECT_THAT(ask(first, kName)->value(), ElementsAre("198.51.100.10"));
}

}  // namespace
}  // namespace peersock::testing
