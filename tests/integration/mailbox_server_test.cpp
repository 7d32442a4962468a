// The rendezvous server's shell against clients that speak HTTP and WebSocket octet by octet: what
// it answers.
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "mailbox_client.hpp"
#include "raw_client.hpp"

namespace peersock::testing {
namespace {

using adapters::MailboxServerConfig;
using nlohmann::json;

// --- HTTP

TEST(MailboxServerHttp, AnswersByPath) {
  GlibLoop loop;
  MailboxHouse house(loop);
  struct Case {
    std::string request;
    std::string status;
    std::string body;
  };
  const auto get = [](const std::string& path) {
    return "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n";
  };
  const Case cases[] = {
      {get("/"), "200", "Wormhole Relay\n"},
      {"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", "200", ""},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi", "405", ""},
      {get("/v1"), "426", ""},
      {get("/v2"), "404", ""},
      {get("/v1/"), "404", ""},
      {upgrade_request("/"), "200", "Wormhole Relay\n"},
      {upgrade_request("/v1/more"), "404", ""},
      {"GET /v1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "400",
       ""},
      {upgrade_request("/v1?x=y"), "101", ""},
      {"nonsense\r\n\r\n", "400", ""},
  };
  for (const Case& c : cases) {
    const auto peer = TcpPeer::connect(loop.context(), house.port());
    peer->send(c.request);
    const auto head = next_head(loop, *peer);
    ASSERT_TRUE(head) << c.request;
    EXPECT_EQ(head->substr(9, 3), c.status) << c.request;
    if (!c.body.empty()) {
      EXPECT_TRUE(loop.until([&] { return peer->received().size() >= c.body.size(); }));
      EXPECT_EQ(peer->received(), c.body);
    }
    if (c.status == "101") continue;
    EXPECT_TRUE(ends(loop, *peer)) << c.request;
  }
  EXPECT_TRUE(serves_others(loop, house));
}

TEST(MailboxServerHttp, KnowsAWebSocketHandshake) {
  GlibLoop loop;
  MailboxHouse house(loop);
  const auto changed = [](const std::string& from, const std::string& to) {
    std::string request = upgrade_request();
    return request.replace(request.find(from), from.size(), to);
  };
  struct Case {
    const char* what;
    std::string request;
    std::string status;
  };
  const std::string key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
  const Case cases[] = {
      {"the usual one", upgrade_request(), "101"},
      {"names in capitals", changed("Upgrade: websocket", "UPGRADE: WebSocket"), "101"},
      {"more than one token", changed("Connection: Upgrade", "connection: keep-alive, upgrade"),
       "101"},
      {"other extensions and protocols",
       changed(key, key + "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"
                          "Sec-WebSocket-Protocol: a, b"),
       "101"},
      {"another upgrade", changed("Upgrade: websocket", "Upgrade: h2c"), "426"},
      {"no upgrade in Connection", changed("Connection: Upgrade", "Connection: close"), "400"},
      {"no key", changed(key + "\r\n", ""), "400"},
      {"a key that is too short", changed(key, "Sec-WebSocket-Key: dGhl"), "400"},
      {"a key that is no base64", changed(key, "Sec-WebSocket-Key: ????????????????????????"),
       "400"},
      {"two keys", changed(key, key + "\r\n" + key), "400"},
      {"another version", changed("Version: 13", "Version: 8"), "400"},
      {"another method", changed("GET", "POST"), "400"},
  };
  for (const Case& c : cases) {
    const auto peer = TcpPeer::connect(loop.context(), house.port());
    peer->send(c.request);
    const auto head = next_head(loop, *peer);
    ASSERT_TRUE(head) << c.what;
    EXPECT_EQ(head->substr(9, 3), c.status) << c.what;
    // The example of RFC 6455 section 1.3.
    const bool accepted =
        head->find("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") !=
        std::string::npos;
    EXPECT_EQ(accepted, c.status == "101") << c.what;
    EXPECT_EQ(head->find("Sec-WebSocket-Extensions"), std::string::npos);
    EXPECT_EQ(head->find("Sec-WebSocket-Protocol"), std::string::npos);
  }
}

TEST(MailboxServerHttp, AnswersWhoHasFinishedAsking) {
  GlibLoop loop;
  MailboxHouse house(loop);
  const auto peer = TcpPeer::connect(loop.context(), house.port());
  peer->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  peer->finish();
  EXPECT_TRUE(ends(loop, *peer));
  EXPECT_TRUE(peer->received().ends_with("\r\n\r\nWormhole Relay\n")) << peer->received();
}

TEST(MailboxServerHttp, EndlessHeadersAndBodiesAreCut) {
  GlibLoop loop;
  MailboxHouse house(loop);
  for (const char* start :
       {"GET / HTTP/1.1\r\nX: ", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n",
        "POST /v1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n"}) {
    const auto peer = TcpPeer::connect(loop.context(), house.port());
    peer->send(start + std::string(1'000'000, 'x'));
    EXPECT_TRUE(ends(loop, *peer)) << start;
  }
  EXPECT_TRUE(loop.until([&] { return house.server->connections() == 0; }));
}

TEST(MailboxServerHttp, UnfinishedHandshakesAreCut) {
  GlibLoop loop;
  MailboxServerConfig config;
  config.handshake_timeout = 50ms;
  MailboxHouse house(loop, config);
  for (const char* start : {"", "GET /v1 HTT", "GET / HTTP/1.1\r\nHost: x\r\n"}) {
    const auto peer = TcpPeer::connect(loop.context(), house.port());
    peer->send(start);
    EXPECT_TRUE(ends(loop, *peer)) << start;
  }
  EXPECT_TRUE(loop.until([&] { return house.server->connections() == 0; }));
}

// --- frames

TEST(MailboxServerFrames, TextGoesOutForTextAndBinary) {
  GlibLoop loop;
  MailboxHouse house(loop);
  const auto peer = joined(loop, house);
  for (const std::uint8_t opcode : {kText, kBinary}) {
    peer->send(ws_frame(opcode, R"({"type":"ping","ping":5})", true));
    for (const char* type : {"ack", "pong"}) {
      const auto frame = next_frame(loop, *peer);
      ASSERT_TRUE(frame);
      EXPECT_EQ(frame->opcode, kText);
      EXPECT_EQ(json::parse(frame->payload).at("type"), type);
    }
  }
}

TEST(MailboxServerFrames, MayFollowTheHandshakeAtOnceOrInPieces) {
  GlibLoop loop;
  MailboxHouse house(loop);
  const std::string octets = upgrade_request() + text({{"type", "ping"}, {"ping", 1}}) +
                             text({{"type", "ping"}, {"ping", 2}});
  for (const std::size_t piece : {octets.size(), std::size_t{1}, std::size_t{7}}) {
    const auto peer = TcpPeer::connect(loop.context(), house.port());
    for (std::size_t at = 0; at < octets.size(); at += piece) {
      peer->send(octets.substr(at, piece));
      loop.turn(3);
    }
    EXPECT_TRUE(next_head(loop, *peer));
    for (const char* type : {"welcome", "ack", "pong", "ack", "pong"}) {
      const auto frame = next_frame(loop, *peer);
      ASSERT_TRUE(frame) << piece;
      EXPECT_EQ(json::parse(frame->payload).at("type"), type) << piece;
    }
  }
}

TEST(MailboxServerFrames, GoodbyeIsAnsweredWithTheSameCode) {
  GlibLoop loop;
  MailboxHouse house(loop);
  for (const std::string_view payload : {"\x03\xe8", "\x03\xe9", "\x0f\xa0 and thanks"}) {
    const auto peer = joined(loop, house);
    peer->send(ws_frame(kClose, payload, true) + text({{"type", "ping"}, {"ping", 1}}));
    const auto frame = next_frame(loop, *peer);
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->opcode, kClose);
    EXPECT_EQ(frame->payload, payload.substr(0, 2));
    EXPECT_TRUE(ends(loop, *peer));
    EXPECT_EQ(peer->received(), "");
    // The machine need not wait for the socket to close.
    EXPECT_EQ(house.server->counts().connections, 0U);
  }
}

TEST(MailboxServerFrames, WhoDoesNotCloseAfterGoodbyeIsCut) {
  GlibLoop loop;
  MailboxHouse house(loop);
  const auto peer = joined(loop, house);
  peer->send(ws_frame(kClose, "\x03\xe8", true));
  EXPECT_TRUE(ends(loop, *peer));
  EXPECT_EQ(house.server->connections(), 1U);
  EXPECT_TRUE(loop.until([&] { return house.server->connections() == 0; }));
}

TEST(MailboxServerFrames, FragmentsMakeAMessage) {
  GlibLoop loop;
  MailboxHouse house(loop);
  const auto peer = joined(loop, house);
  peer->send(ws_frame(kText, R"({"type":)", true, false) + ws_frame(kPing, "p", true) +
             ws_frame(kContinuation, R"("ping",)", true, false) +
             ws_frame(kContinuation, R"("ping":5})", true));
  const auto pong = next_frame(loop, *peer);
  ASSERT_TRUE(pong);
  EXPECT_EQ(pong->opcode, kPong);
  EXPECT_EQ(pong->payload, "p");
  EXPECT_EQ(json::parse(next_frame(loop, *peer)->payload).at("type"), "ack");
  EXPECT_EQ(json::parse(next_frame(loop, *peer)->payload).at("pong"), 5);
}

TEST(MailboxServerFrames, GarbageIsAnsweredAndTheConnectionKept) {
  GlibLoop loop;
  MailboxHouse house(loop);
  const auto peer = joined(loop, house);
  for (const std::string& payload : {std::string(), std::string("?"), std::string(5, '\0')}) {
    peer->send(ws_frame(kBinary, payload, true));
    const auto frame = next_frame(loop, *peer);
    ASSERT_TRUE(frame);
    EXPECT_EQ(json::parse(frame->payload).at("error"), "the message is not JSON");
  }
  peer->send(ws_frame(kBinary, "\xff\xfe", true));
  EXPECT_TRUE(next_frame(loop, *peer));
}

TEST(MailboxServerFrames, BrokenFramesEndTheConnectionAlone) {
  GlibLoop loop;
  MailboxServerConfig config;
  config.rules.max_frame = 100'000;
  MailboxHouse house(loop, config);
  const std::pair<const char*, std::string> cases[] = {
      {"not masked", ws_frame(kText, "{}", false)},
      {"reserved bit", "\xc1" + ws_frame(kText, "{}", true).substr(1)},
      {"text that is not UTF-8", ws_frame(kText, "\xff", true)},
      {"reserved opcode", ws_frame(3, "x", true)},
      {"continuation of nothing", ws_frame(kContinuation, "x", true)},
      {"too long", ws_frame(kText, std::string(100'001, ' '), true)},
      {"absurdly long", std::string("\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xffmask", 14)},
      {"long ping", ws_frame(kPing, std::string(126, 'x'), true)},
      {"close", ws_frame(kClose, "\x03\xe8", true)},
  };
  for (const auto& [name, octets] : cases) {
    const auto peer = joined(loop, house);
    peer->send(octets);
    EXPECT_TRUE(loop.until([&] {
      const auto frame = take_ws_frame(peer->received());
      return (frame && frame->opcode == kClose) || peer->ended();
    })) << name;
    EXPECT_TRUE(serves_others(loop, house)) << name;
  }
}

TEST(MailboxServerFrames, LongestFrameIsServed) {
  GlibLoop loop;
  MailboxServerConfig config;
  config.rules.max_frame = 100'000;
  MailboxHouse house(loop, config);
  const auto peer = joined(loop, house);
  std::string longest = R"({"type":"ping","ping":1})";
  longest.resize(100'000, ' ');
  peer->send(ws_frame(kText, longest, true));
  EXPECT_EQ(json::parse(next_frame(loop, *peer)->payload).at("type"), "ack");
}

}  // namespace
}  // namespace peersock::testing
