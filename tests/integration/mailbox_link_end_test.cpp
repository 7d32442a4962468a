// The end of the client's link: by its owner, at every moment and from inside its callbacks.
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "mailbox_client.hpp"
#include "scripted_server.hpp"

namespace peersock::testing {
namespace {

TEST(MailboxLinkEnds, AnywhereWithoutACallback) {
  GlibLoop server_loop;
  for (const bool destroy : {true, false}) {
    for (int turns = 0; turns < 60; ++turns) {
      GlibLoop loop;
      MailboxHouse house(loop);
      int calls = 0;
      {
        adapters::MailboxLink link(loop.context(), {[&] { ++calls; }, [&](std::string) { ++calls; },
                                                    [&](std::string) { ++calls; }});
        link.open(house.url());
        loop.turn(turns);
        calls = 0;
        if (!destroy) {
          link.close();
          EXPECT_TRUE(loop.until([&] { return house.server->connections() == 0; }));
        }
      }
      EXPECT_TRUE(loop.until([&] { return house.server->connections() == 0; })) << turns;
      loop.turn(50);
      EXPECT_EQ(calls, 0) << turns;
    }
  }
}

TEST(MailboxLinkEnds, InsideItsCallbacks) {
  enum class Where { kUp, kFrame, kLost };
  for (const Where where : {Where::kUp, Where::kFrame, Where::kLost}) {
    for (const bool broken : {false, true}) {
      GlibLoop loop;
      ScriptedServer server(loop, [broken](TcpPeer& peer) {
        peer.send(ws_frame(kText, "one", false) + ws_frame(kText, "two", false));
        peer.send(broken ? ws_frame(kText, "\xff", false) : ws_frame(kClose, "\x03\xe8", false));
      });
      MailboxClient client(loop);
      bool ended = false;
      const auto end = [&] {
        client.link.reset();
        ended = true;
      };
      if (where == Where::kUp) client.when_up = end;
      if (where == Where::kFrame) client.when_frame = end;
      if (where == Where::kLost) client.when_lost = end;
      client.link->open(server.url());
      EXPECT_TRUE(loop.until([&] { return ended; }));
      EXPECT_TRUE(loop.until([&] { return server.peers().at(0)->ended(); }));
      EXPECT_EQ(client.frames.size(), where == Where::kUp ? 0U : where == Where::kFrame ? 1U : 2U);
      EXPECT_EQ(client.lost.size(), where == Where::kLost ? 1U : 0U);
    }
  }
}

TEST(MailboxLinkEnds, AsAnAttemptInsideOnLost) {
  GlibLoop loop;
  const TcpListener server(loop.context(), [](TcpPeer& peer) {
    peer.send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  });
  for (const std::string& url :
       {url_of(server.port()), std::string("nonsense"), url_of(server.port(), "wss")}) {
    MailboxClient client(loop);
    client.when_lost = [&] { client.link.reset(); };
    client.link->open(url);
    EXPECT_TRUE(loop.until([&] { return !client.link; })) << url;
  }
}

TEST(MailboxLinkEnds, OpensAgainInsideOnLost) {
  GlibLoop loop;
  ScriptedServer server(loop, [](TcpPeer& peer) { peer.send(ws_frame(kClose, "", false)); });
  MailboxClient client(loop);
  client.when_lost = [&] {
    if (client.lost.size() < 20) client.link->open(server.url());
  };
  client.link->open(server.url());
  EXPECT_TRUE(loop.until([&] { return client.lost.size() == 20; }));
  EXPECT_EQ(client.ups, 20);
}

TEST(MailboxLinkEnds, ClosesWithACloseFrame) {
  GlibLoop loop;
  ScriptedServer server(loop, [](TcpPeer&) {});
  MailboxClient client(loop);
  client.when_up = [&] {
    client.link->send("last words");
    client.link->close();
  };
  client.link->open(server.url());
  std::vector<std::uint8_t> opcodes;
  EXPECT_TRUE(loop.until([&] {
    if (server.peers().empty()) return false;
    while (const auto frame = take_ws_frame(server.peers().at(0)->received())) {
      opcodes.push_back(frame->opcode);
    }
    return opcodes.size() == 2;
  }));
  EXPECT_EQ(opcodes, (std::vector<std::uint8_t>{kText, kClose}));
  EXPECT_TRUE(client.lost.empty());
}

}  // namespace
}  // namespace peersock::testing
