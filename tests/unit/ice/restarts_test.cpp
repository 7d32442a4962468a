#include "ice/restarts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "restarts_side.hpp"
#include "restarts_table.hpp"
#include "support/seeded_rng.hpp"

namespace peersock::ice {
namespace {

using testing::direct_path;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::kNow;
using testing::relayed_path;

/// A side whose session is open.
struct Side : testing::RestartsSide {
  Side() {
    feed(RestartsAgreed{});
    feed(DataFlows{});
  }
  /// Lets time pass without a word of the peer until another search begins.
  Generation until_search() {
    for (int i = 0; i < 50; ++i) {
      expire();
      if (const auto* start = find<StartSearch>()) return start->generation;
      if (find<PeerSilent>() != nullptr) return 0;
    }
    return 0;
  }
};

TEST(Restarts, EverySituationWithEveryInput) {
  EXPECT_EQ(testing::to_text(testing::restarts_table()), testing::expected_table("restart"));
}

TEST(Restarts, ASilentPeerIsAskedAndThenAnotherPathIsSought) {
  Side side;
  EXPECT_THAT(side.expire(), ElementsAre("AskPeer"));
  EXPECT_EQ(side.now, kNow + kProbeAfter);
  EXPECT_THAT(side.expire(), ElementsAre("StartSearch", "DoubtRendezvous", "TellRestart"));
  EXPECT_EQ(side.now, kNow + 4s);
  EXPECT_EQ(side.find<StartSearch>()->generation, 1U);
  EXPECT_EQ(side.find<TellRestart>()->reason, RestartReason::kSilent);
}

TEST(Restarts, AnAnswerIsEnough) {
  Side side;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_THAT(side.expire(), ElementsAre("AskPeer"));
    side.now += 1s;
    side.feed(PeerHeard{side.now});
  }
}

TEST(Restarts, APeerThatHasNotAnsweredIsAskedAgain) {
  Side side;
  side.expire();
  EXPECT_FALSE(side.find<AskPeer>()->again);
  side.expire();
  ASSERT_NE(side.find<StartSearch>(), nullptr);
  side.expire();
  EXPECT_TRUE(side.find<AskPeer>()->again);
  side.feed(PeerHeard{side.now});
  side.expire();
  EXPECT_FALSE(side.find<AskPeer>()->again) << "it has answered";
}

TEST(Restarts, OnANewPathTheFirstQuestionIsNoRepetition) {
  Side side;
  side.feed(NetworkChanged{});
  side.feed(SearchSucceeded{1, direct_path()});
  EXPECT_FALSE(side.find<AskPeer>()->again);
  side.now += 50ms;
  side.feed(PeerHeard{side.now});
  while (side.expire().empty() || side.find<AskPeer>() == nullptr) {
  }
  EXPECT_FALSE(side.find<AskPeer>()->again);
}

TEST(Restarts, APeerThatIsHeardWithoutBeingAskedIsNotAsked) {
  Side side;
  for (int i = 0; i < 100; ++i) {
    side.now += 2s;
    side.feed(PeerHeard{side.now});
    EXPECT_THAT(side.feed(DeadlineReached{}), IsEmpty());
  }
}

TEST(Restarts, TheOldPathCarriesDataUntilThereIsANewOneAndABitLonger) {
  Side side;
  side.feed(NetworkChanged{});
  EXPECT_EQ(side.machine.state_name(), "Searching");
  EXPECT_THAT(side.feed(SearchSucceeded{0, relayed_path()}), ElementsAre("UsePath"));
  EXPECT_FALSE(side.find<UsePath>()->replaces);
  EXPECT_THAT(side.feed(SearchSucceeded{1, direct_path()}), ElementsAre("UsePath", "AskPeer"));
  EXPECT_TRUE(side.find<UsePath>()->replaces);
  const Instant replaced = side.now;
  while (side.find<DropSearch>() == nullptr) {
    side.feed(PeerHeard{side.now});
    side.expire();
  }
  EXPECT_EQ(side.find<DropSearch>()->generation, 0U);
  EXPECT_EQ(side.now, replaced + kLinger);
  EXPECT_THAT(side.feed(SearchSucceeded{0, relayed_path()}), IsEmpty());
}

TEST(Restarts, BothStartAtOnceAndMeetInTheSameGeneration) {
  Side a;
  Side b;
  a.feed(NetworkChanged{});
  b.feed(NetworkChanged{});
  EXPECT_THAT(a.feed(MessageReceived{1, "b"}), ElementsAre("HandOn"));
  EXPECT_THAT(b.feed(MessageReceived{1, "a"}), ElementsAre("HandOn"));
  EXPECT_EQ(a.find<HandOn>()->generation, 1U);
}

TEST(Restarts, TheHigherGenerationWins) {
  Side side;
  side.feed(NetworkChanged{});
  EXPECT_THAT(side.feed(MessageReceived{2, "x"}),
              ElementsAre("DropSearch", "StartSearch", "DoubtRendezvous", "HandOn"));
  EXPECT_EQ(side.find<DropSearch>()->generation, 1U);
  EXPECT_EQ(side.find<StartSearch>()->generation, 2U);
  EXPECT_THAT(side.feed(MessageReceived{1, "x"}), IsEmpty());
  EXPECT_THAT(side.feed(SearchSucceeded{1, direct_path()}), IsEmpty());
}

TEST(Restarts, NobodyIsFollowedWithoutEnd) {
  Side side;
  std::size_t started = 0;
  for (Generation generation = 1; generation < 1000; ++generation) {
    side.feed(MessageReceived{generation, "x"});
    started += side.find<StartSearch>() == nullptr ? 0 : 1;
  }
  EXPECT_EQ(started, kMostFollowed);
  side.now += kCalm;
  side.feed(MessageReceived{1000, "x"});
  EXPECT_NE(side.find<StartSearch>(), nullptr);
}

TEST(Restarts, NothingFollowsTheLastGeneration) {
  Side side;
  side.feed(MessageReceived{UINT32_MAX, "x"});
  side.feed(SearchSucceeded{UINT32_MAX, direct_path()});
  side.now += 10s;
  side.feed(PeerHeard{side.now});
  side.feed(NetworkChanged{});
  EXPECT_EQ(side.find<StartSearch>(), nullptr);
  // Nor does the machine ask to be woken again and again.
  for (int i = 0; i < 20 && side.find<PeerSilent>() == nullptr; ++i) side.expire();
  EXPECT_NE(side.find<PeerSilent>(), nullptr);
}

TEST(Restarts, FollowOneAnotherMoreAndMoreSlowly) {
  Side side;
  side.feed(NetworkChanged{});
  Instant last = side.now;
  Generation newest = 1;
  for (const Duration pause : {1s, 2s, 4s, 8s, 16s, 16s}) {
    side.feed(SearchFailed{newest, {ErrorKind::kNoPath, "none"}});
    side.feed(NetworkChanged{});
    ASSERT_EQ(side.machine.state_name(), "Pausing");
    while (side.machine.state_name() == "Pausing") {
      side.feed(PeerHeard{side.now});
      side.expire();
    }
    EXPECT_EQ(side.now - last, pause);
    last = side.now;
    ++newest;
  }
}

TEST(Restarts, AFailedSearchIsRepeatedWhileThePeerIsSilent) {
  Side side;
  ASSERT_EQ(side.until_search(), 1U);
  side.feed(SearchFailed{1, {ErrorKind::kNoPath, "none"}});
  EXPECT_EQ(side.until_search(), 2U);
}

TEST(Restarts, AFailedSearchIsForgottenWhenTheOldPathWorks) {
  Side side;
  side.feed(NetworkChanged{});
  side.feed(PeerHeard{side.now});
  EXPECT_THAT(side.feed(SearchFailed{1, {ErrorKind::kNoPath, "none"}}), ElementsAre("DropSearch"));
  EXPECT_EQ(side.machine.state_name(), "Steady");
}

TEST(Restarts, AnotherChangeOfTheNetworkMakesASearchOutdated) {
  Side side;
  side.feed(NetworkChanged{});
  side.now += 200ms;
  EXPECT_THAT(side.feed(NetworkChanged{}), IsEmpty());
  EXPECT_THAT(side.expire(), ElementsAre("DropSearch", "StartSearch", "DoubtRendezvous"));
  EXPECT_EQ(side.now, kNow + kFirstPause);
}

TEST(Restarts, ADeadPeerIsNoticedInTwelveSeconds) {
  Side side;
  while (side.find<PeerSilent>() == nullptr) side.expire();
  EXPECT_EQ(side.now, kNow + kSilenceLimit);
  EXPECT_EQ(side.find<PeerSilent>()->error.kind, ErrorKind::kConnectionLost);
  EXPECT_EQ(side.machine.deadline(), std::nullopt);
}

TEST(Restarts, APeerThatLivesIsAwaitedLonger) {
  Side side;
  side.until_search();
  side.now = kNow + 9s;
  side.feed(MessageReceived{1, "x"});
  while (side.find<PeerSilent>() == nullptr) side.expire();
  EXPECT_EQ(side.now, kNow + 9s + kSilenceLimit);

  Side other;
  for (Generation generation = 1; other.find<PeerSilent>() == nullptr; ++generation) {
    other.expire();
    if (other.find<PeerSilent>() == nullptr) other.feed(MessageReceived{generation / 4, "x"});
  }
  EXPECT_EQ(other.now, kNow + kLongestSilence);
}

TEST(Restarts, APathThatBreaksIsReplacedAtOnce) {
  Side side;
  EXPECT_THAT(side.feed(SearchBroke{0}),
              ElementsAre("StartSearch", "DoubtRendezvous", "TellRestart"));
  EXPECT_EQ(side.find<TellRestart>()->reason, RestartReason::kBroken);
}

TEST(Restarts, WithoutAgreementNothingIsEverBegun) {
  Restarts machine;
  for (const Restarts::Input& input : std::initializer_list<Restarts::Input>{
           DataFlows{}, NetworkChanged{}, SearchBroke{0}, MessageReceived{1, "x"}}) {
    for (const auto& output : machine.handle(input, kNow)) {
      EXPECT_FALSE(std::holds_alternative<StartSearch>(output));
    }
  }
  EXPECT_EQ(machine.deadline(), std::nullopt);
}

TEST(Restarts, AnyOrderOfFactsLeavesAtMostTwoSearchesAndTheRetired) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    testing::SeededRng rng(seed);
    Side side;
    std::set<Generation> alive{0};
    Generation newest = 0;
    for (int step = 0; step < 300; ++step) {
      side.now += random_below(rng, 3000) * 1ms;
      const Generation some = newest + random_below(rng, 3) - std::min<Generation>(newest, 1);
      switch (random_below(rng, 7)) {
        case 0:
          side.feed(NetworkChanged{});
          break;
        case 1:
          side.feed(MessageReceived{some, "x"});
          break;
        case 2:
          side.feed(SearchSucceeded{some, direct_path()});
          break;
        case 3:
          side.feed(SearchFailed{some, {ErrorKind::kNoPath, "none"}});
          break;
        case 4:
          side.feed(SearchBroke{some});
          break;
        case 5:
          side.feed(PeerHeard{side.now});
          break;
        default:
          side.feed(DeadlineReached{});
          break;
      }
      for (const auto& output : side.outputs) {
        if (const auto* start = std::get_if<StartSearch>(&output)) {
          EXPECT_GT(start->generation, newest);
          newest = start->generation;
          alive.insert(newest);
        } else if (const auto* drop = std::get_if<DropSearch>(&output)) {
          EXPECT_EQ(alive.erase(drop->generation), 1U) << "seed " << seed;
        } else if (const auto* use = std::get_if<UsePath>(&output)) {
          EXPECT_TRUE(alive.contains(use->generation)) << "seed " << seed;
        }
      }
      // In use, sought, and those that linger: a restart a second at most.
      EXPECT_LE(alive.size(), 2U + kMostFollowed);
    }
  }
}

}  // namespace
}  // namespace peersock::ice
