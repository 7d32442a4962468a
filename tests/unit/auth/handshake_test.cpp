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

// The literal that the diagram in docs/ is drawn from, by way of the same function.
constexpr std::string_view kExpected = R"(
Idle (initiator) | Started | AwaitSecond | SendMessage
Idle (initiator) | MessageReceived (1st) | Refused | Failed
Idle (initiator) | MessageReceived (2nd) | Refused | Failed
Idle (initiator) | MessageReceived (3rd) | Refused | Failed
Idle (initiator) | MessageReceived (3rd, secrets differ) | Refused | Failed
Idle (initiator) | MessageReceived (4th) | Refused | Failed
Idle (initiator) | MessageReceived (4th, secrets differ) | Refused | Failed
Idle (initiator) | MessageReceived (of an old run) | Refused | Failed
Idle (initiator) | MessageReceived (too long) | Refused | Failed
Idle (initiator) | DeadlineReached (early) | Idle |
Idle (responder) | Started | AwaitFirst |
Idle (responder) | MessageReceived (1st) | Idle |
Idle (responder) | MessageReceived (2nd) | Idle |
Idle (responder) | MessageReceived (3rd) | Idle |
Idle (responder) | MessageReceived (3rd, secrets differ) | Idle |
Idle (responder) | MessageReceived (4th) | Idle |
Idle (responder) | MessageReceived (4th, secrets differ) | Idle |
Idle (responder) | MessageReceived (of an old run) | Idle |
Idle (responder) | MessageReceived (too long) | Refused | Failed
Idle (responder) | DeadlineReached (early) | Idle |
Idle (responder, first message early) | Started | AwaitThird | SendMessage
Idle (responder, first message early) | MessageReceived (1st) | Refused | Failed
Idle (responder, first message early) | MessageReceived (2nd) | Refused | Failed
Idle (responder, first message early) | MessageReceived (3rd) | Refused | Failed
Idle (responder, first message early) | MessageReceived (3rd, secrets differ) | Refused | Failed
Idle (responder, first message early) | MessageReceived (4th) | Refused | Failed
Idle (responder, first message early) | MessageReceived (4th, secrets differ) | Refused | Failed
Idle (responder, first message early) | MessageReceived (of an old run) | Refused | Failed
Idle (responder, first message early) | MessageReceived (too long) | Refused | Failed
Idle (responder, first message early) | DeadlineReached (early) | Idle |
AwaitFirst | Started | Refused | Failed
AwaitFirst | MessageReceived (1st) | AwaitThird | SendMessage
AwaitFirst | MessageReceived (2nd) | Refused | Failed
AwaitFirst | MessageReceived (3rd) | Refused | Failed
AwaitFirst | MessageReceived (3rd, secrets differ) | Refused | Failed
AwaitFirst | MessageReceived (4th) | Refused | Failed
AwaitFirst | MessageReceived (4th, secrets differ) | Refused | Failed
AwaitFirst | MessageReceived (of an old run) | Refused | Failed
AwaitFirst | MessageReceived (too long) | Refused | Failed
AwaitFirst | DeadlineReached (early) | AwaitFirst |
AwaitSecond | Started | Refused | Failed
AwaitSecond | MessageReceived (1st) | Refused | Failed
AwaitSecond | MessageReceived (2nd) | AwaitFourth | SendMessage
AwaitSecond | MessageReceived (3rd) | Refused | Failed
AwaitSecond | MessageReceived (3rd, secrets differ) | Refused | Failed
AwaitSecond | MessageReceived (4th) | Refused | Failed
AwaitSecond | MessageReceived (4th, secrets differ) | Refused | Failed
AwaitSecond | MessageReceived (of an old run) | Refused | Failed
AwaitSecond | MessageReceived (too long) | Refused | Failed
AwaitSecond | DeadlineReached (early) | AwaitSecond |
AwaitThird | Started | Refused | Failed
AwaitThird | MessageReceived (1st) | Refused | Failed
AwaitThird | MessageReceived (2nd) | Refused | Failed
AwaitThird | MessageReceived (3rd) | Proven | SendMessage Succeeded
AwaitThird | MessageReceived (3rd, secrets differ) | Refused | SendMessage Failed
AwaitThird | MessageReceived (4th) | Refused | Failed
AwaitThird | MessageReceived (4th, secrets differ) | Refused | Failed
AwaitThird | MessageReceived (of an old run) | Refused | Failed
AwaitThird | MessageReceived (too long) | Refused | Failed
AwaitThird | DeadlineReached (early) | AwaitThird |
AwaitFourth | Started | Refused | Failed
AwaitFourth | MessageReceived (1st) | Refused | Failed
AwaitFourth | MessageReceived (2nd) | Refused | Failed
AwaitFourth | MessageReceived (3rd) | Refused | Failed
AwaitFourth | MessageReceived (3rd, secrets differ) | Refused | Failed
AwaitFourth | MessageReceived (4th) | Proven | Succeeded
AwaitFourth | MessageReceived (4th, secrets differ) | Refused | Failed
AwaitFourth | MessageReceived (of an old run) | Refused | Failed
AwaitFourth | MessageReceived (too long) | Refused | Failed
AwaitFourth | DeadlineReached (early) | AwaitFourth |
Proven (initiator) | Started | Refused | Failed
Proven (initiator) | MessageReceived (1st) | Refused | Failed
Proven (initiator) | MessageReceived (2nd) | Refused | Failed
Proven (initiator) | MessageReceived (3rd) | Refused | Failed
Proven (initiator) | MessageReceived (3rd, secrets differ) | Refused | Failed
Proven (initiator) | MessageReceived (4th) | Refused | Failed
Proven (initiator) | MessageReceived (4th, secrets differ) | Refused | Failed
Proven (initiator) | MessageReceived (of an old run) | Refused | Failed
Proven (initiator) | MessageReceived (too long) | Refused | Failed
Proven (initiator) | DeadlineReached (early) | Proven |
Proven (responder) | Started | Refused | Failed
Proven (responder) | MessageReceived (1st) | Refused | Failed
Proven (responder) | MessageReceived (2nd) | Refused | Failed
Proven (responder) | MessageReceived (3rd) | Refused | Failed
Proven (responder) | MessageReceived (3rd, secrets differ) | Refused | Failed
Proven (responder) | MessageReceived (4th) | Refused | Failed
Proven (responder) | MessageReceived (4th, secrets differ) | Refused | Failed
Proven (responder) | MessageReceived (of an old run) | Refused | Failed
Proven (responder) | MessageReceived (too long) | Refused | Failed
Proven (responder) | DeadlineReached (early) | Proven |
Refused | Started | Refused |
Refused | MessageReceived (1st) | Refused |
Refused | MessageReceived (2nd) | Refused |
Refused | MessageReceived (3rd) | Refused |
Refused | MessageReceived (3rd, secrets differ) | Refused |
Refused | MessageReceived (4th) | Refused |
Refused | MessageReceived (4th, secrets differ) | Refused |
Refused | MessageReceived (of an old run) | Refused |
Refused | MessageReceived (too long) | Refused |
Refused | DeadlineReached (early) | Refused |
Idle (initiator) | DeadlineReached (due) | Idle |
Idle (responder) | DeadlineReached (due) | Idle |
Idle (responder, first message early) | DeadlineReached (due) | Idle |
AwaitFirst | DeadlineReached (due) | Refused | Failed
AwaitSecond | DeadlineReached (due) | Refused | Failed
AwaitThird | DeadlineReached (due) | Refused | Failed
AwaitFourth | DeadlineReached (due) | Refused | Failed
Proven (initiator) | DeadlineReached (due) | Proven |
Proven (responder) | DeadlineReached (due) | Proven |
Refused | DeadlineReached (due) | Refused |
)";

TEST(Handshake, DoesWhatTheTableSaysForEveryStateAndInput) {
  EXPECT_EQ(to_text(peersock::testing::handshake_table()), kExpected.substr(1));
}

Started started(std::string_view secret = "secret") {
  return Started{Secret(secret)};
}

/// One end: a machine, what its engine was asked for, and what it said.
struct End {
  EngineLog log;
  Handshake machine;
  std::deque<Bytes> sent;
  std::vector<Error> failures;
  int successes = 0;

  explicit End(Role role, const std::string& run = "run")
      : machine(role, scripted_engine(log, run)) {}

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
  alice.take(started());
  bob.take(started());
  for (int flight = 0; flight < 2; ++flight) {
    carry(alice, bob);
    carry(bob, alice);
  }
  EXPECT_EQ(alice.successes, 1);
  EXPECT_EQ(bob.successes, 1);
  EXPECT_THAT(alice.log.calls, ElementsAre("start secret", "answer2", "check4"));
  EXPECT_THAT(bob.log.calls, ElementsAre("answer1 secret", "answer3"));
  EXPECT_FALSE(alice.log.alive) << "the engine and its secrets outlive the run";
  EXPECT_FALSE(bob.log.alive) << "the engine and its secrets outlive the run";
}

TEST(Handshake, TheInitiatorAloneSpeaksUnasked) {
  End bob(Role::kResponder);
  bob.take(started());
  EXPECT_THAT(bob.sent, IsEmpty());
  EXPECT_THAT(bob.log.calls, IsEmpty());
}

TEST(Handshake, MismatchEndsBothEndsWithTheSameSentence) {
  End alice(Role::kInitiator);
  End bob(Role::kResponder);
  alice.take(started());
  bob.take(started());
  carry(alice, bob);
  carry(bob, alice);
  bob.take(MessageReceived{scripted_message(3, "run", false)});
  ASSERT_THAT(bob.sent, SizeIs(1)) << "the initiator could not learn its verdict";
  carry(bob, alice);
  for (const End* end : {&alice, &bob}) {
    ASSERT_THAT(end->failures, SizeIs(1));
    EXPECT_EQ(end->failures[0].kind, ErrorKind::kAuthentication);
    EXPECT_EQ(end->failures[0].message,
              "The codes differ, or someone is between the two ends; make a new code and use it "
              "on both sides.");
    EXPECT_EQ(end->successes, 0);
    EXPECT_FALSE(end->log.alive);
  }
}

TEST(Handshake, IsNeverTriedAgainAfterARefusal) {
  End bob(Role::kResponder);
  bob.take(started());
  bob.take(MessageReceived{scripted_message(1, "old")});
  ASSERT_THAT(bob.failures, SizeIs(1));
  bob.take(started());
  for (int number = 1; number <= 4; ++number) {
    bob.take(MessageReceived{scripted_message(number, "run")});
  }
  EXPECT_THAT(bob.failures, SizeIs(1));
  EXPECT_EQ(bob.successes, 0);
  EXPECT_THAT(bob.sent, IsEmpty());
  EXPECT_THAT(bob.log.calls, ElementsAre("answer1 secret"));
}

TEST(Handshake, AnEarlyFirstMessageWaitsForTheSecret) {
  End bob(Role::kResponder);
  bob.take(MessageReceived{scripted_message(1, "run")});
  EXPECT_THAT(bob.log.calls, IsEmpty());
  EXPECT_EQ(bob.machine.deadline(), std::nullopt);
  bob.take(started());
  ASSERT_THAT(bob.sent, SizeIs(1));
  EXPECT_EQ(bob.sent[0], scripted_message(2, "run"));
}

TEST(Handshake, DuplicatesAreRefused) {
  End alice(Role::kInitiator);
  alice.take(started());
  alice.take(MessageReceived{scripted_message(2, "run")});
  alice.take(MessageReceived{scripted_message(2, "run")});
  ASSERT_THAT(alice.failures, SizeIs(1));
  EXPECT_EQ(alice.failures[0].kind, ErrorKind::kAuthentication);

  End bob(Role::kResponder);
  bob.take(MessageReceived{scripted_message(1, "run")});
  bob.take(MessageReceived{scripted_message(1, "run")});
  ASSERT_THAT(bob.failures, SizeIs(1));
  EXPECT_EQ(bob.failures[0].kind, ErrorKind::kAuthentication);
}

TEST(Handshake, OversizedMessagesNeverReachTheEngine) {
  const Bytes longest(kMaxMessage, 'x');
  const Bytes too_long(kMaxMessage + 1, 'x');
  End bob(Role::kResponder);
  bob.take(started());
  bob.take(MessageReceived{too_long});
  EXPECT_THAT(bob.log.calls, IsEmpty());
  ASSERT_THAT(bob.failures, SizeIs(1));
  EXPECT_EQ(bob.failures[0].kind, ErrorKind::kAuthentication);

  End other(Role::kResponder);
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

TEST(Handshake, AnEngineThatCannotStartEndsTheRun) {
  End alice(Role::kInitiator);
  alice.take(started(""));
  ASSERT_THAT(alice.failures, SizeIs(1));
  EXPECT_EQ(alice.failures[0].kind, ErrorKind::kInternal);
  EXPECT_THAT(alice.sent, IsEmpty());
}

TEST(Handshake, NoSentenceRepeatsTheSecret) {
  for (const Role role : {Role::kInitiator, Role::kResponder}) {
    for (int number = 0; number <= 4; ++number) {
      End end(role);
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
    end.take(started());
    std::vector<Bytes> wanted;
    for (const int number : initiator ? std::vector{2, 4} : std::vector{1, 3}) {
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
