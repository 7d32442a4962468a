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

/// Ends both QUIC connections himself, with a certificate of his own.
class ManInTheMiddle {
 public:
  explicit ManInTheMiddle(SessionPair& pair)
      : pair_(pair), engine_(std::move(make_engine_of(engines_under_test().first).value())) {
    pair.path.intercept([this](const VirtualHost& from, ByteView datagram) {
      take(from, datagram);
      return false;
    });
  }

  [[nodiscard]] std::size_t swallowed() const { return swallowed_; }

 private:
  struct End {
    VirtualHost* to = nullptr;
    std::unique_ptr<quic::Connection> connection;
  };

  void take(const VirtualHost& from, ByteView datagram) {
    if (swallowed_++ == 0) {
      connect(client_, *pair_.a, quic::Role::kServer);
      connect(server_, *pair_.b, quic::Role::kClient);
    }
    End& end = &from == client_.to ? client_ : server_;
    end.connection->receive({datagram, datagram.size(), quic::Ecn::kNotEct}, pair_.world.now());
    flush(end);
  }

  void connect(End& end, VirtualHost& to, quic::Role role) {
    quic::ConnectionConfig config;
    config.role = role;
    config.peer_fingerprint = to.engine().fingerprint();
    end = {&to, std::move(engine_->connect(config, pair_.world.now()).value())};
    flush(end);
  }

  void flush(End& end) {
    for (;;) {
      const auto train = end.connection->transmit(buffer_, pair_.world.now());
      if (train.bytes.empty()) break;
      quic::for_each_datagram(train, [&](ByteView datagram) {
        pair_.path.inject(*end.to, Bytes(datagram.begin(), datagram.end()));
      });
    }
    while (end.connection->poll_event()) {
    }
    const auto deadline = end.connection->deadline();
    if (!deadline) return;
    // A deadline that has moved meanwhile only makes this one early.
    pair_.world.after(std::max(*deadline - pair_.world.now(), Duration(1us)), [this, &end] {
      const auto due = end.connection->deadline();
      if (!due || *due > pair_.world.now()) return;
      end.connection->on_deadline(pair_.world.now());
      flush(end);
    });
  }

  SessionPair& pair_;
  std::unique_ptr<quic::Engine> engine_;
  End client_;
  End server_;
  Bytes buffer_ = Bytes(65'536);
  std::size_t swallowed_ = 0;
};

TEST(Security, AManInTheMiddleOfTheDatagramsIsRefusedByBothSides) {
  SessionPair pair({});
  ManInTheMiddle mallory(pair);
  pair.start();
  ASSERT_TRUE(pair.until_ended(120s)) << pair.story();
  EXPECT_GT(mallory.swallowed(), 1U);
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
