// The state file of the rendezvous server: what goes in comes out, whatever it is.
#include "adapters/mailbox_store.hpp"

#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <sys/stat.h>

#include "support/seeded_rng.hpp"
#include "support/state_model.hpp"
#include "support/temporary_files.hpp"
#include "wormhole/server.hpp"

namespace peersock::testing {
namespace {

using namespace peersock::wormhole;  // NOLINT(google-build-using-namespace)
using adapters::MailboxStore;

/// A file name that is free.
class StateFile {
 public:
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  TemporaryFiles files_;
  std::string path_ = files_.file("state.db");
};

std::unique_ptr<MailboxStore> open(const StateFile& file, ServerState* state = nullptr) {
  auto opened = MailboxStore::open(file.path());
  if (!opened) {
    ADD_FAILURE() << opened.error().message;
    return nullptr;
  }
  if (state != nullptr) *state = opened->state;
  return std::move(opened->store);
}

ServerState read(const StateFile& file) {
  ServerState state;
  (void)open(file, &state);
  return state;
}

void write(MailboxStore& store, const std::vector<StateChange>& changes) {
  for (const StateChange& change : changes) store.write(change);
  const auto kept = store.commit();
  EXPECT_TRUE(kept) << kept.error().message;
}

TEST(MailboxStore, BeginsEmptyAndPrivate) {
  const StateFile file;
  EXPECT_EQ(read(file), ServerState{});
  struct stat info {};
  ASSERT_EQ(::stat(file.path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
}

TEST(MailboxStore, AnyOctetsComeBack) {
  const StateFile file;
  const std::string odd("\0\xff'\"; DROP TABLE sides; --\n\xc3\xa4", 29);
  const ServerState state{
      {{odd + "1", odd, odd, {{odd, false, wire::Mood::kScary}, {"", true, std::nullopt}}, {}},
       {odd + "2", "", std::nullopt, {}, {{odd, odd, odd, odd.substr(0, 1), 1.7e9 + 0.123456}}}},
      {{odd, odd, odd + "1", {{odd, true}, {"", false}}}}};
  {
    const auto store = open(file);
    ASSERT_TRUE(store);
    ASSERT_TRUE(store->rewrite(state));
  }
  EXPECT_EQ(read(file), state);
}

TEST(MailboxStore, EveryKindOfMessageIdComesBack) {
  const StateFile file;
  const nlohmann::json ids[] = {nullptr, true, 0, -7, 18446744073709551615U, 0.1, "", "x\"y"};
  ServerState state{{{"m", "app", std::nullopt, {}, {}}}, {}};
  for (const auto& id : ids) state.mailboxes[0].messages.push_back({"a", "p", "", id, 0});
  {
    const auto store = open(file);
    ASSERT_TRUE(store->rewrite(state));
  }
  EXPECT_EQ(read(file), state);
}

TEST(MailboxStore, WhatWasNotCommittedIsNotThere) {
  const StateFile file;
  {
    const auto store = open(file);
    write(*store, {StoreMailbox{"kept", "app", std::nullopt}});
    store->write(StoreMailbox{"lost", "app", std::nullopt});
    EXPECT_TRUE(store->has_uncommitted());
  }
  const ServerState state = read(file);
  ASSERT_EQ(state.mailboxes.size(), 1U);
  EXPECT_EQ(state.mailboxes[0].id, "kept");
}

TEST(MailboxStore, AChangeThatDoesNotFitFailsAsAWhole) {
  const StateFile file;
  {
    const auto store = open(file);
    write(*store, {StoreMailbox{"m", "app", std::nullopt}});
    store->write(EraseMailbox{"m"});
    store->write(StoreSide{"gone", {"a", true, std::nullopt}});
    const auto kept = store->commit();
    ASSERT_FALSE(kept);
    EXPECT_NE(kept.error().message.find(file.path()), std::string::npos);
    EXPECT_FALSE(store->has_uncommitted());
    write(*store, {StoreSide{"m", {"a", true, std::nullopt}}});
  }
  EXPECT_EQ(read(file).mailboxes.at(0).sides.size(), 1U);
}

TEST(MailboxStore, ErasingTakesEverythingAlong) {
  const StateFile file;
  {
    const auto store = open(file);
    write(*store, {StoreMailbox{"m", "app", "4"}, StoreSide{"m", {"a", true, std::nullopt}},
                   StoreMessage{"m", {"a", "p", "b", nullptr, 1}}, StoreNameplate{"app", "4", "m"},
                   StoreClaim{"app", "4", {"a", true}}});
    write(*store, {EraseMailbox{"m"}, EraseNameplate{"app", "4"}});
    // The same names begin anew.
    write(*store, {StoreMailbox{"m", "app", "4"}, StoreNameplate{"app", "4", "m"}});
  }
  EXPECT_EQ(read(file), (ServerState{{{"m", "app", "4", {}, {}}}, {{"app", "4", "m", {}}}}));
}

TEST(MailboxStore, TwoDoNotShareAFile) {
  const StateFile file;
  const auto first = open(file);
  const auto second = MailboxStore::open(file.path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::kLocalEndpoint);
  EXPECT_EQ(second.error().message,
            "the state file " + file.path() +
                " is used by another server: stop that, or name another file");
}

TEST(MailboxStore, TheFileIsFreeAgainAfterwards) {
  const StateFile file;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(open(file));
}

// --- a server whose process ends at any moment

ServerConfig storing() {
  ServerConfig config;
  config.store_changes = true;
  config.max_messages_per_mailbox = 8;
  config.max_mailboxes = 6;
  return config;
}

std::string random_request(std::uint32_t choice) {
  const std::string number = std::to_string(choice / 16 % 3);
  switch (choice % 9) {
    case 0:
      return R"({"type":"allocate"})";
    case 1:
    case 2:
      return R"({"type":"claim","nameplate":")" + number + "\"}";
    case 3:
      return R"({"type":"release","nameplate":")" + number + "\"}";
    case 4:
    case 5:
      return R"({"type":"open","mailbox":"m)" + number + "\"}";
    case 6:
    case 7:
      return R"({"type":"add","phase":"p","body":"00","id":)" + number + "}";
    default:
      return R"({"type":"close","mailbox":"m)" + number + R"(","mood":"happy"})";
  }
}

/// Some clients do something; every change goes into `store`.
void live(Server& server, Rng& rng, MailboxStore& store, Instant& now, ConnectionId& next) {
  const auto post = [&](ServerInput input) {
    for (auto& output : server.handle(std::move(input), now)) {
      if (const auto* change = std::get_if<StoreChange>(&output)) store.write(change->change);
    }
  };
  for (int client = 0; client < 6; ++client) {
    const ConnectionId who = next++;
    const std::string side(1, static_cast<char>('a' + random_below(rng, 3)));
    post(ClientConnected{who, std::nullopt, ""});
    post(ClientFrameReceived{who, R"({"type":"bind","appid":"app","side":")" + side + "\"}"});
    for (int request = 0; request < 6; ++request) {
      post(ClientFrameReceived{who, random_request(random_below(rng, 1000))});
    }
    if (random_below(rng, 2) == 0) post(ClientDisconnected{who});
    now += std::chrono::seconds(random_below(rng, 200));
    post(DeadlineReached{});
  }
  const auto kept = store.commit();
  ASSERT_TRUE(kept) << kept.error().message;
}

TEST(MailboxStore, ARestartedServerIsTheOneThatWas) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    const StateFile file;
    SeededRng rng(seed);
    Instant now{};
    ConnectionId next = 1;
    ServerState expected;
    for (int life = 0; life < 4; ++life) {
      ServerState found;
      const auto store = open(file, &found);
      ASSERT_TRUE(store);
      ASSERT_EQ(found, expected) << "seed " << seed << ", life " << life;
      Server server(storing(), rng, 1.7e9, now, found);
      ASSERT_EQ(server.state(), expected);
      live(server, rng, *store, now, next);
      expected = server.state();
    }
    EXPECT_FALSE(expected.mailboxes.empty() && seed == 1);
  }
}

}  // namespace
}  // namespace peersock::testing
