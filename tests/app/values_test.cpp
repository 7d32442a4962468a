#include "app/values.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace peersock::app {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Values, PortsAreWholeNumbersInRange) {
  EXPECT_EQ(parse_port("--p", "1"), 1);
  EXPECT_EQ(parse_port("--p", "65535"), 65535);
  for (const char* text :
       {"", "0", "65536", "-1", "+1", " 1", "1 ", "0x10", "1.0", "http", "99999999999999999999"}) {
    const auto port = parse_port("--p", text);
    ASSERT_FALSE(port) << text;
    EXPECT_EQ(port.error().kind, ErrorKind::kUsage);
    EXPECT_THAT(port.error().message, HasSubstr("expected is a port number from 1 to 65535"));
  }
  EXPECT_EQ(parse_port("--p", "99").value(), 99);
  EXPECT_EQ(parse_port("--p", "x").error().message,
            "--p is \"x\"; expected is a port number from 1 to 65535");
}

TEST(Values, ServersAreNamesOrAddresses) {
  EXPECT_EQ(parse_server("--s", ""), "");
  EXPECT_EQ(parse_server("--s", "stun.example.org"), "stun.example.org");
  EXPECT_EQ(parse_server("--s", "192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(parse_server("--s", "2001:db8::1"), "2001:db8::1");
  EXPECT_EQ(parse_server("--s", "[2001:db8::1]"), "2001:db8::1");
  for (const std::string& text :
       {std::string("a b"), std::string("host:80"), std::string("stun:host"), std::string("[x]"),
        std::string("[192.0.2.1]"), std::string("::g"), std::string(254, 'a'), std::string("\n"),
        std::string("http://x"), std::string("a\0b", 3)}) {
    EXPECT_FALSE(parse_server("--s", text)) << text;
  }
}

TEST(Values, TurnUserAndPasswordAreBoundedText) {
  EXPECT_EQ(parse_turn_user("--u", "größe"), "größe");
  EXPECT_TRUE(parse_turn_user("--u", std::string(508, 'a')));
  EXPECT_FALSE(parse_turn_user("--u", std::string(509, 'a')));
  EXPECT_FALSE(parse_turn_user("--u", "a\tb"));
  EXPECT_FALSE(parse_turn_user("--u", "\xff"));
  EXPECT_EQ(parse_turn_password("--w", " p ")->reveal_text(), " p ");
  for (const std::string& text : {std::string(), std::string(1025, 'z'), std::string("zz\n")}) {
    const auto password = parse_turn_password("--w", text);
    ASSERT_FALSE(password);
    EXPECT_THAT(password.error().message, Not(HasSubstr("z")));
  }
}

TEST(Values, RendezvousUrlsAreWebSockets) {
  for (const char* text : {"ws://relay.magic-wormhole.io:4000/v1", "wss://example.org/v1",
                           "ws://[::1]:4000/v1", "ws://127.0.0.1:1", "WSS://EXAMPLE.org/x/y"}) {
    const auto url = parse_rendezvous_url("--r", text);
    ASSERT_TRUE(url) << text << ": " << url.error().message;
    EXPECT_EQ(*url, text);
  }
  for (const std::string& text :
       {std::string(), std::string("example.org"), std::string("http://example.org/"),
        std::string("ws://"), std::string("ws:///v1"), std::string("ws://h:0/"),
        std::string("ws://h:65536/"), std::string("ws://h:x/"), std::string("ws://me:pw@h/"),
        std::string("ws://h/?token=1"), std::string("ws://h/#f"), std::string("ws://h\r\nX: y/"),
        std::string("ws://h/\xff"), "ws://h/" + std::string(2048, 'a')}) {
    EXPECT_FALSE(parse_rendezvous_url("--r", text)) << text;
  }
  EXPECT_THAT(parse_rendezvous_url("--r", "http://me:secret@h/").error().message,
              Not(HasSubstr("secret")));
}

TEST(Values, ChoicesAreExact) {
  EXPECT_EQ(parse_engine("--e", "openssl"), adapters::QuicEngine::kOpenSsl);
  EXPECT_EQ(parse_engine("--e", "ngtcp2"), adapters::QuicEngine::kNgtcp2);
  EXPECT_FALSE(parse_engine("--e", ""));
  EXPECT_EQ(parse_congestion("--c", "bbr"), adapters::Congestion::kBbr);
  EXPECT_EQ(parse_congestion("--c", "cubic"), adapters::Congestion::kCubic);
  EXPECT_EQ(parse_congestion("--c", "reno"), adapters::Congestion::kReno);
  EXPECT_FALSE(parse_congestion("--c", "Reno"));
  EXPECT_EQ(parse_port_search("--p", "auto"), true);
  EXPECT_EQ(parse_port_search("--p", "off"), false);
  EXPECT_FALSE(parse_port_search("--p", "on"));
  EXPECT_EQ(parse_path_policy("--p", "auto"), adapters::PathPolicy::kAuto);
  EXPECT_EQ(parse_path_policy("--p", "nice"), adapters::PathPolicy::kNice);
  EXPECT_FALSE(parse_path_policy("--p", "split"));
  EXPECT_EQ(parse_relay_policy("--r", "auto"), ice::RelayPolicy::kAuto);
  EXPECT_EQ(parse_relay_policy("--r", "only"), ice::RelayPolicy::kOnly);
  EXPECT_EQ(parse_relay_policy("--r", "never"), ice::RelayPolicy::kNever);
  EXPECT_FALSE(parse_relay_policy("--r", ""));
}

TEST(Values, WaysToTurnAreAListOrLeftToUs) {
  using Ways = TurnTransports;
  constexpr auto kUdp = TurnTransport::kUdp;
  constexpr auto kTcp = TurnTransport::kTcp;
  constexpr auto kTls = TurnTransport::kTls;
  EXPECT_EQ(parse_turn_transports("--t", "auto"), Ways{});
  EXPECT_EQ(parse_turn_transports("--t", "udp"), Ways{kUdp});
  EXPECT_EQ(parse_turn_transports("--t", "tls"), Ways{kTls});
  EXPECT_EQ(parse_turn_transports("--t", "tls,udp, tcp"), (Ways{kTls, kUdp, kTcp}));
  for (const char* text : {"", "UDP", "udp,", ",", "udp tcp", "udp,udp", "auto,udp", "udp,auto"}) {
    EXPECT_FALSE(parse_turn_transports("--t", text)) << text;
  }
}

TEST(Values, AProxyIsForEverythingAndNeverRepeated) {
  const auto rules = parse_proxy("--proxy", "http://me:secret@proxy.test:3128");
  ASSERT_TRUE(rules);
  ASSERT_TRUE(rules->plain);
  EXPECT_EQ(rules->plain->host, "proxy.test");
  EXPECT_EQ(rules->plain, rules->secure);
  const auto none = parse_proxy("--proxy", "");
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->plain || none->secure);
  const auto wrong = parse_proxy("--proxy", "socks5://me:secret@proxy.test");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().kind, ErrorKind::kUsage);
  EXPECT_THAT(wrong.error().message,
              ::testing::AllOf(HasSubstr("--proxy is not valid; expected is http://HOST:PORT"),
                               Not(HasSubstr("secret"))));
}

TEST(Values, TimeoutsAndDescriptorsAreWholeNumbers) {
  EXPECT_EQ(parse_timeout("--t", "1"), 1s);
  EXPECT_EQ(parse_timeout("--t", "31536000"), 31536000s);
  for (const char* text : {"0", "31536001", "-5", "1.5", "1s", ""}) {
    EXPECT_FALSE(parse_timeout("--t", text)) << text;
  }
  EXPECT_EQ(parse_descriptor("--d", "0"), 0);
  for (const char* text : {"-1", "-0", "2147483648", "stdin", ""}) {
    EXPECT_FALSE(parse_descriptor("--d", text)) << text;
  }
}

TEST(Values, WhatIsRepeatedIsSafeToShow) {
  EXPECT_EQ(parse_port("--p", "\x1b[2J").error().message.find('\x1b'), std::string::npos);
  EXPECT_LT(parse_port("--p", std::string(100000, '1')).error().message.size(), 200U);
}

}  // namespace
}  // namespace peersock::app
