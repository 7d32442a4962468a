#include "adapters/resolver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ice_world.hpp"

namespace peersock::testing {
namespace {

using adapters::ResolveResult;
using ::testing::AnyOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

class ResolverTest : public ::testing::Test {
 protected:
  adapters::Lookup look_up(const std::string& host, Duration timeout = 10s) {
    return resolver(host, timeout, [this](ResolveResult given) { results.push_back(given); });
  }
  Loop loop;
  adapters::Resolver resolver = adapters::make_system_resolver(loop.context());
  std::vector<ResolveResult> results;
};

TEST_F(ResolverTest, NumericAddressesComeBackLater) {
  for (const std::string host : {"192.0.2.1", "2001:db8::1"}) {
    results.clear();
    const auto lookup = look_up(host);
    EXPECT_THAT(results, IsEmpty()) << "never from inside a call";
    ASSERT_TRUE(loop.until([&] { return !results.empty(); }));
    EXPECT_THAT(results[0].value(), ElementsAre(host));
  }
}

TEST_F(ResolverTest, NamesAreLookedUp) {
  const auto lookup = look_up("localhost");
  ASSERT_TRUE(loop.until([&] { return !results.empty(); }));
  ASSERT_TRUE(results[0]);
  EXPECT_THAT(results[0].value(), Not(IsEmpty()));
  EXPECT_THAT(results[0].value(), Each(AnyOf("127.0.0.1", "::1")));
}

TEST_F(ResolverTest, UnknownNamesHaveAReason) {
  // RFC 6761 section 6.4: no name ends in .invalid.
  const auto lookup = look_up("nobody.invalid");
  ASSERT_TRUE(loop.until([&] { return !results.empty(); }));
  ASSERT_FALSE(results[0]);
  EXPECT_THAT(results[0].error(), Not(IsEmpty()));
}

TEST_F(ResolverTest, AnAnswerThatDoesNotComeInTimeIsNotAwaited) {
  const auto lookup = look_up("localhost", 0ns);
  ASSERT_TRUE(loop.until([&] { return !results.empty(); }));
  ASSERT_FALSE(results[0]);
  EXPECT_EQ(results[0].error(), "no answer came in time");
  loop.turns(20);
  EXPECT_EQ(results.size(), 1U);
}

TEST_F(ResolverTest, ALookupThatIsGivenUpSaysNothing) {
  for (const char* host : {"localhost", "192.0.2.1"}) {
    auto lookup = look_up(host);
    lookup.reset();
  }
  const auto other = look_up("localhost");
  ASSERT_TRUE(loop.until([&] { return !results.empty(); }));
  loop.turns(20);
  EXPECT_EQ(results.size(), 1U);
}

TEST_F(ResolverTest, AHandlerMayGiveUpItsOwnLookup) {
  for (const char* host : {"localhost", "192.0.2.1"}) {
    adapters::Lookup lookup;
    int calls = 0;
    lookup = resolver(host, 10s, [&](const ResolveResult&) {
      ++calls;
      lookup.reset();
    });
    ASSERT_TRUE(loop.until([&] { return calls == 1; }));
  }
}

TEST_F(ResolverTest, TellsNumbersFromNames) {
  EXPECT_TRUE(adapters::is_numeric_address("127.0.0.1"));
  EXPECT_TRUE(adapters::is_numeric_address("::1"));
  EXPECT_FALSE(adapters::is_numeric_address("localhost"));
  EXPECT_FALSE(adapters::is_numeric_address(""));
}

}  // namespace
}  // namespace peersock::testing
