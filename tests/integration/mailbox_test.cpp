// The rendezvous server and the client's link to it, both real, over loopback on one loop.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "mailbox_client.hpp"

namespace peersock::testing {
namespace {

using nlohmann::json;

TEST(Mailbox, WholeVisitOfTwoClients) {
  GlibLoop loop;
  adapters::MailboxServerConfig config;
  config.rules.motd = "hello";
  MailboxHouse house(loop, config);
  ASSERT_TRUE(house.server);
  MailboxClient alice(loop);
  alice.link->open(house.url());
  const json welcome = alice.hear("welcome");
  EXPECT_EQ(welcome.at("welcome").at("motd"), "hello");
  EXPECT_EQ(welcome.at("welcome").at("your-address").at("ipv4"), "127.0.0.1");
  EXPECT_EQ(alice.ups, 1);

  alice.say({{"type", "bind"}, {"appid", "app"}, {"side", "a"}});
  alice.say({{"type", "allocate"}});
  const json nameplate = alice.hear("allocated").at("nameplate");
  alice.say({{"type", "claim"}, {"nameplate", nameplate}});
  const json mailbox = alice.hear("claimed").at("mailbox");
  alice.say({{"type", "open"}, {"mailbox", mailbox}});
  alice.say({{"type", "add"}, {"phase", "pake"}, {"body", "00"}});
  EXPECT_EQ(alice.hear("message").at("body"), "00");

  MailboxClient bob(loop);
  ASSERT_TRUE(bob.join(house.url(), "b"));
  bob.say({{"type", "claim"}, {"nameplate", nameplate}});
  EXPECT_EQ(bob.hear("claimed").at("mailbox"), mailbox);
  bob.say({{"type", "open"}, {"mailbox", mailbox}});
  EXPECT_EQ(bob.hear("message").at("side"), "a");
  bob.say({{"type", "add"}, {"phase", "pake"}, {"body", "01"}});
  EXPECT_EQ(bob.hear("message").at("body"), "01");
  EXPECT_EQ(alice.hear("message").at("body"), "01");

  for (MailboxClient* client : {&alice, &bob}) {
    client->say({{"type", "release"}});
    EXPECT_TRUE(client->hear("released").is_object());
    client->say({{"type", "close"}, {"mood", "happy"}});
    EXPECT_TRUE(client->hear("closed").is_object());
    client->link->close();
  }
  EXPECT_TRUE(loop.until([&] { return house.server->connections() == 0; }));
  EXPECT_TRUE(alice.lost.empty() && bob.lost.empty());
  const auto counts = house.server->counts();
  EXPECT_EQ(counts.connections, 0U);
  EXPECT_EQ(counts.mailboxes, 0U);
  EXPECT_EQ(counts.outcomes.happy, 1U);
}

TEST(Mailbox, HundredClientsInPairs) {
  GlibLoop loop;
  MailboxHouse house(loop);
  std::vector<std::unique_ptr<MailboxClient>> clients;
  int messages = 0;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(std::make_unique<MailboxClient>(loop));
    MailboxClient* client = clients.back().get();
    client->when_up = [client, i] {
      client->say({{"type", "bind"}, {"appid", "app"}, {"side", "s" + std::to_string(i)}});
      client->say({{"type", "open"}, {"mailbox", "m" + std::to_string(i / 2)}});
      client->say({{"type", "add"}, {"phase", "p"}, {"body", std::to_string(i)}});
    };
    client->when_frame = [client, &messages] {
      if (json::parse(client->frames.back()).at("type") == "message") ++messages;
    };
    client->link->open(house.url());
  }
  // Each hears itself and its partner, and nobody else.
  EXPECT_TRUE(loop.until([&] { return messages == 200; }));
  loop.turn(1000);
  EXPECT_EQ(messages, 200);
  EXPECT_EQ(house.server->connections(), 100U);
  EXPECT_EQ(house.server->counts().mailboxes, 50U);
  clients.clear();
  EXPECT_TRUE(loop.until([&] { return house.server->counts().connections == 0; }));
  EXPECT_TRUE(loop.until([&] { return house.server->connections() == 0; }));
}

TEST(Mailbox, TwoMebibytesTravel) {
  GlibLoop loop;
  MailboxHouse house(loop);
  MailboxClient client(loop);
  ASSERT_TRUE(client.join(house.url(), "a"));
  client.say({{"type", "open"}, {"mailbox", "m"}});
  const std::string body(std::size_t{2} * 1024 * 1024, 'a');
  client.say({{"type", "add"}, {"phase", "p"}, {"body", body}});
  EXPECT_EQ(client.hear("message").at("body"), body);
}

TEST(Mailbox, ServerGoingAwayIsToldAndTheNextOneIsFound) {
  GlibLoop loop;
  auto house = std::make_unique<MailboxHouse>(loop);
  const std::string url = house->url();
  const std::uint16_t port = house->port();
  MailboxClient client(loop);
  ASSERT_TRUE(client.join(url, "a"));
  house.reset();
  EXPECT_TRUE(loop.until([&] { return !client.lost.empty(); }));
  EXPECT_EQ(client.lost, std::vector<std::string>{"the server is going away"});
  EXPECT_FALSE(client.link->is_up());

  client.lost.clear();
  client.link->open(url);
  EXPECT_TRUE(loop.until([&] { return !client.lost.empty(); }));
  EXPECT_EQ(client.lost.at(0), "127.0.0.1:" + std::to_string(port) + " refused the connection");

  client.lost.clear();
  client.ups = 0;
  adapters::MailboxServerConfig config;
  config.listen = {TcpEndpoint{"127.0.0.1", port}};
  const MailboxHouse next(loop, config);
  ASSERT_TRUE(next.server);
  EXPECT_TRUE(client.join(url, "a"));
}

TEST(Mailbox, CloseIsQuietAndComplete) {
  GlibLoop loop;
  MailboxHouse house(loop);
  MailboxClient client(loop);
  ASSERT_TRUE(client.join(house.url(), "a"));
  // What was sent before the close arrives.
  client.say({{"type", "open"}, {"mailbox", "m"}});
  client.say({{"type", "add"}, {"phase", "p"}, {"body", std::string(500'000, 'x')}});
  client.link->close();
  EXPECT_FALSE(client.link->is_up());
  client.link->close();
  client.say({{"type", "list"}});
  EXPECT_TRUE(loop.until([&] { return house.server->connections() == 0; }));
  EXPECT_EQ(house.server->counts().messages, 1U);
  loop.turn(100);
  EXPECT_TRUE(client.lost.empty());

  client.ups = 0;
  EXPECT_TRUE(client.join(house.url(), "a"));
}

TEST(Mailbox, ReopeningWhileOpenMakesOneLink) {
  GlibLoop loop;
  MailboxHouse house(loop);
  MailboxClient client(loop);
  ASSERT_TRUE(client.join(house.url(), "a"));
  client.link->open(house.url());
  client.link->open(house.url());
  EXPECT_TRUE(loop.until([&] { return client.ups == 2; }));
  EXPECT_TRUE(loop.until([&] { return house.server->connections() == 1; }));
  EXPECT_TRUE(client.lost.empty());
  client.say({{"type", "ping"}, {"ping", 1}});
  EXPECT_EQ(client.hear("pong").at("pong"), 1);
}

TEST(Mailbox, ServerDropsAreTold) {
  GlibLoop loop;
  adapters::MailboxServerConfig config;
  config.rules.max_listeners_per_mailbox = 1;
  MailboxHouse house(loop, config);
  MailboxClient first(loop);
  MailboxClient second(loop);
  ASSERT_TRUE(first.join(house.url(), "a"));
  ASSERT_TRUE(second.join(house.url(), "a"));
  first.say({{"type", "open"}, {"mailbox", "m"}});
  EXPECT_TRUE(first.hear("ack").is_object());
  second.say({{"type", "open"}, {"mailbox", "m"}});
  EXPECT_TRUE(loop.until([&] { return !first.lost.empty(); }));
  EXPECT_EQ(first.lost.at(0), "the server closed the connection with code 1008");
  EXPECT_TRUE(second.lost.empty());
}

TEST(Mailbox, BothFamiliesOnOnePort) {
  GlibLoop loop;
  adapters::MailboxServerConfig config;
  config.listen = {TcpEndpoint{"", 0}, TcpEndpoint{"127.0.0.1", 0}};
  MailboxHouse house(loop, config);
  ASSERT_TRUE(house.server);
  for (const std::string& url : house.server->urls()) {
    MailboxClient client(loop);
    EXPECT_TRUE(client.join(url, "a")) << url;
  }
}

// --- listening

TEST(MailboxListen, SaysWhyItCanNot) {
  GlibLoop loop;
  MailboxHouse house(loop);
  struct Case {
    TcpEndpoint endpoint;
    std::string message;
  };
  const std::string taken = "127.0.0.1:" + std::to_string(house.port());
  const Case cases[] = {
      {{"127.0.0.1", house.port()},
       taken + " is in use by another program: stop that, or listen on another port"},
      {{"", house.port()},
       taken + " is in use by another program: stop that, or listen on another port"},
      {{"192.0.2.1", 0},
       "cannot listen on 192.0.2.1:0 (Error binding to address 192.0.2.1:0: Cannot assign "
       "requested "
       "address): choose an address of this machine"},
      {{"example.org", 80}, "example.org is not a numeric address: give one of this machine, or *"},
  };
  for (const Case& c : cases) {
    adapters::MailboxServerConfig config;
    config.listen = {Endpoint(c.endpoint)};
    const auto made = adapters::MailboxServer::create(loop.context(), config, house.rng);
    ASSERT_FALSE(made) << c.message;
    EXPECT_EQ(made.error().kind, ErrorKind::kLocalEndpoint);
    EXPECT_EQ(made.error().message, c.message);
  }
}

}  // namespace
}  // namespace peersock::testing
