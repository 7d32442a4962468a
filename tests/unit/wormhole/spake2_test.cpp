#include "wormhole/spake2.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/seeded_rng.hpp"
#include "support/vectors.hpp"

namespace peersock::wormhole {
namespace {

using ::testing::HasSubstr;
using testing::octets_of;
using testing::read_vectors;
using testing::ScriptedRng;
using testing::SeededRng;

const std::string kPassword = "8-lab-name-blanket";
const std::string kIdentity = "peersock/tunnel/v1";

Spake2 make(std::uint64_t seed, const std::string& password = kPassword) {
  SeededRng rng(seed);
  return {Secret(password), as_bytes(kIdentity), rng};
}

Spake2 from_vector(const nlohmann::json& side, const nlohmann::json& identity) {
  ScriptedRng rng(octets_of(side, "entropy"));
  const auto id = identity.get<std::string>();
  return {Secret(side.at("password").get<std::string>()), as_bytes(id), rng};
}

TEST(Spake2, MakesTheMessagesAndKeysOfTheReferenceImplementation) {
  const auto vectors = read_vectors("spake2.json");
  ASSERT_GE(vectors.at("exchanges").size(), 7U);
  for (const auto& exchange : vectors.at("exchanges")) {
    const auto& a = exchange.at("a");
    const auto& b = exchange.at("b");
    const Spake2 ours = from_vector(a, exchange.at("identity"));
    EXPECT_EQ(to_hex(ours.message()), a.at("message").get<std::string>());
    const auto key = ours.finish(octets_of(b, "message"));
    ASSERT_TRUE(key) << key.error().message;
    EXPECT_EQ(to_hex(key->reveal()), a.at("key").get<std::string>());

    const Spake2 theirs = from_vector(b, exchange.at("identity"));
    EXPECT_EQ(to_hex(theirs.message()), b.at("message").get<std::string>());
    const auto other_key = theirs.finish(octets_of(a, "message"));
    ASSERT_TRUE(other_key) << other_key.error().message;
    EXPECT_EQ(to_hex(other_key->reveal()), b.at("key").get<std::string>());
  }
}

TEST(Spake2, TheSpecificationQuotesTheVectors) {
  const auto vectors = read_vectors("spake2.json");
  const std::string page = testing::read_specification("rendezvous.md");
  EXPECT_THAT(page, HasSubstr("S = " + vectors.at("blinding_element").get<std::string>()));
  const auto& exchange = vectors.at("exchanges").at(0);
  for (const auto& value :
       {exchange.at("a").at("password"), exchange.at("a").at("message"),
        exchange.at("b").at("message"), exchange.at("a").at("key"), exchange.at("identity")}) {
    EXPECT_THAT(page, HasSubstr("`" + value.get<std::string>() + "`"));
  }
  const auto entropy = exchange.at("a").at("entropy").get<std::string>();
  EXPECT_THAT(page, HasSubstr("`" + entropy.substr(0, 64) + "` `" + entropy.substr(64) + "`"));
}

TEST(Spake2, BlindsWithTheReferenceElement) {
  // With the scalar 0 the message is the blinding element times the password's scalar alone.
  const auto vectors = read_vectors("spake2.json");
  const auto& cancelled = vectors.at("cancelled");
  ScriptedRng zeros({});
  const Spake2 blinded(Secret(cancelled.at("password").get<std::string>()), {}, zeros);
  EXPECT_EQ(to_hex(blinded.message()), cancelled.at("message").get<std::string>());
}

TEST(Spake2, SamePasswordsAgree) {
  const Spake2 a = make(1);
  const Spake2 b = make(2);
  ASSERT_EQ(a.message().size(), kSpake2MessageSize);
  const auto key_a = a.finish(b.message());
  const auto key_b = b.finish(a.message());
  ASSERT_TRUE(key_a && key_b);
  EXPECT_TRUE(equal_secret(key_a->reveal(), key_b->reveal()));
  EXPECT_EQ(key_a->size(), 32U);
}

TEST(Spake2, OtherPasswordOrIdentityGivesOtherKeys) {
  const Spake2 a = make(1);
  const Spake2 b = make(2, "8-lab-name-blame");
  const auto key_a = a.finish(b.message());
  const auto key_b = b.finish(a.message());
  ASSERT_TRUE(key_a && key_b);
  EXPECT_FALSE(equal_secret(key_a->reveal(), key_b->reveal()));

  SeededRng rng(2);
  const Spake2 elsewhere(Secret(kPassword), as_bytes("another application"), rng);
  const auto key_c = elsewhere.finish(a.message());
  const auto key_d = a.finish(elsewhere.message());
  ASSERT_TRUE(key_c && key_d);
  EXPECT_FALSE(equal_secret(key_c->reveal(), key_d->reveal()));
}

TEST(Spake2, RefusesEverythingThatIsNoElementOfTheGroup) {
  const auto vectors = read_vectors("spake2.json");
  ASSERT_GE(vectors.at("refused").size(), 20U);
  const Spake2 ours = make(1);
  for (const auto& row : vectors.at("refused")) {
    const auto key = ours.finish(octets_of(row, "message"));
    ASSERT_FALSE(key) << row.at("name");
    EXPECT_EQ(key.error().kind, ErrorKind::kConnectionLost) << row.at("name");
  }
}

TEST(Spake2, RefusesItsOwnMessage) {
  const Spake2 ours = make(1);
  const auto key = ours.finish(ours.message());
  ASSERT_FALSE(key);
  EXPECT_THAT(key.error().message, HasSubstr("copy of ours"));
}

TEST(Spake2, RefusesAMessageThatCancelsTheSharedElement) {
  const auto vectors = read_vectors("spake2.json");
  const auto key = make(1).finish(octets_of(vectors.at("cancelled"), "message"));
  ASSERT_FALSE(key);
  EXPECT_THAT(key.error().message, HasSubstr("cancels"));
}

TEST(Spake2, FinishesAgainWithTheSameResult) {
  const Spake2 a = make(1);
  const Spake2 b = make(2);
  const auto once = a.finish(b.message());
  const auto twice = a.finish(b.message());
  ASSERT_TRUE(once && twice);
  EXPECT_TRUE(equal_secret(once->reveal(), twice->reveal()));
}

}  // namespace
}  // namespace peersock::wormhole
