#include "wire/stun.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace peersock::wire {
namespace {

constexpr const char* kTransaction = "b7e7a701bc34d686fa87dfae";
// RFC 5769 section 2.2 and 2.3.
constexpr const char* kIpv4Response =
    "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112"
    "a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96";
constexpr const char* kIpv6Response =
    "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000140002a1470113"
    "a9faa5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c";

Bytes octets(const std::string& hex) {
  return from_hex(hex).value();
}

/// A Binding response of `type` with `attributes`.
std::optional<StunMessage> parse_with(const std::string& type, const std::string& attributes) {
  Bytes message = octets(type + "0000" + "2112a442" + kTransaction + attributes);
  message[3] = static_cast<std::uint8_t>(message.size() - 20);
  return parse_stun(message);
}

TEST(Stun, ReadsTheVectorsOfRfc5769) {
  const auto ipv4 = parse_stun(octets(kIpv4Response));
  ASSERT_TRUE(ipv4);
  EXPECT_EQ(ipv4->kind, StunKind::kSuccess);
  EXPECT_EQ(to_hex(ipv4->transaction), kTransaction);
  EXPECT_EQ(ipv4->mapped, (StunAddress{"192.0.2.1", 32853}));
  EXPECT_EQ(ipv4->other, std::nullopt);
  const auto ipv6 = parse_stun(octets(kIpv6Response));
  ASSERT_TRUE(ipv6);
  EXPECT_EQ(ipv6->mapped, (StunAddress{"2001:db8:1234:5678:11:2233:4455:6677", 32853}));
}

TEST(Stun, WritesRequests) {
  StunRequest request;
  const Bytes id = octets(kTransaction);
  std::copy(id.begin(), id.end(), request.transaction.begin());
  const std::string rest = std::string("2112a442") + kTransaction;
  EXPECT_EQ(to_hex(encode(request)), "00010000" + rest);
  request.change_port = true;
  EXPECT_EQ(to_hex(encode(request)), "00010008" + rest + "0003000400000002");
  request.change_address = true;
  EXPECT_EQ(to_hex(encode(request)), "00010008" + rest + "0003000400000006");
  request.change_port = false;
  EXPECT_EQ(to_hex(encode(request)), "00010008" + rest + "0003000400000004");
  const auto again = parse_stun(encode(request));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->kind, StunKind::kRequest);
  EXPECT_EQ(again->transaction, request.transaction);
}

TEST(Stun, PrefersTheNewAttributesToTheOldOnes) {
  const std::string plain = "00010008000104d2c0000207";
  const std::string mixed = "002000080001a147e112a643";
  const std::string changed = "0005000800010d96c6336401";
  const std::string other = "802c000800010d97c6336402";
  EXPECT_EQ(parse_with("0101", plain)->mapped, (StunAddress{"192.0.2.7", 1234}));
  EXPECT_EQ(parse_with("0101", plain + mixed)->mapped, (StunAddress{"192.0.2.1", 32853}));
  EXPECT_EQ(parse_with("0101", changed)->other, (StunAddress{"198.51.100.1", 3478}));
  EXPECT_EQ(parse_with("0101", changed + other)->other, (StunAddress{"198.51.100.2", 3479}));
}

TEST(Stun, ReadsErrors) {
  const auto unknown = parse_with("0111", "0009000700000414556e6b00");
  ASSERT_TRUE(unknown);
  EXPECT_EQ(unknown->kind, StunKind::kError);
  EXPECT_EQ(unknown->error_code, 420);
  EXPECT_EQ(parse_with("0111", "00090004000002ff")->error_code, 455);
  EXPECT_EQ(parse_with("0111", "0009000400000100")->error_code, 0) << "there is no error 100";
}

TEST(Stun, SkipsAddressesThatAreNone) {
  for (const char* attribute : {
           "00200004000104d2",                  // no address
           "002000080003a147e112a643",          // no such family
           "002000080002a147e112a643",          // too short for IPv6
           "00200008000121120000a643",          // port 0
           "0020000c0001a147e112a64300000000",  // too long for IPv4
       }) {
    const auto parsed = parse_with("0101", attribute);
    ASSERT_TRUE(parsed) << attribute;
    EXPECT_EQ(parsed->mapped, std::nullopt) << attribute;
  }
}

TEST(Stun, RefusesWhatIsNoBindingMessage) {
  const std::string tail = std::string("2112a442") + kTransaction;
  EXPECT_FALSE(parse_stun({}));
  EXPECT_FALSE(parse_stun(octets("010100002112a442"))) << "half a header";
  EXPECT_FALSE(parse_stun(octets("01030000" + tail))) << "Allocate";
  EXPECT_FALSE(parse_stun(octets("00110000" + tail))) << "an indication";
  EXPECT_FALSE(parse_stun(octets("01010004" + tail))) << "longer than the datagram";
  EXPECT_FALSE(parse_stun(octets("01010000" + tail + "00"))) << "shorter than the datagram";
  EXPECT_FALSE(parse_stun(octets("010100002112a443" + std::string(kTransaction)))) << "cookie";
  EXPECT_FALSE(parse_with("0101", "0020")) << "half an attribute";
  EXPECT_FALSE(parse_with("0101", "00200008000104d2")) << "an attribute cut short";
  EXPECT_FALSE(parse_with("0101", "8022000161")) << "no padding";
  EXPECT_FALSE(parse_stun(Bytes(kMaxStunMessage + 1)));
}

}  // namespace
}  // namespace peersock::wire
