#include "auth/handshake.hpp"

#include <deque>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "handshake_table.hpp"
#include "scripted_engine.hpp"

namespace peersock::auth {
namespace {

using peersock::testing::EngineLog;
using peersock::testing::scripted_engine;
using peersock::testing::scripted_message;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

static_assert(Machine<Handshake>);

constexpr Instant kStart{};

TEST(Handshake, DoesWhatTheTableSaysForEveryStateAndInput) {
  using namespace peersock::testing;
  EXPECT_EQ(to_text(handshake_table()), expected_table("handshake"));
}

Started started(std::string_view secret = "secret") {
  return Started{Secret(secret)};
}
FirstReceived first_of(const std::string& run = "run") {
  return FirstReceived{scripted_message(1, run)};
}

/// One end: a machine, what its engine was asked for, and what it said.
struct End {
  Role role;
  EngineLog log;
  Handshake machine;
  std::deque<Bytes> sent;
  std::vector<Error> failures;
  int successes = 0;

  explicit End(Role its_role, const std::string& run = "run")
      : role(its_role), machine(its_role, scripted_engine(log, run)) {}

  void take(HandshakeInput input, Instant now = kStart) {
    for (auto& output : machine.handle(std::move(input), now)) {
      std::visit(Overloaded{
                     [&](SendMessage& send) { sent.push_back(std::move(send.body)); },
                     [&](Succeeded&) { ++successes; },
                     [&](Failed& failed) { failures.push_back(std::move(failed.error)); },
                 },
                 output);
    }
  }
  /// Where its own messages begin.
  void begin() {
    if (machine.state_name() == "Idle" && role == Role::kResponder) take(first_of());
    take(started());
  }
  Bytes next_sent() {
    Bytes body = std::move(sent.front());
    sent.pop_front();
    return body;
  }
};

void carry(End& from, End& to) {
  while (!from.sent.empty()) to.take(MessageReceived{from.next_sent()});
}

TEST(Handshake, FourMessagesProveBothEnds) {
  End alice(Role::kInitiator);
  End bob(Role::kResponder);
  alice.begin();
  bob.begin();
  carry(bob, alice);
  carry(alice, bob);
  EXPECT_EQ(bob.successes, 1);
  EXPECT_EQ(alice.successes, 0);
  carry(bob, alice);
  EXPECT_EQ(alice.successes, 1);
  EXPECT_THAT(alice.log.calls, ElementsAre("answer2 secret", "check4"));
  EXPECT_THAT(bob.log.calls, ElementsAre("check1", "answer1 secret", "answer3"));
  EXPECT_FALSE(alice.log.alive) << "the engine and its secrets outlive the run";
  EXPECT_FALSE(bob.log.alive) << "the engine and its secrets outlive the run";
}

TEST(Handshake, TheResponderAloneSpeaksUnasked) {
  End alice(Role::kInitiator);
  alice.take(started());
  EXPECT_THAT(alice.sent, IsEmpty());
  EXPECT_THAT(alice.log.calls, IsEmpty());
}

TEST(Handshake, TheFirstMessageIsCheckedBeforeThereIsASecret) {
  End bob(Role::kResponder);
  bob.take(first_of());
  EXPECT_THAT(bob.log.calls, ElementsAre("check1"));
  EXPECT_THAT(bob.sent, IsEmpty());
  EXPECT_EQ(bob.machine.deadline(), kStart + kPreparationDelay);
  bob.take(started());
  EXPECT_THAT(bob.log.calls, ElementsAre("check1", "answer1 secret"));
  ASSERT_THAT(bob.sent, SizeIs(1));
  EXPECT_EQ(bob.sent[0], scripted_message(2, "run"));
}

TEST(Handshake, TheSecondMessageIsPreparedWhileThePathsFirstChecksTravel) {
  End bob(Role::kResponder);
  bob.take(first_of());
  bob.take(DeadlineReached{}, kStart + kPreparationDelay - 1ns);
  EXPECT_THAT(bob.log.calls, ElementsAre("check1"));
  bob.take(DeadlineReached{}, kStart + kPreparationDelay);
  EXPECT_THAT(bob.log.calls, ElementsAre("check1", "prepare1"));
  EXPECT_EQ(bob.machine.deadline(), std::nullopt);
  bob.take(started(), kStart + 1s);
  EXPECT_THAT(bob.log.calls, ElementsAre("check1", "prepare1", "answer1 secret"));
  EXPECT_EQ(bob.machine.deadline(), kStart + 1s + kAnswerTimeout);
}

TEST(Handshake, AResponderWithoutAFirstMessageDoesNotGoOn) {
  End bob(Role::kResponder);
  bob.take(started());
  ASSERT_THAT(bob.failures, SizeIs(1));
  EXPECT_EQ(bob.failures[0].kind, ErrorKind::kAuthentication);
  EXPECT_THAT(bob.sent, IsEmpty());
  EXPECT_THAT(bob.log.calls, IsEmpty());
}

TEST(Handshake, MismatchEndsBothEndsWithTheSameSentence) {
  End alice(Role::kInitiator);
  End bob(Role::kResponder);
  alice.begin();
  bob.begin();
  carry(bob, alice);
  bob.take(MessageReceived{scripted_message(3, "run", false)});
  ASSERT_THAT(bob.sent, SizeIs(1)) << "the initiator could not learn its verdict";
  carry(bob, alice);
  for (const End* end : {&alice, &bob}) {
    ASSERT_THAT(end->failures, SizeIs(1));
    EXPECT_EQ(end->failures[0].kind, ErrorKind::kAuthentication);
    EXPECT_EQ(end->failures[0].message,
              "The codes differ, or someone is between the two ends; make a new code and use it "
              "on both sides");
    EXPECT_EQ(end->successes, 0);
    EXPECT_FALSE(end->log.alive);
  }
}

TEST(Handshake, IsNeverTriedAgainAfterARefusal) {
  End bob(Role::kResponder);
  bob.take(first_of("old"));
  ASSERT_THAT(bob.failures, SizeIs(1));
  bob.take(first_of());
  bob.take(started());
  for (int number = 1; number <= 4; ++number) {
    bob.take(MessageReceived{scripted_message(number, "run")});
  }
  EXPECT_THAT(bob.failures, SizeIs(1));
  EXPECT_EQ(bob.successes, 0);
  EXPECT_THAT(bob.sent, IsEmpty());
  EXPECT_THAT(bob.log.calls, ElementsAre("check1"));
}

TEST(Handshake, AnEarlySecondMessageWaitsForTheSecret) {
  End alice(Role::kInitiator);
  alice.take(MessageReceived{scripted_message(2, "run")});
  EXPECT_THAT(alice.log.calls, IsEmpty());
  EXPECT_EQ(alice.machine.deadline(), std::nullopt);
  alice.take(started());
  ASSERT_THAT(alice.sent, SizeIs(1));
  EXPECT_EQ(alice.sent[0], scripted_message(3, "run"));
}

TEST(Handshake, DuplicatesAreRefused) {
  const MessageReceived second{scripted_message(2, "run")};
  End alice(Role::kInitiator);
  alice.take(started());
  alice.take(second);
  alice.take(second);
  End early(Role::kInitiator);
  early.take(second);
  early.take(second);
  End bob(Role::kResponder);
  bob.take(first_of());
  bob.take(first_of());
  for (const End* end : {&alice, &early, &bob}) {
    ASSERT_THAT(end->failures, SizeIs(1));
    EXPECT_EQ(end->failures[0].kind, ErrorKind::kAuthentication);
  }
}

TEST(Handshake, OversizedMessagesNeverReachTheEngine) {
  const Bytes longest(kMaxMessage, 'x');
  const Bytes too_long(kMaxMessage + 1, 'x');
  End alice(Role::kInitiator);
  alice.take(started());
  alice.take(MessageReceived{too_long});
  End bob(Role::kResponder);
  bob.take(FirstReceived{too_long});
  for (const End* end : {&alice, &bob}) {
    EXPECT_THAT(end->log.calls, IsEmpty());
    ASSERT_THAT(end->failures, SizeIs(1));
    EXPECT_EQ(end->failures[0].kind, ErrorKind::kAuthentication);
  }
  End other(Role::kInitiator);
  other.take(started());
  other.take(MessageReceived{longest});
  EXPECT_THAT(other.log.calls, SizeIs(1));
}

TEST(Handshake, SilenceIsALostConnection) {
  End alice(Role::kInitiator);
  alice.take(started());
  EXPECT_EQ(alice.machine.deadline(), kStart + kAnswerTimeout);
  alice.take(MessageReceived{scripted_message(2, "run")}, kStart + 3s);
  EXPECT_EQ(alice.machine.deadline(), kStart + 3s + kAnswerTimeout);
  alice.take(DeadlineReached{}, kStart + kAnswerTimeout);
  EXPECT_THAT(alice.failures, IsEmpty()) << "a stale timer ended the run";
  alice.take(DeadlineReached{}, kStart + 3s + kAnswerTimeout);
  ASSERT_THAT(alice.failures, SizeIs(1));
  EXPECT_EQ(alice.failures[0].kind, ErrorKind::kConnectionLost);
  EXPECT_EQ(alice.machine.deadline(), std::nullopt);
}

TEST(Handshake, AnEngineThatCannotAnswerEndsTheRun) {
  End bob(Role::kResponder);
  bob.take(first_of());
  bob.take(started(""));
  ASSERT_THAT(bob.failures, SizeIs(1));
  EXPECT_EQ(bob.failures[0].kind, ErrorKind::kInternal);
  EXPECT_THAT(bob.sent, IsEmpty());
}

TEST(Handshake, NoSentenceRepeatsTheSecret) {
  for (const Role role : {Role::kInitiator, Role::kResponder}) {
    for (int number = 0; number <= 4; ++number) {
      End end(role);
      if (role == Role::kResponder) end.take(first_of());
      end.take(started("hunter2"));
      end.take(MessageReceived{scripted_message(number, "hunter2")});
      end.take(DeadlineReached{}, kStart + kAnswerTimeout);
      for (const Error& error : end.failures) EXPECT_THAT(error.message, Not(HasSubstr("hunter2")));
    }
  }
}

/// Whatever a hostile peer sends, in any order: a run succeeds only if exactly the messages of
/// this run came in order, nothing comes after a refusal, and no engine is asked twice.
TEST(Handshake, OnlyThisRunsMessagesInOrderSucceed) {
  EXPECT_TRUE(rc::check([](bool initiator, const std::vector<std::uint8_t>& script) {
    End end(initiator ? Role::kInitiator : Role::kResponder);
    end.begin();
    std::vector<Bytes> wanted;
    for (const int number : initiator ? std::vector{2, 4} : std::vector{3}) {
      wanted.push_back(scripted_message(number, "run"));
    }
    std::vector<Bytes> seen;
    for (const std::uint8_t choice : script) {
      // The legal next message half of the time, so that runs get anywhere.
      const int number = choice / 2 % 6;
      const Bytes body = choice % 2 == 0 && seen.size() < wanted.size()
                             ? wanted[seen.size()]
                             : scripted_message(number, choice % 5 == 0 ? "old" : "run",
                                                number < 3 || choice % 3 != 0);
      const bool was_refused = !end.failures.empty();
      const std::size_t said = end.sent.size() + end.failures.size();
      end.take(MessageReceived{body});
      seen.push_back(body);
      if (was_refused) RC_ASSERT(said == end.sent.size() + end.failures.size());
      const bool in_order =
          seen.size() >= wanted.size() && std::equal(wanted.begin(), wanted.end(), seen.begin());
      RC_ASSERT(end.successes == (in_order ? 1 : 0));
    }
    RC_ASSERT(end.failures.size() <= 1U);
    RC_ASSERT(end.log.calls.size() <= 3U);
  }));
}

}  // namespace
}  // namespace peersock::auth
