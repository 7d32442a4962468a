#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "wire/ice_message.hpp"

namespace peersock::wire {
namespace {

using ::testing::HasSubstr;

/// The candidate in our own form, or "error: …".
std::string read(std::string_view line) {
  const auto candidate = parse_candidate(line);
  if (candidate) return format_candidate(*candidate);
  EXPECT_EQ(candidate.error().kind, ErrorKind::kConnectionLost);
  return "error: " + candidate.error().message;
}

TEST(Candidate, ReadsEveryFieldAndWritesItBack) {
  const auto candidate = parse_candidate(
      "candidate:aB+/9 1 udp 1694498815 198.51.100.7 40000 typ srflx raddr 10.0.0.2 rport 50000");
  ASSERT_TRUE(candidate) << candidate.error().message;
  const Candidate expected{.foundation = "aB+/9",
                           .transport = CandidateTransport::kUdp,
                           .priority = 1694498815,
                           .address = "198.51.100.7",
                           .port = 40000,
                           .type = CandidateType::kServerReflexive,
                           .related_address = "10.0.0.2",
                           .related_port = 50000};
  EXPECT_EQ(*candidate, expected);
}

TEST(Candidate, ReadsWhatAgentsWrite) {
  struct Case {
    std::string_view line;
    std::string_view canonical;
  };
  constexpr Case kCases[] = {
      {"candidate:1 1 udp 1 192.0.2.1 9 typ host", "candidate:1 1 udp 1 192.0.2.1 9 typ host"},
      // libnice: an SDP attribute, upper case.
      {"a=candidate:1 1 UDP 2015363327 10.0.0.2 37000 typ host",
       "candidate:1 1 udp 2015363327 10.0.0.2 37000 typ host"},
      {"a=candidate:3 1 TCP 1015021823 10.0.0.2 9 typ host tcptype active",
       "candidate:3 1 tcp 1015021823 10.0.0.2 9 typ host tcptype active"},
      {"a=candidate:4 1 TCP 1010827519 10.0.0.2 41000 typ host tcptype passive",
       "candidate:4 1 tcp 1010827519 10.0.0.2 41000 typ host tcptype passive"},
      // Others: extension attributes before, between and after, a line break at the end.
      {"candidate:5 1 udp 7 192.0.2.1 1 typ host generation 0 ufrag x network-id 3\r\n",
       "candidate:5 1 udp 7 192.0.2.1 1 typ host"},
      {"candidate:6 1 tcp 7 192.0.2.1 1 typ prflx x y raddr 0.0.0.0 rport 0 generation 0 tcptype "
       "so",
       "candidate:6 1 tcp 7 192.0.2.1 1 typ prflx raddr 0.0.0.0 rport 0 tcptype so"},
      {"candidate:7 1 udp 7 192.0.2.1 1 typ host tcptype whatever ",
       "candidate:7 1 udp 7 192.0.2.1 1 typ host"},
      // Addresses come out in one form, so that equal ones compare equal.
      {"candidate:8 1 udp 7 2001:DB8:0:0:0::1 1 typ relay raddr :: rport 9",
       "candidate:8 1 udp 7 2001:db8::1 1 typ relay raddr :: rport 9"},
      {"candidate:9 1 udp 2147483647 fe80::1 65535 typ host",
       "candidate:9 1 udp 2147483647 fe80::1 65535 typ host"},
      {"candidate:9 1 udp 1 127.0.0.1 1 typ host", "candidate:9 1 udp 1 127.0.0.1 1 typ host"},
  };
  for (const Case& c : kCases) EXPECT_EQ(read(c.line), c.canonical) << c.line;
}

TEST(Candidate, RefusesWhatIsMalformed) {
  struct Case {
    std::string line;
    std::string_view says;
  };
  const std::string good = "candidate:1 1 udp 1 192.0.2.1 9 typ host";
  const Case cases[] = {
      {"", "no \"candidate:\""},
      {"hello", "no \"candidate:\""},
      {"a=a=" + good, "no \"candidate:\""},
      {" " + good, "no \"candidate:\""},
      {"CANDIDATE:1 1 udp 1 192.0.2.1 9 typ host", "no \"candidate:\""},
      {"candidate:", "foundation"},
      {"candidate: 1 udp 1 192.0.2.1 9 typ host", "foundation"},
      {"candidate:a_b 1 udp 1 192.0.2.1 9 typ host", "foundation"},
      {"candidate:" + std::string(33, 'a') + " 1 udp 1 192.0.2.1 9 typ host", "foundation"},
      {"candidate:1", "component"},
      {"candidate:1 2 udp 1 192.0.2.1 9 typ host", "component"},
      {"candidate:1  1 udp 1 192.0.2.1 9 typ host", "component"},
      {"candidate:1 1 sctp 1 192.0.2.1 9 typ host", "transport"},
      {"candidate:1 1 udp", "priority"},
      {"candidate:1 1 udp 0 192.0.2.1 9 typ host", "priority"},
      {"candidate:1 1 udp -1 192.0.2.1 9 typ host", "priority"},
      {"candidate:1 1 udp 2147483648 192.0.2.1 9 typ host", "priority"},
      {"candidate:1 1 udp 99999999999999999999 192.0.2.1 9 typ host", "priority"},
      {"candidate:1 1 udp 1x 192.0.2.1 9 typ host", "priority"},
      {"candidate:1 1 udp 1 192.0.2.1", "port"},
      {"candidate:1 1 udp 1 192.0.2.1 0 typ host", "port"},
      {"candidate:1 1 tcp 1 192.0.2.1 0 typ host tcptype active", "port"},
      {"candidate:1 1 udp 1 192.0.2.1 65536 typ host", "port"},
      {"candidate:1 1 udp 1 192.0.2.1 -9 typ host", "port"},
      {"candidate:1 1 udp 1 192.0.2.1 9", "no type"},
      {"candidate:1 1 udp 1 192.0.2.1 9 type host", "no type"},
      {"candidate:1 1 udp 1 192.0.2.1 9 typ", "unknown type"},
      {"candidate:1 1 udp 1 192.0.2.1 9 typ HOST", "unknown type"},
      {good + " raddr", "attributes"},
      {good + " generation", "attributes"},
      {good + "  generation 0", "attributes"},
      {good + " raddr 10.0.0.1 rport 1 raddr 10.0.0.1", "attributes"},
      {good + " raddr 10.0.0.1", "half of a related address"},
      {good + " rport 1", "half of a related address"},
      {good + " raddr host.example rport 1", "unusable related address"},
      {good + " raddr 10.0.0.1 rport 65536", "unusable related address"},
      {"candidate:1 1 tcp 1 192.0.2.1 9 typ host", "TCP type"},
      {"candidate:1 1 tcp 1 192.0.2.1 9 typ host tcptype other", "TCP type"},
      {good + " x " + std::string(512, 'y'), "too long"},
      {std::string(1 << 20, ' '), "too long"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(read(c.line), HasSubstr(c.says)) << c.line.substr(0, 100);
  }
}

TEST(Candidate, RefusesAddressesThatAreNoneOrThatNobodyReaches) {
  const auto with = [](std::string_view address) {
    return read("candidate:1 1 udp 1 " + std::string(address) + " 9 typ host");
  };
  for (const std::string_view address :
       {"", "host.example", "6ba2d5a7-1f0e-4a55-8d80-3a2c4f5a6b7c.local", "192.0.2", "192.0.2.256",
        "192.0.2.1.5", "0x7f.1", "3221225985", "192.0.2.01", "1:2:3", "fe80::1%eth0",
        "[2001:db8::1]", "2001:db8:::1", "12345::", "192.0.2.1/24",
        "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"}) {
    EXPECT_THAT(with(address), HasSubstr("not numeric")) << address;
  }
  for (const std::string_view address :
       {"0.0.0.0", "0.1.2.3", "224.0.0.1", "239.255.255.250", "255.255.255.255", "::", "ff02::1",
        "ff0e::1234", "::ffff:192.0.2.1"}) {
    EXPECT_THAT(with(address), HasSubstr("nobody can reach")) << address;
  }
}

TEST(Candidate, AZeroOctetDoesNotEndTheAddress) {
  std::string line = "candidate:1 1 udp 1 192.0.2.1";
  line += '\0';
  line += "x 9 typ host";
  EXPECT_THAT(read(line), HasSubstr("not numeric"));
}

TEST(Candidate, NamesOfTypes) {
  EXPECT_EQ(to_string(CandidateType::kHost), "host");
  EXPECT_EQ(to_string(CandidateType::kServerReflexive), "srflx");
  EXPECT_EQ(to_string(CandidateType::kPeerReflexive), "prflx");
  EXPECT_EQ(to_string(CandidateType::kRelayed), "relay");
}

rc::Gen<std::string> ipv4() {
  return rc::gen::map(
      rc::gen::tuple(rc::gen::inRange(1, 224), rc::gen::inRange(0, 256), rc::gen::inRange(0, 256)),
      [](const auto& octets) {
        return std::to_string(std::get<0>(octets)) + "." + std::to_string(std::get<1>(octets)) +
               ".0." + std::to_string(std::get<2>(octets));
      });
}

RC_GTEST_PROP(CandidateProperty, WhatIsWrittenReadsBack, ()) {
  Candidate made;
  made.foundation = *rc::gen::container<std::string>(*rc::gen::inRange<std::size_t>(1, 33),
                                                     rc::gen::elementOf(std::string("aZ09+/")));
  made.transport =
      *rc::gen::element(CandidateTransport::kUdp, CandidateTransport::kTcpActive,
                        CandidateTransport::kTcpPassive, CandidateTransport::kTcpSimultaneous);
  made.priority = *rc::gen::inRange<std::uint32_t>(1, 0x7fffffff);
  made.address = *ipv4();
  made.port = *rc::gen::inRange<std::uint16_t>(1, 65535);
  made.type = *rc::gen::element(CandidateType::kHost, CandidateType::kServerReflexive,
                                CandidateType::kPeerReflexive, CandidateType::kRelayed);
  if (*rc::gen::arbitrary<bool>()) {
    made.related_address = *ipv4();
    made.related_port = *rc::gen::arbitrary<std::uint16_t>();
  }
  const auto read_back = parse_candidate(format_candidate(made));
  RC_ASSERT(read_back.has_value());
  RC_ASSERT(*read_back == made);
}

}  // namespace
}  // namespace peersock::wire
