// The way to a server through an HTTP proxy that behaves, and through some that do not.
#include "adapters/stream_dial.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/glib_loop.hpp"
#include "support/tcp_peer.hpp"

namespace peersock::testing {
namespace {

using adapters::GObjectPtr;
using adapters::StreamDial;
using adapters::StreamTarget;

/// A proxy that answers every request with `answer`, and a dial through it.
struct ProxyHouse {
  explicit ProxyHouse(std::string answer_given, const std::string& credentials = "")
      : answer(std::move(answer_given)), proxy(loop.context(), [this](TcpPeer& peer) {
          peer.on_input = [this, &peer] { hear(peer); };
        }) {
    target.host = "server.test";
    target.port = 4000;
    target.proxy = std::make_shared<wire::HttpProxy>(
        wire::HttpProxy{"127.0.0.1", proxy.port(), Secret(std::string_view(credentials))});
    target.without_tls = "try ws://";
  }

  void hear(TcpPeer& peer) {
    if (!peer.received().ends_with("\r\n\r\n")) return;
    request = std::exchange(peer.received(), std::string());
    peer.send(answer);
    if (hang_up) peer.finish();
  }

  /// Why it failed; empty when it is open.
  std::string dial() {
    StreamDial dial(loop.context(), target, {},
                    {[this](GObjectPtr<GIOStream> opened) { stream = std::move(opened); },
                     [this](const std::string& reason) { failure = reason; }});
    dial.start();
    EXPECT_TRUE(loop.until([&] { return stream || !failure.empty(); }));
    return failure;
  }
  [[nodiscard]] std::string name() const { return fmt::format("127.0.0.1:{}", proxy.port()); }

  GlibLoop loop;
  std::string answer;
  bool hang_up = false;
  TcpListener proxy;
  StreamTarget target;
  std::string request;
  std::string failure;
  GObjectPtr<GIOStream> stream;
};

TEST(StreamDial, AsksTheProxyForTheServerByName) {
  ProxyHouse house("HTTP/1.1 200 OK\r\nVia: a\r\n\r\nfirst words");
  ASSERT_EQ(house.dial(), "");
  EXPECT_EQ(house.request, "CONNECT server.test:4000 HTTP/1.1\r\nHost: server.test:4000\r\n\r\n");
  std::array<char, 64> words{};
  auto* input = G_POLLABLE_INPUT_STREAM(g_io_stream_get_input_stream(house.stream.get()));
  const gssize got =
      g_pollable_input_stream_read_nonblocking(input, words.data(), words.size(), nullptr, nullptr);
  EXPECT_EQ(got, 11) << "what follows the answer is the server's";
}

TEST(StreamDial, SaysWhoWeAre) {
  ProxyHouse house("HTTP/1.1 200 OK\r\n\r\n", "Aladdin:open sesame");
  ASSERT_EQ(house.dial(), "");
  EXPECT_THAT(house.request, ::testing::HasSubstr("QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
}

struct Refused {
  std::string answer;
  std::string credentials;
  std::string reason;  ///< with {} for the proxy
};

TEST(StreamDial, EveryRefusalHasItsSentence) {
  const std::vector<Refused> cases = {
      {"HTTP/1.1 407 x\r\n\r\n", "", "the proxy {} wants a user name and a password"},
      {"HTTP/1.1 407 x\r\n\r\n", "a:b", "the proxy {} refuses the user name or password"},
      {"HTTP/1.1 403 x\r\n\r\n", "",
       "the proxy {} does not allow connections to server.test:4000 (HTTP 403)"},
      {"HTTP/1.1 405 x\r\n\r\n", "",
       "the proxy {} does not allow connections to server.test:4000 (HTTP 405)"},
      {"HTTP/1.1 502 x\r\n\r\n", "",
       "the proxy {} did not connect to server.test:4000 (HTTP 502 Bad Gateway)"},
      {"HTTP/1.1 100 x\r\n\r\n", "",
       "the proxy {} did not connect to server.test:4000 (HTTP 100 Continue)"},
      {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "", "the proxy {} does not answer as an HTTP proxy does"},
      {std::string(100'000, 'x'), "", "the proxy {} does not answer as an HTTP proxy does"},
  };
  for (const auto& each : cases) {
    ProxyHouse house(each.answer, each.credentials);
    EXPECT_EQ(house.dial(), fmt::format(fmt::runtime(each.reason), house.name())) << each.answer;
  }
}

TEST(StreamDial, AProxyThatHangsUpIsOneOfTwoThings) {
  ProxyHouse silent("");
  silent.hang_up = true;
  EXPECT_EQ(silent.dial(),
            fmt::format("the proxy {} closed the connection without an answer", silent.name()));
  ProxyHouse half("HTTP/1.1 200 OK\r\n");
  half.hang_up = true;
  EXPECT_EQ(half.dial(),
            fmt::format("the proxy {} does not answer as an HTTP proxy does", half.name()));
}

TEST(StreamDial, AProxyThatIsNotThereIsNamed) {
  ProxyHouse house("");
  auto absent = std::make_shared<wire::HttpProxy>();
  absent->host = "127.0.0.1";
  absent->port = 1;
  house.target.proxy = absent;
  EXPECT_EQ(house.dial(), "the proxy 127.0.0.1:1 refused the connection");
}

TEST(StreamDial, AProxyThatStallsIsNamed) {
  ProxyHouse house("HTTP/1.1 2");
  StreamDial dial(house.loop.context(), house.target, {},
                  {[](const GObjectPtr<GIOStream>&) { ADD_FAILURE(); },
                   [](const std::string&) { ADD_FAILURE(); }});
  dial.start();
  ASSERT_TRUE(house.loop.until([&] { return !house.request.empty(); }));
  house.loop.turn(10);
  EXPECT_EQ(dial.timeout_reason(5s),
            fmt::format("the proxy {} did not answer within 5 s", house.name()));
}

TEST(StreamDial, TlsThroughAProxyIsWithTheServer) {
  ProxyHouse house("HTTP/1.1 200 OK\r\n\r\nthis is no TLS, whatever it is");
  house.target.tls = true;
  EXPECT_THAT(house.dial(), ::testing::AllOf(::testing::HasSubstr("server.test:4000"),
                                             ::testing::HasSubstr("try ws://")));
}

TEST(StreamDial, GivenUpItCallsNobody) {
  ProxyHouse house("HTTP/1.1 200 OK\r\n\r\n");
  {
    StreamDial dial(house.loop.context(), house.target, {},
                    {[](const GObjectPtr<GIOStream>&) { ADD_FAILURE(); },
                     [](const std::string&) { ADD_FAILURE(); }});
    dial.start();
    ASSERT_TRUE(house.loop.until([&] { return !house.proxy.peers().empty(); }));
  }
  house.loop.turn(100);
}

}  // namespace
}  // namespace peersock::testing
