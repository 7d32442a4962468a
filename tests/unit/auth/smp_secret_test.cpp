#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "auth/handshake.hpp"
#include "support/vectors.hpp"

namespace peersock::auth {
namespace {

std::string secret_of(std::string_view exporter, std::string_view key, std::string_view code) {
  return to_hex(smp_secret(as_bytes(exporter), as_bytes(key), as_bytes(code)).reveal());
}

TEST(SmpSecret, AgreesWithThePublishedVectors) {
  const nlohmann::json vectors = peersock::testing::read_vectors("auth.json");
  ASSERT_GE(vectors.at("secrets").size(), 5U);
  for (const nlohmann::json& vector : vectors.at("secrets")) {
    const Secret secret = smp_secret(peersock::testing::octets_of(vector, "exporter"),
                                     peersock::testing::octets_of(vector, "wormhole_key"),
                                     to_bytes(vector.at("code").get<std::string>()));
    EXPECT_EQ(to_hex(secret.reveal()), vector.at("secret").get<std::string>());
  }
}

TEST(SmpSecret, DependsOnEachOfTheThreeValues) {
  const std::string base = secret_of("exporter", "key", "8-lab-name-blanket");
  EXPECT_EQ(base, secret_of("exporter", "key", "8-lab-name-blanket"));
  EXPECT_NE(base, secret_of("exporteR", "key", "8-lab-name-blanket"));
  EXPECT_NE(base, secret_of("exporter", "keY", "8-lab-name-blanket"));
  EXPECT_NE(base, secret_of("exporter", "key", "9-lab-name-blanket"));
}

TEST(SmpSecret, ValuesCannotBorrowOctetsFromTheirNeighbours) {
  EXPECT_NE(secret_of("ab", "c", "d"), secret_of("a", "bc", "d"));
  EXPECT_NE(secret_of("a", "bc", "d"), secret_of("a", "b", "cd"));
  EXPECT_NE(secret_of("", "", "x"), secret_of("x", "", ""));
}

}  // namespace
}  // namespace peersock::auth
