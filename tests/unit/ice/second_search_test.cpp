// A first search that finds nothing, and the second one beside it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ice/restarts.hpp"
#include "restarts_side.hpp"

namespace peersock::ice {
namespace {

using testing::direct_path;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::kNow;

const Error kNothing{ErrorKind::kNoPath, "nothing was found"};
const Error kStillNothing{ErrorKind::kNoPath, "nothing was found either"};

/// A side whose first checks have just begun.
struct Side : testing::RestartsSide {
  Side() {
    feed(RestartsAgreed{});
    feed(ChecksBegan{});
  }
  [[nodiscard]] std::string error() const {
    const auto* held = find<NoPath>();
    return held == nullptr ? "" : held->error.message;
  }
};

TEST(SecondSearch, BeginsBesideAFirstOneThatFindsNothing) {
  Side side;
  EXPECT_THAT(side.feed(DeadlineReached{}), IsEmpty()) << "too early";
  EXPECT_THAT(side.expire(), ElementsAre("StartSearch", "DoubtRendezvous"));
  EXPECT_EQ(side.now, kNow + kSecondSearchAfter);
  EXPECT_EQ(std::get<StartSearch>(side.outputs[0]).generation, 1U);
  EXPECT_EQ(side.machine.deadline(), std::nullopt) << "there is no third one";
}

TEST(SecondSearch, IsNotNeededWhenThereIsAPath) {
  Side side;
  EXPECT_THAT(side.feed(SearchSucceeded{0, direct_path()}), ElementsAre("UsePath"));
  EXPECT_EQ(side.machine.deadline(), std::nullopt);
}

TEST(SecondSearch, OfThePeerIsTheOnlyOne) {
  Side side;
  EXPECT_THAT(side.feed(MessageReceived{1, "{}"}),
              ElementsAre("StartSearch", "DoubtRendezvous", "HandOn"));
  EXPECT_EQ(side.machine.deadline(), std::nullopt);
  EXPECT_THAT(side.feed(ChecksBegan{}), IsEmpty());
  EXPECT_EQ(side.machine.deadline(), std::nullopt) << "it came before our first checks";
}

TEST(SecondSearch, FindsAPathAfterTheFirstHasFailed) {
  Side side;
  side.expire();
  EXPECT_THAT(side.feed(SearchFailed{0, kNothing}), IsEmpty()) << "the other one goes on";
  EXPECT_THAT(side.feed(SearchSucceeded{1, direct_path()}), ElementsAre("UsePath"));
  EXPECT_EQ(std::get<UsePath>(side.outputs[0]).generation, 1U);
  EXPECT_THAT(side.feed(DataFlows{}), IsEmpty());
  EXPECT_EQ(side.machine.state_name(), "Steady");
}

TEST(SecondSearch, IsTheEndWhenItFails) {
  Side side;
  side.expire();
  side.feed(SearchFailed{0, kNothing});
  EXPECT_THAT(side.feed(SearchFailed{1, kStillNothing}), ElementsAre("DropSearch", "NoPath"));
  EXPECT_EQ(side.error(), kNothing.message);
}

TEST(SecondSearch, MayEndBeforeTheFirst) {
  Side side;
  side.expire();
  EXPECT_THAT(side.feed(SearchFailed{1, kStillNothing}), ElementsAre("DropSearch"));
  EXPECT_THAT(side.feed(SearchFailed{0, kNothing}), ElementsAre("NoPath"));
  EXPECT_EQ(side.error(), kNothing.message);
}

TEST(SecondSearch, SavesNoSessionWhosePeerBreaksTheProtocol) {
  Side side;
  side.expire();
  const Error malformed{ErrorKind::kConnectionLost, "that is no message"};
  EXPECT_THAT(side.feed(SearchFailed{0, malformed}), ElementsAre("NoPath"));
  EXPECT_EQ(side.error(), malformed.message);
}

TEST(SecondSearch, IsNotBegunForASessionThatIsOver) {
  Side side;
  EXPECT_THAT(side.feed(SearchFailed{0, {ErrorKind::kConnectionLost, "that is no message"}}),
              ElementsAre("NoPath"));
  EXPECT_EQ(side.machine.deadline(), std::nullopt);
}

TEST(SecondSearch, IsNotBegunByAPeerThatCannotRestart) {
  Restarts machine;
  EXPECT_THAT(machine.handle(ChecksBegan{}, kNow), IsEmpty());
  EXPECT_EQ(machine.deadline(), std::nullopt);
}

TEST(SecondSearch, GoesOnBesideASessionThatTheFirstHasOpened) {
  Side side;
  side.expire();
  EXPECT_THAT(side.feed(SearchSucceeded{0, direct_path()}), ElementsAre("UsePath"));
  side.feed(DataFlows{});
  EXPECT_THAT(side.feed(SearchSucceeded{1, direct_path()}), ElementsAre("UsePath", "AskPeer"));
  EXPECT_TRUE(std::get<UsePath>(side.outputs[0]).replaces);
  EXPECT_EQ(side.machine.state_name(), "Steady");
}

}  // namespace
}  // namespace peersock::ice
