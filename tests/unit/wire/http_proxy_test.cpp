#include "wire/http_proxy.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/endpoint.hpp"

namespace peersock::wire {
namespace {

struct Written {
  std::string url, host;
  std::uint16_t port;
  std::string credentials;
};

TEST(HttpProxy, IsReadInEveryWayThatCurlReadsIt) {
  const std::vector<Written> cases = {
      {"http://proxy.test:3128", "proxy.test", 3128, ""},
      {"HTTP://proxy.test:3128/", "proxy.test", 3128, ""},
      {"proxy.test:3128", "proxy.test", 3128, ""},
      {"http://proxy.test", "proxy.test", 1080, ""},
      {"http://192.0.2.1:1", "192.0.2.1", 1, ""},
      {"http://[2001:db8::1]:65535", "2001:db8::1", 65535, ""},
      {"http://[2001:db8::1]", "2001:db8::1", 1080, ""},
      {"http://anna:secret@proxy.test:3128", "proxy.test", 3128, "anna:secret"},
      {"http://anna@proxy.test:3128", "proxy.test", 3128, "anna:"},
      {"http://anna:@proxy.test:3128", "proxy.test", 3128, "anna:"},
      {"http://an%20na:p%40ss%3Aw%C3%A4@proxy.test", "proxy.test", 1080, "an na:p@ss:w\xc3\xa4"},
      {"http://anna:p@ss@proxy.test", "proxy.test", 1080, "anna:p@ss"},
      {"http://anna:a:b@proxy.test", "proxy.test", 1080, "anna:a:b"},
  };
  for (const auto& each : cases) {
    const auto proxy = parse_http_proxy(each.url);
    ASSERT_TRUE(proxy) << each.url;
    EXPECT_EQ(proxy->host, each.host) << each.url;
    EXPECT_EQ(proxy->port, each.port) << each.url;
    EXPECT_EQ(proxy->credentials.reveal_text(), each.credentials) << each.url;
  }
}

TEST(HttpProxy, IsRefusedWhenItIsSomethingElse) {
  const std::vector<std::string> cases = {
      "",
      "http://",
      "https://proxy.test:3128",
      "socks5://proxy.test:1080",
      "socks5://anna:secret@proxy.test:1080",
      "https://anna@proxy.test:1080",
      "http://http://proxy.test",
      "http://proxy.test:0",
      "http://proxy.test:65536",
      "http://proxy.test:",
      "http://proxy.test:3128x",
      "http://proxy.test:-1",
      "http://proxy.test:3128/path",
      "http://pro xy.test:3128",
      "http://proxy.test\r\n:3128",
      "http://2001:db8::1:3128",
      "http://[2001:db8::1:3128",
      "http://[192.0.2.1]:3128",
      "http://[2001:db8::1]3128",
      "http://:secret@proxy.test",
      "http://@proxy.test",
      "http://an%3ana:secret@proxy.test",
      "http://anna:%0d%0aX@proxy.test",
      "http://anna:%4@proxy.test",
      "http://anna:%zz@proxy.test",
      "http://" + std::string(kMaxProxyUrl, 'a'),
      "http://" + std::string(kMaxHostName + 1, 'a') + ":1",
      "http://anna:" + std::string(kMaxProxyCredentials, 'p') + "@proxy.test",
  };
  for (const auto& each : cases) EXPECT_FALSE(parse_http_proxy(each)) << each;
}

struct Covered {
  std::string list, host;
  bool covered;
};

TEST(NoProxy, CoversWhatCurlSaysItCovers) {
  const std::vector<Covered> cases = {
      {"", "example.org", false},
      {"*", "example.org", true},
      {"*", "2001:db8::1", true},
      {"a.test,*", "example.org", true},
      {"*.org", "example.org", false},  // curl knows no other star
      {"example.org", "example.org", true},
      {"example.org", "EXAMPLE.org.", true},
      {"Example.ORG.", "example.org", true},
      {"example.org", "www.example.org", true},
      {"example.org", "notexample.org", false},
      {".example.org", "example.org", true},
      {".example.org", "www.example.org", true},
      {"www.example.org", "example.org", false},
      {" a.test ,\texample.org", "example.org", true},
      {"a.test example.org", "example.org", true},
      {",,", "example.org", false},
      {"192.0.2.1", "192.0.2.1", true},
      {"192.0.2.1", "192.0.2.10", false},
      {"2.1", "192.0.2.1", false},
      {"192.0.2.0/24", "192.0.2.77", true},
      {"192.0.2.0/24", "192.0.3.77", false},
      {"192.0.2.0/25", "192.0.2.128", false},
      {"192.0.2.0/0", "198.51.100.1", true},
      {"192.0.2.0/33", "192.0.2.0", false},
      {"192.0.2.0/x", "192.0.2.0", false},
      {"192.0.2.0/24", "2001:db8::1", false},
      {"2001:db8::1", "2001:DB8:0::1", true},
      {"[2001:db8::1]", "[2001:db8::1]", true},
      {"2001:db8::/32", "2001:db8:ffff::1", true},
      {"2001:db8::/32", "2001:db9::1", false},
      {"2001:db8:8000::/33", "2001:db8:7fff::1", false},
      {"localhost", "127.0.0.1", false},
      {".", "example.org", false},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(NoProxy(each.list).covers(each.host), each.covered) << each.list << " " << each.host;
  }
}

TEST(NoProxy, IsBounded) {
  std::string list;
  for (std::size_t i = 0; i < NoProxy::kMaxEntries; ++i) list += "a.test,";
  EXPECT_FALSE(NoProxy(list + "example.org").covers("example.org"));
  EXPECT_TRUE(NoProxy("example.org," + list).covers("example.org"));
}

TEST(ProxyRules, ChooseByKindAndHost) {
  ProxyRules rules;
  EXPECT_FALSE(rules.choose("example.org", true));
  rules.secure = std::make_shared<HttpProxy>(HttpProxy{"proxy.test", 1, {}});
  rules.exceptions = NoProxy("inside.test");
  EXPECT_EQ(rules.choose("example.org", true), rules.secure);
  EXPECT_FALSE(rules.choose("example.org", false));
  EXPECT_FALSE(rules.choose("a.inside.test", true));
}

TEST(ConnectRequest, HasHostAndCredentials) {
  EXPECT_EQ(make_connect_request("example.org", 443, {}).reveal_text(),
            "CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n");
  EXPECT_EQ(make_connect_request("2001:db8::1", 1, {}).reveal_text(),
            "CONNECT [2001:db8::1]:1 HTTP/1.1\r\nHost: [2001:db8::1]:1\r\n\r\n");
  // The example of RFC 7617 section 2.
  EXPECT_EQ(
      make_connect_request("a", 1, Secret(std::string_view("Aladdin:open sesame"))).reveal_text(),
      "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n"
      "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n");
}

TEST(ConnectRequest, EncodesCredentialsOfEveryLength) {
  // RFC 4648 section 10.
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}};
  for (const auto& [plain, encoded] : cases) {
    const Secret request = make_connect_request("a", 1, Secret(std::string_view(plain)));
    EXPECT_NE(request.reveal_text().find("Basic " + encoded + "\r\n"), std::string_view::npos);
  }
}

struct Answer {
  std::string head;
  std::optional<unsigned> status;
};

TEST(ConnectAnswer, IsReadOrRefused) {
  const std::vector<Answer> cases = {
      {"HTTP/1.1 200 Connection established\r\n\r\n", 200},
      {"HTTP/1.0 200\r\n\r\n", 200},
      {"HTTP/1.1 200 \r\nVia: 1.1 a\r\nContent-Length: 5\r\n\r\n", 200},
      {"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n", 407},
      {"HTTP/1.1 100 Continue\r\n\r\n", 100},
      {"HTTP/1.1 599 x\r\n\r\n", 599},
      {"HTTP/1.1 600 x\r\n\r\n", std::nullopt},
      {"HTTP/1.1 099 x\r\n\r\n", std::nullopt},
      {"HTTP/1.1 20 OK\r\n\r\n", std::nullopt},
      {"HTTP/1.1 2000 OK\r\n\r\n", std::nullopt},
      {"HTTP/1.1 -20 OK\r\n\r\n", std::nullopt},
      {"HTTP/1.1  200 OK\r\n\r\n", std::nullopt},
      {"HTTP/1.1 200OK\r\n\r\n", std::nullopt},
      {"HTTP/1.1200 OK\r\n\r\n", std::nullopt},
      {"HTTP/1.x 200 OK\r\n\r\n", std::nullopt},
      {"HTTP/2 200 OK\r\n\r\n", std::nullopt},
      {"http/1.1 200 OK\r\n\r\n", std::nullopt},
      {"ICY 200 OK\r\n\r\n", std::nullopt},
      {"HTTP/1.1 200 OK\r\n", std::nullopt},
      {"HTTP/1.1 200 OK", std::nullopt},
      {"HTTP/1.1 ", std::nullopt},
      {"\r\n\r\n", std::nullopt},
      {"", std::nullopt},
      {"SSH-2.0-OpenSSH\r\n\r\n", std::nullopt},
  };
  for (const auto& each : cases)
    EXPECT_EQ(parse_connect_answer(each.head), each.status) << each.head;
}

}  // namespace
}  // namespace peersock::wire
