#include "ice/negotiation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "negotiation_fixture.hpp"
#include "negotiation_table.hpp"

namespace peersock::ice {
namespace {

using testing::candidate;
using testing::direct_path;
using testing::found;
using ::testing::HasSubstr;
using testing::kNow;
using testing::peer_candidates;
using testing::peer_credentials;
using testing::peer_end;
using testing::peer_message;
using testing::relayed_path;
using testing::Script;
using ::testing::SizeIs;
using testing::with;
TEST(NegotiationTable, EverySituationWithEveryInput) {
  EXPECT_EQ(testing::to_text(testing::negotiation_table()), testing::expected_table("ice"));
}

// ---- paths and failures -------------------------------------------------------------------------

TEST(Paths, EachChangeIsReportedAndNoRepetition) {
  Script run;
  run.checking().feed(PairSelected{relayed_path()}).feed(PairSelected{relayed_path()});
  run.feed(PairSelected{direct_path()});
  const auto paths = run.all<PathReady>();
  ASSERT_THAT(paths, SizeIs(2));
  EXPECT_TRUE(paths[0].path.relayed);
  EXPECT_FALSE(paths[1].path.relayed);
}

TEST(Paths, ARelayedOneSaysWhyAsSoonAsItIsKnown) {
  using wire::CandidateType;
  Script run;
  run.checking()
      .feed(found("10.0.0.2"))
      .feed(found("198.51.100.1", CandidateType::kServerReflexive));
  run.feed(peer_candidates({candidate("198.51.100.2", CandidateType::kServerReflexive)}));
  run.feed(PairSelected{relayed_path()}).feed(LocalGatheringDone{}).feed(peer_end());
  run.feed(ChecksFinished{}).feed(ChecksFinished{}).feed(PairSelected{direct_path()});
  const auto paths = run.all<PathReady>();
  ASSERT_THAT(paths, SizeIs(3));
  EXPECT_EQ(paths[0].path.reason, RelayReason::kStillChecking);
  EXPECT_EQ(paths[1].path.reason, RelayReason::kChecksUnanswered);
  EXPECT_EQ(paths[2].path.reason, RelayReason::kNone);
}

TEST(Paths, CandidatesOfTcpSayNothingOfNats) {
  // With a second host candidate of one family it would not be known whose address was seen.
  auto tcp = candidate("10.0.0.2");
  tcp.transport = wire::CandidateTransport::kTcpPassive;
  for (const bool beside : {false, true}) {
    Script run;
    run.checking().feed(found("10.0.0.2"));
    if (beside) run.feed(LocalCandidateFound{tcp});
    run.feed(found("198.51.100.1", wire::CandidateType::kServerReflexive));
    run.feed(peer_candidates({candidate("198.51.100.2", wire::CandidateType::kServerReflexive)}));
    run.feed(PairSelected{relayed_path()}).feed(LocalGatheringDone{}).feed(peer_end());
    auto other = candidate("198.51.100.1", wire::CandidateType::kPeerReflexive);
    other.port = 5000;
    run.feed(ChecksFinished{{other}, {}}).feed(ChecksFinished{{other}, {}});
    EXPECT_EQ(run.all<PathReady>().back().path.reason, RelayReason::kNatHereDependent) << beside;
  }
}

TEST(Paths, OverTcpNoRelayHidesBehindAnUnknownAddress) {
  Script run(with(RelayPolicy::kNever));
  PathInfo path = direct_path();
  path.remote_type = "prflx";
  run.checking().feed(PairSelected{path});
  EXPECT_THAT(run.all<PathReady>(), SizeIs(0));
  path.transport = "tcp";
  run.feed(PairSelected{path});
  EXPECT_THAT(run.all<PathReady>(), SizeIs(1));
}

TEST(Paths, APeerThatNeverEndsHasToldEverythingInTime) {
  Script run;
  run.checking().feed(found("198.51.100.1", wire::CandidateType::kServerReflexive));
  run.feed(LocalGatheringDone{}).feed(peer_candidates({candidate("10.0.0.3")}));
  run.feed(PairSelected{relayed_path()}).feed(ChecksFinished{});
  EXPECT_EQ(run.all<PathReady>().back().path.reason, RelayReason::kStillChecking);
  run.at(kNow + kSettling).feed(ChecksFinished{});
  EXPECT_EQ(run.all<PathReady>().back().path.reason, RelayReason::kNoPublicAddressThere);
}

TEST(Paths, AnAgentThatNeverFinishesIsNotAwaitedForEver) {
  Script run;
  run.checking().feed(found("198.51.100.1", wire::CandidateType::kServerReflexive));
  run.feed(LocalGatheringDone{}).feed(peer_candidates({candidate("10.0.0.3")}));
  EXPECT_NE(run.machine.deadline(), std::nullopt);
  run.feed(PairSelected{relayed_path()}).expire();
  EXPECT_EQ(run.all<PathReady>().back().path.reason, RelayReason::kNoPublicAddressThere);
  EXPECT_EQ(run.machine.deadline(), std::nullopt);
}

TEST(Paths, WithoutAnyTheErrorSaysWhatIsKnown) {
  Script run(with(RelayPolicy::kAuto, false));
  run.checking().feed(found("10.0.0.2")).feed(peer_candidates({candidate("198.51.100.2")}));
  run.feed(LocalGatheringDone{}).feed(peer_end()).feed(AgentFailed{}).expire();
  EXPECT_THAT(run.failure(), HasSubstr("(no answer to UDP comes from the Internet here)"));
}

TEST(Paths, ABrokenPathIsReportedAndCanComeBack) {
  Script run;
  run.checking().feed(PairSelected{direct_path()}).feed(AgentFailed{}).feed(AgentFailed{});
  EXPECT_THAT(run.all<PathBroken>(), SizeIs(1));
  EXPECT_EQ(run.machine.deadline(), std::nullopt);
  run.feed(PairSelected{direct_path()});
  EXPECT_THAT(run.all<PathReady>(), SizeIs(2));
  EXPECT_EQ(run.machine.state_name(), "Connected");
}

TEST(Paths, TheSearchEndsInTime) {
  Script run;
  run.opened();
  run.at(kNow + 29s).feed(found("192.0.2.1")).feed(peer_credentials());
  run.feed(peer_candidates({candidate("192.0.2.2")})).expire();
  EXPECT_EQ(run.machine.deadline(), kNow + 29s + kPathTimeout);
  run.expire();
  EXPECT_EQ(run.machine.state_name(), "Failed");
  EXPECT_EQ(run.all<Failed>()[0].error.kind, ErrorKind::kNoPath);
}

TEST(Paths, APeerThatSendsNothingIsNotAwaitedForEver) {
  Script run;
  run.opened();
  EXPECT_EQ(run.machine.deadline(), kNow + kPathTimeout);
  run.expire();
  EXPECT_THAT(run.failure(), HasSubstr("did not send its network addresses"));
}

TEST(Paths, TheWaitIsShortWhenNothingIsLeftToTry) {
  Script run;
  run.checking().feed(AgentFailed{});
  EXPECT_EQ(run.machine.deadline(), kNow + kPathTimeout) << "more candidates may come";
  run.feed(LocalGatheringDone{}).feed(peer_end());
  EXPECT_EQ(run.machine.deadline(), kNow + kLastChance);
  run.at(kNow + 1s).feed(AgentFailed{});
  EXPECT_EQ(run.machine.deadline(), kNow + kLastChance);
}

TEST(Paths, NewCandidatesGiveTheAgentSomethingToTryAgain) {
  Script run;
  run.checking().feed(LocalGatheringDone{}).feed(AgentFailed{});
  wire::IceMessage last;
  last.candidates = {candidate("192.0.2.2")};
  last.end_of_candidates = true;
  run.feed(peer_message(last));
  EXPECT_EQ(run.machine.deadline(), kNow + kPathTimeout);
}

struct FailureCase {
  std::string name;
  NegotiationConfig config;
  bool ours = true;
  bool theirs = true;
  std::string sentence;
};

class Failures : public ::testing::TestWithParam<FailureCase> {};

TEST_P(Failures, SayWhatToDo) {
  const FailureCase& given = GetParam();
  Script run(given.config);
  if (given.ours) run.feed(found("192.0.2.1"));
  run.checking();
  if (given.theirs) run.feed(peer_candidates({candidate("192.0.2.2")}));
  run.expire();
  EXPECT_THAT(run.failure(), HasSubstr(given.sentence));
}

INSTANTIATE_TEST_SUITE_P(
    Sentences, Failures,
    ::testing::Values(
        FailureCase{"Relay", with(RelayPolicy::kAuto), true, true, "neither a direct one nor"},
        FailureCase{"NoRelay", with(RelayPolicy::kAuto, false), true, true,
                    "no relay is configured"},
        FailureCase{"Never", with(RelayPolicy::kNever), true, true, "relays are not allowed here"},
        FailureCase{"Only", with(RelayPolicy::kOnly), true, true, "No path through a relay"},
        FailureCase{"OnlyWithoutRelay", with(RelayPolicy::kOnly, false), true, true,
                    "no TURN server is configured"},
        FailureCase{"NothingOfOurs", with(RelayPolicy::kAuto), false, true,
                    "no network address to offer"},
        FailureCase{"NothingOfTheirs", with(RelayPolicy::kAuto), true, false,
                    "offered no network address"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace peersock::ice
