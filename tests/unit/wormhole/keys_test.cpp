#include "wormhole/keys.hpp"

#include <array>

#include <gtest/gtest.h>

#include "support/seeded_rng.hpp"
#include "support/vectors.hpp"

namespace peersock::wormhole {
namespace {

using testing::octets_of;
using testing::read_vectors;
using testing::ScriptedRng;
using testing::SeededRng;

Bytes range(std::uint8_t first, std::uint8_t last) {
  Bytes out;
  for (int octet = first; octet <= last; ++octet) out.push_back(static_cast<std::uint8_t>(octet));
  return out;
}

std::string hkdf_hex(const Bytes& key, const Bytes& salt, const Bytes& info, std::size_t length) {
  return to_hex(hkdf_sha256(key, info, length, salt).reveal());
}

// RFC 5869 appendix A.
TEST(Hkdf, GivesTheOctetsOfTheRfc) {
  EXPECT_EQ(hkdf_hex(Bytes(22, 0x0b), range(0x00, 0x0c), range(0xf0, 0xf9), 42),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  EXPECT_EQ(hkdf_hex(range(0x00, 0x4f), range(0x60, 0xaf), range(0xb0, 0xff), 82),
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41"
            "c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
  EXPECT_EQ(hkdf_hex(Bytes(22, 0x0b), {}, {}, 42),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(Hkdf, HasALongestAndAShortestOutput) {
  const Bytes key(32, 1);
  EXPECT_EQ(hkdf_sha256(key, {}, kMaxHkdfLength).size(), kMaxHkdfLength);
  EXPECT_TRUE(hkdf_sha256(key, {}, kMaxHkdfLength + 1).empty());
  EXPECT_TRUE(hkdf_sha256(key, {}, 0).empty());
}

TEST(Keys, AreThoseOfTheReferenceImplementation) {
  const auto vectors = read_vectors("wormhole.json").at("derivations");
  const Secret shared(octets_of(vectors, "shared_key"));
  ASSERT_GE(vectors.at("derived").size(), 5U);
  for (const auto& row : vectors.at("derived")) {
    const auto purpose = row.at("purpose").get<std::string>();
    const Secret key = derive_key(shared, purpose, row.at("length").get<std::size_t>());
    EXPECT_EQ(to_hex(key.reveal()), row.at("key").get<std::string>()) << purpose;
  }
  ASSERT_GE(vectors.at("phases").size(), 5U);
  for (const auto& row : vectors.at("phases")) {
    const Secret key =
        phase_key(shared, row.at("side").get<std::string>(), row.at("phase").get<std::string>());
    EXPECT_EQ(to_hex(key.reveal()), row.at("key").get<std::string>()) << row;
  }
}

TEST(Box, IsThatOfTheReferenceImplementation) {
  const auto vectors = read_vectors("wormhole.json");
  for (const auto& row : vectors.at("boxes")) {
    const Secret key(octets_of(row, "key"));
    const Bytes plain = octets_of(row, "plain");
    ScriptedRng rng(octets_of(row, "nonce"));
    EXPECT_EQ(to_hex(encrypt(key, plain, rng)), row.at("boxed").get<std::string>());
    EXPECT_EQ(decrypt(key, octets_of(row, "boxed")), plain);
  }
}

TEST(Box, RefusesOtherKeysChangesAndTruncation) {
  SeededRng rng(3);
  const Secret key(random_bytes(rng, 32));
  const Bytes boxed = encrypt(key, as_bytes("hello"), rng);
  ASSERT_TRUE(decrypt(key, boxed));
  EXPECT_FALSE(decrypt(Secret(random_bytes(rng, 32)), boxed));
  for (std::size_t i = 0; i < boxed.size(); ++i) {
    Bytes changed = boxed;
    changed[i] ^= 1;
    EXPECT_FALSE(decrypt(key, changed)) << i;
    EXPECT_FALSE(decrypt(key, ByteView(boxed).first(i))) << i;
  }
}

TEST(Box, NeverUsesANonceTwice) {
  SeededRng rng(3);
  const Secret key(random_bytes(rng, 32));
  EXPECT_NE(encrypt(key, as_bytes("hello"), rng), encrypt(key, as_bytes("hello"), rng));
}

TEST(Box, RefusesAKeyOfAnotherSize) {
  SeededRng rng(3);
  EXPECT_TRUE(encrypt(Secret(Bytes(31)), as_bytes("x"), rng).empty());
  EXPECT_FALSE(decrypt(Secret(Bytes(31)), Bytes(64)));
}

}  // namespace
}  // namespace peersock::wormhole
