// What makes the rendezvous server a service: state file, proxies, facts and metrics,
// on the real loop and through real WebSockets.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "adapters/client_address.hpp"
#include "adapters/mailbox_persistence.hpp"
#include "adapters/mailbox_store.hpp"
#include "core/bytes.hpp"
#include "mailbox_client.hpp"
#include "raw_client.hpp"
#include "support/temporary_files.hpp"

namespace peersock::testing {
namespace {

using adapters::MailboxFact;
using adapters::MailboxServer;
using adapters::MailboxServerConfig;

template <typename Fact>
const Fact* last(const std::vector<MailboxFact>& facts) {
  for (auto fact = facts.rbegin(); fact != facts.rend(); ++fact) {
    if (const auto* found = std::get_if<Fact>(&*fact)) return found;
  }
  return nullptr;
}

// --- state

TEST(MailboxService, AnswersOnlyWhatIsInTheFile) {
  GlibLoop loop;
  TemporaryFiles folder;
  MailboxServerConfig config;
  config.state_file = folder.file("state");
  std::vector<MailboxFact> facts;
  config.report = [&](const MailboxFact& fact) { facts.push_back(fact); };
  auto house = std::make_unique<MailboxHouse>(loop, config);
  MailboxClient client(loop);
  ASSERT_TRUE(client.join(house->url(), "a"));
  client.say({{"type", "claim"}, {"nameplate", "4"}});
  const std::string mailbox = client.hear("claimed").at("mailbox");
  client.say({{"type", "open"}, {"mailbox", mailbox}});
  for (int i = 0; i < 20; ++i) {
    client.say({{"type", "add"}, {"phase", std::to_string(i)}, {"body", std::string(50'000, 'x')}});
  }
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(client.hear("message").at("phase"), std::to_string(i));
  }
  EXPECT_GT(house->server->status().totals.state_commits, 0U);
  // Many changes of one turn are one transaction.
  EXPECT_LE(house->server->status().totals.state_commits, 25U);
  house.reset();
  house = std::make_unique<MailboxHouse>(loop, config);
  const auto* restored = last<adapters::MailboxStateRestored>(facts);
  ASSERT_NE(restored, nullptr);
  EXPECT_EQ(restored->mailboxes, 1U);
  EXPECT_EQ(restored->nameplates, 1U);
  EXPECT_EQ(restored->messages, 20U);
}

/// What the machine says, through a MailboxPersistence on a file.
struct Desk {
  Desk(GlibLoop& loop, const std::string& file)
      : persistence(loop.context(), std::move(adapters::MailboxStore::open(file)->store), 10s,
                    totals,
                    {[this, file](const wormhole::ServerOutput& output) {
                       released.emplace_back(output.index(), mailboxes_in(file));
                     },
                     [] { return wormhole::ServerState{}; },
                     {}}) {}

  void store(const std::string& id) {
    persistence.take(wormhole::StoreChange{wormhole::StoreMailbox{id, "app", std::nullopt}});
  }
  void send(std::size_t octets = 2) {
    persistence.take(wormhole::SendToClient{1, std::string(octets, 'x')});
  }
  /// As another program sees the file at this moment.
  static int mailboxes_in(const std::string& file) {
    sqlite3* raw = nullptr;
    (void)sqlite3_open_v2(file.c_str(), &raw, SQLITE_OPEN_READONLY, nullptr);
    const adapters::SqlitePtr database(raw);
    adapters::SqliteStatement count(raw, "SELECT count(*) FROM mailboxes");
    return count.step() == SQLITE_ROW ? static_cast<int>(count.integer(0)) : -1;
  }

  adapters::MailboxTotals totals;
  /// Which kind of output, and how many mailboxes were in the file then.
  std::vector<std::pair<std::size_t, int>> released;
  adapters::MailboxPersistence persistence;
};

TEST(MailboxPersistence, HoldsFramesBackUntilTheFileHasWhatTheySay) {
  GlibLoop loop;
  TemporaryFiles folder;
  Desk desk(loop, folder.file("state"));
  desk.send();
  EXPECT_EQ(desk.released.size(), 1U);  // nothing to wait for
  desk.store("a");
  desk.send();
  desk.store("b");
  desk.send();
  desk.persistence.take(wormhole::DropClient{1});
  EXPECT_EQ(desk.released.size(), 1U);
  EXPECT_TRUE(loop.until([&] { return desk.released.size() == 4; }));
  EXPECT_EQ(desk.released,
            (std::vector<std::pair<std::size_t, int>>{{0, 0}, {0, 2}, {0, 2}, {1, 2}}));
  EXPECT_EQ(desk.totals.state_commits, 1U);
}

TEST(MailboxPersistence, DoesNotHoldBackWithoutBound) {
  GlibLoop loop;
  TemporaryFiles folder;
  Desk desk(loop, folder.file("state"));
  desk.store("a");
  for (int i = 0; i < 11; ++i) desk.send(100'000);
  EXPECT_EQ(desk.released.size(), 11U);
  EXPECT_EQ(desk.released.front().second, 1);
}

TEST(MailboxService, PongsDoNotOvertakeWhatIsHeldBack) {
  GlibLoop loop;
  TemporaryFiles folder;
  MailboxServerConfig config;
  config.state_file = folder.file("state");
  MailboxHouse house(loop, config);
  const auto peer = joined(loop, house);
  bind_and_open(*peer, "a");
  std::string burst;
  for (int i = 0; i < 50; ++i) {
    burst += text({{"type", "add"}, {"phase", std::to_string(i)}, {"body", "00"}, {"id", i}});
    burst += text({{"type", "ping"}, {"ping", i}});
  }
  peer->send(burst);
  for (int i = 0; i < 50; ++i) {
    for (const char* type : {"message", "pong"}) {
      nlohmann::json heard;
      do {
        const auto frame = next_frame(loop, *peer);
        ASSERT_TRUE(frame);
        heard = nlohmann::json::parse(frame->payload);
      } while (heard.at("type") == "ack");
      EXPECT_EQ(heard.at("type"), type) << i;
    }
  }
}

// --- facts and status

TEST(MailboxService, TellsWhoCameAndWhyTheyWent) {
  GlibLoop loop;
  MailboxServerConfig config;
  std::vector<MailboxFact> facts;
  config.report = [&](const MailboxFact& fact) { facts.push_back(fact); };
  config.rules.max_frame = 10'000;
  MailboxHouse house(loop, config);
  config.max_silence = 100ms;
  MailboxHouse impatient(loop, config);
  const auto reason_of = [&](TcpPeer& peer) {
    facts.clear();
    EXPECT_TRUE(ends(loop, peer));
    EXPECT_TRUE(
        loop.until([&] { return last<adapters::MailboxClientDisconnected>(facts) != nullptr; }));
    const auto* gone = last<adapters::MailboxClientDisconnected>(facts);
    return gone == nullptr ? "" : to_string(gone->reason);
  };
  EXPECT_EQ(reason_of(*joined(loop, impatient)), "silent");
  EXPECT_EQ(impatient.server->status().totals.ended.at(2), 1U);
  const auto* came = last<adapters::MailboxClientConnected>(facts);
  EXPECT_EQ(came, nullptr);
  const auto closing = joined(loop, house);
  came = last<adapters::MailboxClientConnected>(facts);
  ASSERT_NE(came, nullptr);
  EXPECT_EQ(came->network, "127.0.0.0/24");
  closing->send(ws_frame(kClose, "\x03\xe8", true));
  EXPECT_EQ(reason_of(*closing), "closed");
  const auto flooding = joined(loop, house);
  flooding->send(ws_frame(kText, "{", true, false));
  for (int i = 0; i < 100; ++i) {
    flooding->send(ws_frame(kContinuation, std::string(9'000, ' '), true, false));
  }
  EXPECT_EQ(reason_of(*flooding), "flooded");
  const auto totals = house.server->status().totals;
  EXPECT_EQ(totals.accepted, 2U);
  EXPECT_EQ(totals.ended, (std::array<std::uint64_t, adapters::kClientEnds>{1, 0, 0, 0, 1, 0}));
}

TEST(MailboxService, AProxysWordIsTakenOnlyFromThisMachine) {
  struct Case {
    const char* header;
    std::optional<std::string> host;
    std::string key;  // its octets, hexadecimal
    std::string network;
  };
  const Case cases[] = {
      {"192.0.2.7", "192.0.2.7", "c0000207", "192.0.2.0/24"},
      {" 10.0.0.1 , 192.0.2.7\t", "192.0.2.7", "c0000207", "192.0.2.0/24"},
      {"2001:db8:1:2:3::4", "2001:db8:1:2:3::4", "20010db800010002", "2001:db8:1::/48"},
      {"::ffff:192.0.2.7", "192.0.2.7", "c0000207", "192.0.2.0/24"},
      {"", std::nullopt, "", ""},
      {"unknown", std::nullopt, "", ""},
      {"192.0.2.7,", std::nullopt, "", ""},
      {"192.0.2.7:80", std::nullopt, "", ""},
  };
  for (const Case& c : cases) {
    const auto origin = adapters::forwarded_origin(c.header);
    ASSERT_EQ(origin.has_value(), c.host.has_value()) << c.header;
    if (!origin) continue;
    EXPECT_EQ(origin->address->host, *c.host);
    EXPECT_EQ(origin->network, c.network);
    EXPECT_EQ(to_hex(Bytes(origin->key.begin(), origin->key.end())), c.key);
  }
}

TEST(MailboxService, MetricsNameEverything) {
  adapters::MailboxStatus status;
  status.connections = 3;
  status.counts.octets = 77;
  status.counts.outcomes.scary = 2;
  status.totals.ended[1] = 5;
  const std::string plain = render_metrics(status, "1.2");
  for (const char* line :
       {"peersock_mailbox_build_info{version=\"1.2\"} 1\n", "\npeersock_mailbox_connections 3\n",
        "\npeersock_mailbox_stored_bytes 77\n",
        "\npeersock_mailbox_mailboxes_ended_total{mood=\"scary\"} 2\n",
        "\npeersock_mailbox_connections_ended_total{reason=\"handshake\"} 5\n"}) {
    EXPECT_NE(plain.find(line), std::string::npos) << line;
  }
  EXPECT_EQ(plain.find("state_"), std::string::npos);
  status.has_state_file = status.state_failing = true;
  EXPECT_NE(render_metrics(status, "").find("\npeersock_mailbox_state_failing 1\n"),
            std::string::npos);
}

}  // namespace
}  // namespace peersock::testing
