#include "wire/stun_check.hpp"

#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "support/vectors.hpp"

namespace peersock::wire {
namespace {

CheckKey key_of(std::uint8_t octet) {
  CheckKey key;
  key.fill(octet);
  return key;
}

StunCheck request(bool nominates = false) {
  StunCheck check;
  check.transaction.fill(7);
  check.nominates = nominates;
  return check;
}

// Made with Python's hmac; docs/spec/port-search.md has the same.
constexpr const char* kRequest =
    "000100282112a44207070707070707070707070700250000001c002068763620dd779c76e46a0f7c"
    "d80876e4b9641ea711b67dc1d624f29fdb98c2f8";
constexpr const char* kAnswer =
    "010100302112a442070707070707070707070707002000080001bd52e721c045001c0020dffb3d0a"
    "eb0268935369c4d8266a03b52fa87328d19b2a6883ad7fd323d4bbd3";

StunCheck answer() {
  StunCheck check = request();
  check.answer = true;
  check.mapped = StunAddress{"198.51.100.7", 40000};
  return check;
}

TEST(StunCheck, IsWrittenAsSpecified) {
  EXPECT_EQ(to_hex(encode(request(true), key_of(1))), kRequest);
  EXPECT_EQ(to_hex(encode(answer(), key_of(1))), kAnswer);
  const std::string page = testing::read_specification("port-search.md");
  EXPECT_NE(page.find(kRequest), std::string::npos);
  EXPECT_NE(page.find(kAnswer), std::string::npos);
}

TEST(StunCheck, SurvivesItsEncoding) {
  for (const StunCheck& check : {request(), request(true), answer()}) {
    EXPECT_EQ(parse_check(encode(check, key_of(1)), key_of(1)), check);
  }
}

TEST(StunCheck, IsNothingWithAnotherKey) {
  EXPECT_FALSE(parse_check(encode(request(), key_of(1)), key_of(2)));
}

TEST(StunCheck, IsNothingWhenAnyBitIsChanged) {
  const Bytes octets = encode(request(true), key_of(1));
  for (std::size_t i = 0; i < octets.size() * 8; ++i) {
    Bytes changed = octets;
    changed[i / 8] = static_cast<std::uint8_t>(changed[i / 8] ^ (1U << (i % 8)));
    EXPECT_FALSE(parse_check(changed, key_of(1))) << i;
  }
}

TEST(StunCheck, IsNothingWithoutIntegrityOrWithSomethingBehindIt) {
  StunRequest plain;
  EXPECT_FALSE(parse_check(encode(plain), key_of(1)));
  EXPECT_FALSE(parse_check({}, key_of(1)));
  Bytes longer = encode(request(), key_of(1));
  longer.insert(longer.end(), {0x80, 0x28, 0, 0});
  longer[3] = static_cast<std::uint8_t>(longer[3] + 4);
  EXPECT_FALSE(parse_check(longer, key_of(1)));
}

TEST(StunCheck, AnAnswerNeverNominates) {
  StunCheck nominating = answer();
  nominating.nominates = true;
  EXPECT_FALSE(parse_check(encode(nominating, key_of(1)), key_of(1))->nominates);
}

TEST(StunCheck, LooksLikeStunAndQuicDoesNot) {
  EXPECT_TRUE(looks_like_stun(encode(request(), key_of(1))));
  EXPECT_FALSE(looks_like_stun(Bytes{0x40, 1, 2}));
  EXPECT_FALSE(looks_like_stun(Bytes{0xc0, 1, 2}));
  EXPECT_FALSE(looks_like_stun({}));
}

TEST(PortOffer, SurvivesItsEncoding) {
  PortOffer offer;
  offer.mapping = PortMapping::kEndpointDependent;
  offer.key = key_of(0xaa);
  offer.external = {"198.51.100.7", 40000};
  offer.likely = {1, 65535};
  const Bytes octets = encode(offer);
  EXPECT_EQ(octets.size(), kMinOfferSize + 4);
  EXPECT_EQ(parse_port_offer(octets), offer);
  offer.likely.assign(100, 5);
  EXPECT_EQ(parse_port_offer(encode(offer))->likely.size(), kMaxOfferedPorts);
}

TEST(PortOffer, OfAStrangeFormIsNone) {
  PortOffer offer;
  offer.external = {"198.51.100.7", 40000};
  Bytes octets = encode(offer);
  octets[0] = 77;
  EXPECT_EQ(parse_port_offer(octets)->mapping, PortMapping::kUnknown);
  EXPECT_FALSE(parse_port_offer(ByteView(octets).first(octets.size() - 1)));
  octets.push_back(0);
  EXPECT_FALSE(parse_port_offer(octets)) << "half a port";
  EXPECT_FALSE(parse_port_offer(Bytes(kMaxOfferSize + 2, 1)));
  offer.external.port = 0;
  EXPECT_FALSE(parse_port_offer(encode(offer)));
}

RC_GTEST_PROP(PortOfferProperties, WhatIsReadSurvives, (const Bytes& octets)) {
  const auto offer = parse_port_offer(octets);
  if (offer) RC_ASSERT(parse_port_offer(encode(*offer)) == offer);
  static_cast<void>(parse_check(octets, key_of(3)));
}

}  // namespace
}  // namespace peersock::wire
