// What an attacker can do to a session, each refused with its own error.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/engines.hpp"
#include "support/quick_smp.hpp"
#include "support/session_pair.hpp"

namespace peersock::testing {
namespace {

/// Claims whatever it is told to.
class LyingSmp final : public auth::SmpEngine {
 public:
  Result<Bytes> start() override { return Bytes{1}; }
  Result<void> check1(ByteView /*first*/) override { return {}; }
  Result<Bytes> answer1(const Secret& /*secret*/) override { return Bytes{2}; }
  Result<Bytes> answer2(const Secret& /*secret*/, ByteView /*second*/) override { return Bytes{3}; }
  Result<Verdict> answer3(ByteView /*third*/) override { return Verdict{true, Bytes{4}}; }
  Result<bool> check4(ByteView /*fourth*/) override { return true; }
};

void expect_refused(const SessionPair& pair) {
  EXPECT_FALSE(pair.a->saw("authenticated") && pair.b->saw("authenticated")) << pair.story();
  EXPECT_TRUE(pair.targets().empty());
  EXPECT_FALSE(pair.a->saw("connection_opened"));
  EXPECT_FALSE(pair.b->saw("connection_opened"));
}

TEST(Security, TwoSecretsThatDifferAreFoundOutByBothSides) {
  // The rest of the session is in order; only what goes into the proof is not.
  class Different final : public auth::SmpEngine {
   public:
    Different() : inner_(make_quick_smp()) {}
    Result<Bytes> start() override { return inner_->start(); }
    Result<void> check1(ByteView first) override { return inner_->check1(first); }
    Result<Bytes> answer1(const Secret& /*secret*/) override { return inner_->answer1(other()); }
    Result<Bytes> answer2(const Secret& /*secret*/, ByteView second) override {
      return inner_->answer2(other(), second);
    }
    Result<Verdict> answer3(ByteView third) override { return inner_->answer3(third); }
    Result<bool> check4(ByteView fourth) override { return inner_->check4(fourth); }

   private:
    static Secret other() { return Secret(std::string_view("another secret")); }
    std::unique_ptr<auth::SmpEngine> inner_;
  };
  for (const bool at_a : {true, false}) {
    PairOptions options;
    (at_a ? options.smp_a : options.smp_b) = [] { return std::make_unique<Different>(); };
    SessionPair pair(options);
    pair.start();
    ASSERT_TRUE(pair.until_ended()) << pair.story();
    EXPECT_EQ(pair.a->exit_code(), ExitCode::kAuthentication) << pair.story();
    EXPECT_EQ(pair.b->exit_code(), ExitCode::kAuthentication) << pair.story();
    expect_refused(pair);
  }
}

TEST(Security, APeerThatClaimsSuccessGetsNoStreamFromOneThatKnowsBetter) {
  PairOptions options;
  options.smp_a = [] { return std::make_unique<LyingSmp>(); };
  options.real_proof = true;
  SessionPair pair(options);
  pair.start();
  const auto program = std::make_shared<LocalProgram>();
  program->to_send = pattern(1000);
  pair.a->connect_locally(program);
  ASSERT_TRUE(pair.until([&] { return pair.b->exit_code().has_value(); })) << pair.story();
  EXPECT_EQ(pair.b->exit_code(), ExitCode::kAuthentication) << pair.story();
  EXPECT_FALSE(pair.b->saw("authenticated"));
  EXPECT_TRUE(pair.targets().empty());
}

TEST(Security, AStreamBeforeTheProofIsNotLookedAt) {
  // A opens streams as soon as it believes the proof; B, which never answers, must not serve one.
  class Silent final : public auth::SmpEngine {
   public:
    Result<Bytes> start() override { return Bytes{1}; }
    Result<void> check1(ByteView /*first*/) override { return {}; }
    Result<Bytes> answer1(const Secret& /*secret*/) override { return Bytes{2}; }
    Result<Bytes> answer2(const Secret& /*secret*/, ByteView /*second*/) override {
      return Bytes{3};
    }
    Result<Verdict> answer3(ByteView /*third*/) override { return Verdict{false, Bytes{4}}; }
    Result<bool> check4(ByteView /*fourth*/) override { return false; }
  };
  PairOptions options;
  options.smp_a = [] { return std::make_unique<LyingSmp>(); };
  options.smp_b = [] { return std::make_unique<Silent>(); };
  SessionPair pair(options);
  pair.start();
  for (int i = 0; i < 10; ++i) pair.connect(pattern(1000));
  ASSERT_TRUE(pair.until([&] { return pair.b->exit_code().has_value(); })) << pair.story();
  EXPECT_TRUE(pair.targets().empty());
  EXPECT_FALSE(pair.b->saw("connection_opened"));
}

TEST(Security, AManInTheMiddleOfTheDatagramsIsRefusedByBothSides) {
  SessionPair pair({});
  // He ends both QUIC connections himself, with a certificate of his own.
  auto engine = std::move(make_engine_of(engines_under_test().first).value());
  std::unique_ptr<quic::Connection> to_client;
  std::unique_ptr<quic::Connection> to_server;
  std::size_t swallowed = 0;
  Bytes buffer(65536);
  const auto flush = [&](quic::Connection& connection, VirtualHost& to) {
    for (;;) {
      const auto train = connection.transmit(buffer, pair.world.now());
      if (train.bytes.empty()) return;
      quic::for_each_datagram(train, [&](ByteView datagram) {
        pair.path.inject(to, Bytes(datagram.begin(), datagram.end()));
      });
    }
  };
  pair.path.intercept([&](const VirtualHost& from, ByteView datagram) {
    ++swallowed;
    if (!to_client) {
      quic::ConnectionConfig server;
      server.role = quic::Role::kServer;
      server.peer_fingerprint = pair.a->engine().fingerprint();
      to_client = std::move(engine->connect(server, pair.world.now()).value());
      quic::ConnectionConfig client;
      client.role = quic::Role::kClient;
      client.peer_fingerprint = pair.b->engine().fingerprint();
      to_server = std::move(engine->connect(client, pair.world.now()).value());
      flush(*to_server, *pair.b);
    }
    auto& mine = &from == pair.a.get() ? *to_client : *to_server;
    auto& host = &from == pair.a.get() ? *pair.a : *pair.b;
    mine.receive({datagram, datagram.size(), quic::Ecn::kNotEct}, pair.world.now());
    flush(mine, host);
    return false;
  });
  pair.start();
  ASSERT_TRUE(pair.until_ended(120s)) << pair.story();
  EXPECT_GT(swallowed, 1U);
  EXPECT_EQ(pair.a->exit_code(), ExitCode::kAuthentication) << pair.story();
  EXPECT_EQ(pair.b->exit_code(), ExitCode::kAuthentication) << pair.story();
  expect_refused(pair);
}

TEST(Security, AThirdPartyOnTheNameplateIsReportedAsCodeInUse) {
  SessionPair pair({});
  pair.start_first();
  const std::string nameplate = pair.a->code()->substr(0, pair.a->code()->find('-'));
  std::optional<wormhole::ConnectionId> stranger;
  bool claimed = false;
  stranger = pair.mailbox.connect(
      {[&] {
         pair.mailbox.send(*stranger,
                           R"({"type":"bind","appid":"peersock/tunnel/v1","side":"stranger"})");
         pair.mailbox.send(*stranger, R"({"type":"claim","nameplate":")" + nameplate + "\"}");
       },
       [&](const std::string& frame) {
         claimed = claimed || frame.find("\"claimed\"") != std::string::npos;
       },
       [](const std::string&) {}});
  ASSERT_TRUE(pair.until([&] { return claimed; }));
  pair.start_second();
  ASSERT_TRUE(pair.until([&] { return pair.b->exit_code().has_value(); })) << pair.story();
  EXPECT_EQ(pair.b->exit_code(), ExitCode::kCodeInUse) << pair.story();
  expect_refused(pair);
}

TEST(Security, AReplayedMailboxHistoryOpensNothing) {
  // What the server relayed in one session is played back to both sides of another.
  std::vector<std::string> history;
  {
    SessionPair first({});
    first.mailbox.tamper([&](wormhole::ConnectionId, std::string frame) {
      if (frame.find("\"message\"") != std::string::npos) history.push_back(frame);
      return std::optional<std::string>(std::move(frame));
    });
    first.start();
    ASSERT_TRUE(first.until_authenticated()) << first.story();
  }
  ASSERT_GE(history.size(), 6U);
  PairOptions options;
  options.seed = 2;
  SessionPair second(options);
  std::size_t next = 0;
  second.mailbox.tamper([&](wormhole::ConnectionId, std::string frame) {
    if (frame.find("\"message\"") == std::string::npos) {
      return std::optional<std::string>(std::move(frame));
    }
    return std::optional<std::string>(history[next++ % history.size()]);
  });
  second.start();
  ASSERT_TRUE(second.until_ended(300s)) << second.story();
  EXPECT_NE(second.a->exit_code(), ExitCode::kDone);
  EXPECT_NE(second.b->exit_code(), ExitCode::kDone);
  expect_refused(second);
}

TEST(Security, ReplayedDatagramsChangeNothing) {
  SessionPair pair({});
  pair.start();
  ASSERT_TRUE(pair.until_authenticated()) << pair.story();
  std::vector<Bytes> seen;
  pair.path.intercept([&](const VirtualHost& from, ByteView datagram) {
    if (&from == pair.a.get()) seen.emplace_back(datagram.begin(), datagram.end());
    return true;
  });
  const auto program = pair.connect(pattern(50'000));
  ASSERT_TRUE(pair.until([&] { return program->saw_end; }));
  for (const auto& datagram : seen) pair.path.inject(*pair.b, datagram);
  pair.world.run_for(5s);
  EXPECT_FALSE(pair.a->exit_code());
  EXPECT_FALSE(pair.b->exit_code());
  EXPECT_EQ(pair.targets().at(0)->received, pattern(50'000));
}

}  // namespace
}  // namespace peersock::testing
