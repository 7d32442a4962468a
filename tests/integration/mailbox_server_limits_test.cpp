// What a bad client can not do to the rendezvous server's shell, and to its other clients.
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "raw_client.hpp"

namespace peersock::testing {
namespace {

using adapters::MailboxServerConfig;

TEST(MailboxServerLimits, EndlessMessageIsCut) {
  GlibLoop loop;
  MailboxServerConfig config;
  config.rules.max_frame = 100'000;
  MailboxHouse house(loop, config);
  const auto peer = joined(loop, house);
  peer->send(ws_frame(kText, "{", true, false));
  std::string fragments;
  for (int i = 0; i < 100; ++i) {
    fragments += ws_frame(kContinuation, std::string(50'000, ' '), true, false);
  }
  peer->send(fragments);
  EXPECT_TRUE(ends(loop, *peer));
  EXPECT_TRUE(loop.until([&] { return house.server->connections() == 0; }));
}

TEST(MailboxServerLimits, FloodOfPingsIsCut) {
  GlibLoop loop;
  MailboxServerConfig config;
  config.rules.max_frame = 10'000;
  config.max_backlog = 1'000'000;
  MailboxHouse house(loop, config);
  const auto peer = joined(loop, house, 4096);
  peer->stop_reading();
  // Between them small requests, so that it is no endless message.
  std::string flood;
  for (int i = 0; i < 100'000; ++i) {
    flood += ws_frame(kPing, std::string(125, 'x'), true);
    if (i % 100 == 0) flood += text({{"type", "ping"}, {"ping", 0}});
  }
  peer->send(flood);
  EXPECT_TRUE(loop.until([&] { return house.server->connections() == 0; }));
  EXPECT_FALSE(flood.empty());
  EXPECT_TRUE(serves_others(loop, house));
}

TEST(MailboxServerLimits, ReaderThatStopsIsCutAndOthersGoOn) {
  GlibLoop loop;
  MailboxServerConfig config;
  config.max_backlog = 3'000'000;
  MailboxHouse house(loop, config);
  const auto slow = joined(loop, house, 4096);
  bind_and_open(*slow, "b");
  slow->stop_reading();
  MailboxClient writer(loop);
  ASSERT_TRUE(writer.join(house.url(), "a"));
  writer.say({{"type", "open"}, {"mailbox", "m"}});
  const std::string body(500'000, 'x');
  for (int i = 0; i < 25; ++i) {
    writer.say({{"type", "add"}, {"phase", std::to_string(i)}, {"body", body}});
    EXPECT_EQ(writer.hear("message").at("phase"), std::to_string(i));
  }
  EXPECT_TRUE(loop.until([&] { return house.server->connections() == 1; }));
  EXPECT_TRUE(writer.lost.empty());
}

TEST(MailboxServerLimits, TheSlowestGoesWhenAllTogetherAreTooMuch) {
  GlibLoop loop;
  MailboxServerConfig config;
  config.max_backlog = 100'000'000;
  config.max_backlog_in_all = 8'000'000;
  MailboxHouse house(loop, config);
  std::vector<std::unique_ptr<TcpPeer>> slow;
  for (int i = 0; i < 2; ++i) {
    slow.push_back(joined(loop, house, 4096));
    bind_and_open(*slow.back(), "b");
    slow.back()->stop_reading();
  }
  MailboxClient writer(loop);
  ASSERT_TRUE(writer.join(house.url(), "a"));
  writer.say({{"type", "open"}, {"mailbox", "m"}});
  for (int i = 0; i < 30; ++i) {
    writer.say(
        {{"type", "add"}, {"phase", std::to_string(i)}, {"body", std::string(500'000, 'x')}});
    EXPECT_TRUE(writer.hear("message").is_object());
  }
  EXPECT_TRUE(loop.until([&] { return house.server->connections() < 3; }));
  EXPECT_TRUE(writer.lost.empty());
  EXPECT_TRUE(serves_others(loop, house));
}

TEST(MailboxServerLimits, ConnectionsOfOneAddress) {
  GlibLoop loop;
  MailboxServerConfig config;
  config.max_connections_per_address = 2;
  MailboxHouse house(loop, config);
  auto first = joined(loop, house);
  const auto second = joined(loop, house);
  MailboxClient third(loop);
  EXPECT_FALSE(third.join(house.url(), "c"));
  EXPECT_EQ(third.lost.at(0), "127.0.0.1:" + std::to_string(house.port()) +
                                  " answered HTTP 503 Service Unavailable instead of a WebSocket");
  first.reset();
  EXPECT_TRUE(loop.until([&] { return house.server->connections() == 1; }));
  EXPECT_TRUE(serves_others(loop, house));
}

TEST(MailboxServerLimits, ConnectionsInAll) {
  GlibLoop loop;
  MailboxServerConfig config;
  config.max_connections = 2;
  MailboxHouse house(loop, config);
  const auto first = joined(loop, house);
  const auto idle = TcpPeer::connect(loop.context(), house.port());
  EXPECT_TRUE(loop.until([&] { return house.server->connections() == 2; }));
  EXPECT_FALSE(serves_others(loop, house));
  first->reset();
  EXPECT_TRUE(loop.until([&] { return house.server->connections() == 1; }));
  EXPECT_TRUE(serves_others(loop, house));
}

TEST(MailboxServerLimits, SilentClientsAreCut) {
  GlibLoop loop;
  MailboxServerConfig config;
  config.max_silence = 100ms;
  MailboxHouse house(loop, config);
  const auto peer = joined(loop, house);
  EXPECT_TRUE(ends(loop, *peer));
}

TEST(MailboxServerLimits, PingsGoOutAndPongsCountAsLife) {
  GlibLoop loop;
  MailboxServerConfig config;
  config.ping_every = 1s;
  config.max_silence = 2500ms;
  MailboxHouse house(loop, config);
  const auto peer = joined(loop, house);
  for (int i = 0; i < 3; ++i) {
    const auto ping = next_frame(loop, *peer);
    ASSERT_TRUE(ping);
    EXPECT_EQ(ping->opcode, kPing);
    peer->send(ws_frame(kPong, ping->payload, true));
  }
  EXPECT_FALSE(peer->ended());
}

TEST(MailboxServerLimits, ClientsThatVanishAnywhereLeaveNothing) {
  GlibLoop loop;
  MailboxHouse house(loop);
  const std::string whole = upgrade_request() + text({{"type", "ping"}, {"ping", 1}}) +
                            ws_frame(kText, R"({"type":"b)", true, false);
  for (std::size_t length = 0; length <= whole.size(); ++length) {
    const auto peer = TcpPeer::connect(loop.context(), house.port());
    peer->send(whole.substr(0, length));
    EXPECT_TRUE(loop.until([&] { return peer->flushed(); }));
    if (length % 2 == 0) {
      peer->finish();
    } else {
      peer->reset();
    }
    loop.turn(static_cast<int>(length % 7));
  }
  EXPECT_TRUE(loop.until([&] { return house.server->connections() == 0; }));
  EXPECT_EQ(house.server->counts().connections, 0U);
}

TEST(MailboxServerLimits, DestructionInTheMiddleOfEverything) {
  for (int turns = 0; turns < 40; ++turns) {
    GlibLoop loop;
    auto house = std::make_unique<MailboxHouse>(loop);
    const auto idle = TcpPeer::connect(loop.context(), house->port());
    const auto half = TcpPeer::connect(loop.context(), house->port());
    half->send("GET /v1 HTTP/1.1\r\n");
    const auto busy = TcpPeer::connect(loop.context(), house->port());
    busy->send(upgrade_request());
    bind_and_open(*busy, "a");
    busy->send(text({{"type", "add"}, {"phase", "p"}, {"body", std::string(300'000, 'x')}}));
    const auto page = TcpPeer::connect(loop.context(), house->port());
    page->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    loop.turn(turns);
    house.reset();
    for (TcpPeer* peer : {idle.get(), half.get(), busy.get(), page.get()}) {
      EXPECT_TRUE(ends(loop, *peer)) << turns;
    }
  }
}

}  // namespace
}  // namespace peersock::testing
