#include "core/endpoint.hpp"

#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace peersock {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Case {
  std::string_view text;
  std::optional<Endpoint> expected;  ///< nothing: refused
};

TEST(Endpoint, ConnectTargets) {
  const Case cases[] = {
      {"localhost:5900", TcpEndpoint{"localhost", 5900}},
      {"192.0.2.7:1", TcpEndpoint{"192.0.2.7", 1}},
      {"db_1.example.org:65535", TcpEndpoint{"db_1.example.org", 65535}},
      {"[2001:db8::1]:22", TcpEndpoint{"2001:db8::1", 22}},
      {"[fe80::1%eth0]:22", TcpEndpoint{"fe80::1%eth0", 22}},
      {"b\xc3\xbc"
       "cher.example:80",
       TcpEndpoint{"b\xc3\xbc"
                   "cher.example",
                   80}},
      {"unix:/run/x.sock", UnixEndpoint{"/run/x.sock"}},
      {"unix:a:b", UnixEndpoint{"a:b"}},
      {"", {}},
      {"5900", {}},
      {":5900", {}},
      {"*:5900", {}},
      {"localhost", {}},
      {"localhost:", {}},
      {"localhost:0", {}},
      {"localhost:65536", {}},
      {"localhost:99999999999999999999999", {}},
      {"localhost:-1", {}},
      {"localhost:+1", {}},
      {"localhost: 1", {}},
      {"localhost:0x50", {}},
      {"local host:80", {}},
      {"http://example.org", {}},
      {"http://example.org:80", {}},
      {"user@example.org:22", {}},
      {"::1:5900", {}},
      {"[::1]5900", {}},
      {"[::1]", {}},
      {"[::1:5900", {}},
      {"[]:5900", {}},
      {"[::1%]:5900", {}},
      {"[localhost]:5900", {}},
      {"unix:", {}},
  };
  for (const Case& c : cases) {
    const auto parsed = parse_connect_target(c.text);
    ASSERT_EQ(parsed.has_value(), c.expected.has_value()) << c.text;
    if (parsed) {
      EXPECT_EQ(*parsed, *c.expected) << c.text;
      EXPECT_EQ(to_string(*parsed), c.text);
    } else {
      EXPECT_EQ(parsed.error().kind, ErrorKind::kUsage) << c.text;
    }
  }
}

TEST(Endpoint, ListenAddresses) {
  const Case cases[] = {
      {"5900", TcpEndpoint{"", 5900}},
      {"0", TcpEndpoint{"", 0}},
      {":5900", TcpEndpoint{"", 5900}},
      {"localhost:5900", TcpEndpoint{"", 5900}},
      {"127.0.0.2:80", TcpEndpoint{"127.0.0.2", 80}},
      {"*:80", TcpEndpoint{"*", 80}},
      {"[::1]:80", TcpEndpoint{"::1", 80}},
      {"[fe80::1%2]:80", TcpEndpoint{"fe80::1%2", 80}},
      {"unix:x", UnixEndpoint{"x"}},
      {"", {}},
      {"65536", {}},
      {"example.org:80", {}},
      {"::1", {}},
      {"[127.0.0.1]:80", {}},
      {"127.0.0:80", {}},
      {"unix:", {}},
  };
  for (const Case& c : cases) {
    const auto parsed = parse_listen_address(c.text);
    ASSERT_EQ(parsed.has_value(), c.expected.has_value()) << c.text;
    if (parsed) {
      EXPECT_EQ(*parsed, *c.expected) << c.text;
      EXPECT_EQ(parse_listen_address(to_string(*parsed)), *parsed);
    } else {
      EXPECT_EQ(parsed.error().kind, ErrorKind::kUsage) << c.text;
    }
  }
}

TEST(Endpoint, UnixPathsFitASocketAddress) {
  EXPECT_TRUE(parse_connect_target("unix:" + std::string(kMaxUnixPath, 'p')));
  const auto longer = parse_connect_target("unix:" + std::string(kMaxUnixPath + 1, 'p'));
  ASSERT_FALSE(longer);
  EXPECT_THAT(longer.error().message, HasSubstr("108 octets"));
  EXPECT_FALSE(parse_connect_target(std::string_view("unix:a\0b", 8)));
}

TEST(Endpoint, HostNamesAreBounded) {
  EXPECT_TRUE(parse_connect_target(std::string(kMaxHostName, 'h') + ":1"));
  EXPECT_FALSE(parse_connect_target(std::string(kMaxHostName + 1, 'h') + ":1"));
}

TEST(Endpoint, ErrorsRepeatPortNumbersButNoCodes) {
  EXPECT_THAT(parse_connect_target("h:70000").error().message, HasSubstr("70000"));
  for (const std::string_view text : {"8-lab-name-blanket", "h:8-lab-name-blanket"}) {
    EXPECT_THAT(parse_connect_target(text).error().message, Not(HasSubstr("lab")));
    EXPECT_THAT(parse_listen_address(text).error().message, Not(HasSubstr("lab")));
  }
}

}  // namespace
}  // namespace peersock
