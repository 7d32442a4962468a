// What leaves and what is taken, as the negotiation does it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "negotiation_fixture.hpp"

namespace peersock::ice {
namespace {

using testing::candidate;
using testing::direct_path;
using ::testing::ElementsAre;
using testing::found;
using ::testing::IsEmpty;
using testing::kNow;
using testing::local_credentials;
using testing::peer_candidates;
using testing::peer_credentials;
using testing::peer_end;
using testing::peer_message;
using testing::relayed_path;
using testing::Script;
using ::testing::SizeIs;
using testing::with;
using wire::CandidateType;
// ---- what leaves --------------------------------------------------------------------------------

TEST(Trickle, TheFirstMessageLeavesAtOnceWithWhatThereIs) {
  Script run;
  run.feed(local_credentials()).feed(found("192.0.2.1")).feed(found("192.0.2.2"));
  EXPECT_THAT(run.outputs, IsEmpty());
  run.feed(ChannelOpened{});
  ASSERT_THAT(run.sent(), SizeIs(1));
  EXPECT_EQ(run.sent()[0].ufrag, "ours");
  EXPECT_EQ(run.sent()[0].password, "ourpasswordourpassword");
  EXPECT_FALSE(run.sent()[0].end_of_candidates);
  EXPECT_THAT(run.offered(), ElementsAre("192.0.2.1", "192.0.2.2"));
}

TEST(Trickle, TheFirstMessageWaitsForTheCredentials) {
  Script run;
  run.feed(ChannelOpened{}).feed(found("192.0.2.1"));
  EXPECT_THAT(run.outputs, IsEmpty());
  run.feed(local_credentials());
  EXPECT_THAT(run.sent(), SizeIs(1));
  EXPECT_THAT(run.offered(), ElementsAre("192.0.2.1"));
}

TEST(Trickle, LaterCandidatesLeaveInBatches) {
  Script run;
  run.opened().feed(found("192.0.2.1"));
  EXPECT_EQ(run.machine.deadline(), kNow + kTrickleBatch);
  run.at(kNow + 19ms).feed(found("192.0.2.2")).feed(DeadlineReached{});
  EXPECT_THAT(run.sent(), SizeIs(1));
  run.at(kNow + 20ms).feed(DeadlineReached{});
  ASSERT_THAT(run.sent(), SizeIs(2));
  EXPECT_THAT(run.sent()[1].candidates, SizeIs(2));
  EXPECT_FALSE(run.sent()[1].ufrag);
  run.at(kNow + 30ms).feed(found("192.0.2.3"));
  EXPECT_EQ(run.machine.deadline(), kNow + 30ms + kTrickleBatch);
}

TEST(Trickle, TheEndLeavesAtOnceWithWhatIsWaiting) {
  Script run;
  run.opened().feed(found("192.0.2.1")).feed(LocalGatheringDone{});
  ASSERT_THAT(run.sent(), SizeIs(2));
  EXPECT_THAT(run.sent()[1].candidates, SizeIs(1));
  EXPECT_TRUE(run.sent()[1].end_of_candidates);
  run.feed(LocalGatheringDone{}).feed(found("192.0.2.2"));
  EXPECT_THAT(run.sent(), SizeIs(2));
}

TEST(Trickle, TheEndCanBeInTheFirstMessage) {
  Script run;
  run.feed(found("192.0.2.1")).feed(LocalGatheringDone{}).opened();
  ASSERT_THAT(run.sent(), SizeIs(1));
  EXPECT_TRUE(run.sent()[0].end_of_candidates);
}

TEST(Trickle, ACandidateLeavesOnce) {
  Script run;
  run.feed(found("192.0.2.1")).feed(found("192.0.2.1")).opened().feed(found("192.0.2.1"));
  EXPECT_THAT(run.offered(), ElementsAre("192.0.2.1"));
  EXPECT_NE(run.machine.deadline(), kNow + kTrickleBatch);
}

TEST(Trickle, CandidatesLeaveWhileConnectedToo) {
  Script run;
  run.checking().feed(PairSelected{relayed_path()}).feed(found("192.0.2.1")).expire();
  EXPECT_THAT(run.offered(), ElementsAre("192.0.2.1"));
}

TEST(Trickle, OnlySoManyCandidatesLeaveAndOneWarningSaysSo) {
  Script run;
  for (std::size_t i = 0; i < wire::kMaxCandidates + 5; ++i) {
    run.feed(found("192.0.2." + std::to_string(i)));
  }
  run.opened();
  EXPECT_THAT(run.offered(), SizeIs(wire::kMaxCandidates));
  EXPECT_THAT(run.all<Warned>(), SizeIs(1));
}

// ---- what comes ---------------------------------------------------------------------------------

TEST(Trickle, ThePeersCandidatesWaitForItsCredentials) {
  Script run;
  run.opened().feed(peer_candidates({candidate("192.0.2.2")})).feed(peer_end());
  EXPECT_THAT(run.names(), ElementsAre("SendPeerMessage"));
  run.feed(peer_credentials());
  EXPECT_THAT(run.names(), ElementsAre("SendPeerMessage", "SetRemoteCredentials",
                                       "AddRemoteCandidates", "EndRemoteCandidates"));
  EXPECT_EQ(run.all<SetRemoteCredentials>()[0].ufrag, "theirs");
  EXPECT_EQ(run.all<SetRemoteCredentials>()[0].password, "theirpasswordtheirpassword");
}

TEST(Trickle, ThePeersOfferWaitsForTheChannel) {
  Script run;
  run.feed(local_credentials()).feed(peer_credentials());
  EXPECT_THAT(run.names(), IsEmpty());
  run.feed(ChannelOpened{});
  EXPECT_THAT(run.names(), ElementsAre("SendPeerMessage", "SetRemoteCredentials"));
}

TEST(Trickle, ThePeersCandidatesGoOnAtOnceAndOnce) {
  Script run;
  run.checking().feed(peer_candidates({candidate("192.0.2.2"), candidate("192.0.2.2")}));
  run.feed(peer_candidates({candidate("192.0.2.2"), candidate("192.0.2.3")}));
  EXPECT_THAT(run.accepted(), ElementsAre("192.0.2.2", "192.0.2.3"));
}

TEST(Trickle, ThePeersCandidatesAreWelcomeWhileConnected) {
  Script run;
  run.checking().feed(PairSelected{relayed_path()}).feed(peer_candidates({candidate("192.0.2.2")}));
  EXPECT_THAT(run.accepted(), ElementsAre("192.0.2.2"));
}

TEST(Trickle, NothingIsTakenAfterThePeersEnd) {
  Script run;
  run.checking().feed(peer_end()).feed(peer_end());
  run.feed(peer_candidates({candidate("192.0.2.2")}));
  EXPECT_THAT(run.accepted(), IsEmpty());
  EXPECT_THAT(run.all<EndRemoteCandidates>(), SizeIs(1));
}

TEST(Trickle, OnlySoManyCandidatesOfThePeerAreTakenAndOneWarningSaysSo) {
  Script run;
  run.checking();
  for (std::size_t i = 0; i < wire::kMaxCandidates + 5; ++i) {
    run.feed(peer_candidates({candidate("192.0.2." + std::to_string(i))}));
  }
  EXPECT_THAT(run.accepted(), SizeIs(wire::kMaxCandidates));
  EXPECT_THAT(run.all<Warned>(), SizeIs(1));
}

TEST(Trickle, UnusableCandidatesOfThePeerAreSkippedWithOneWarning) {
  Script run;
  const PeerMessageReceived message{
      R"({"ice":{"generation":0,"candidates":["candidate:1 1 udp 5 localhost 1 typ host"]}})"};
  run.checking().feed(message).feed(message);
  EXPECT_THAT(run.accepted(), IsEmpty());
  EXPECT_THAT(run.all<Warned>(), SizeIs(1));
  EXPECT_EQ(run.machine.state_name(), "Checking");
}

TEST(Trickle, OtherGenerationsAreDroppedWithOneWarning) {
  Script run;
  wire::IceMessage restart;
  restart.generation = 1;
  restart.ufrag = "other";
  restart.password = "otherpasswordotherpassword";
  restart.candidates = {candidate("192.0.2.2")};
  run.opened().feed(peer_message(restart)).feed(peer_message(restart));
  EXPECT_EQ(run.machine.state_name(), "Exchanging");
  EXPECT_THAT(run.names(), ElementsAre("SendPeerMessage", "Warned"));
}

TEST(Trickle, ChangedCredentialsAreDroppedWithOneWarning) {
  Script run;
  wire::IceMessage other;
  other.ufrag = "other";
  other.password = "otherpasswordotherpassword";
  run.checking().feed(peer_credentials()).feed(peer_message(other)).feed(peer_message(other));
  EXPECT_THAT(run.all<SetRemoteCredentials>(), SizeIs(1));
  EXPECT_THAT(run.all<Warned>(), SizeIs(1));
}

class MalformedMessage : public ::testing::TestWithParam<const char*> {};

TEST_P(MalformedMessage, EndsTheSearchInAnyState) {
  Script fresh;
  Script connected;
  connected.checking().feed(PairSelected{direct_path()});
  for (Script* run : {&fresh, &connected}) {
    run->feed(PeerMessageReceived{GetParam()});
    EXPECT_EQ(run->machine.state_name(), "Failed");
    ASSERT_THAT(run->all<Failed>(), SizeIs(1));
    EXPECT_EQ(run->all<Failed>()[0].error.kind, ErrorKind::kConnectionLost);
    EXPECT_EQ(run->machine.deadline(), std::nullopt);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Cases, MalformedMessage,
    ::testing::Values(
        "", "rubbish", "[]", R"({"ice":[]})", R"({"ice":{"generation":-1}})",
        R"({"ice":{"generation":0,"ufrag":"abcd"}})",
        R"({"ice":{"generation":0,"ufrag":"ab cd","pwd":"theirpasswordtheirpassword"}})",
        R"({"ice":{"generation":0,"candidates":7}})", R"({"ice":{"generation":0,"end":"yes"}})"));

// ---- relays -------------------------------------------------------------------------------------

TEST(Relays, OnlyLetsNothingElseOutOrIn) {
  Script run(with(RelayPolicy::kOnly));
  auto relay = candidate("198.51.100.1", CandidateType::kRelayed);
  relay.related_address = "192.0.2.1";
  relay.related_port = 4000;
  run.feed(found("192.0.2.1")).feed(found("203.0.113.1", CandidateType::kServerReflexive));
  run.feed(LocalCandidateFound{relay}).checking();
  run.feed(peer_candidates({candidate("192.0.2.2"),
                            candidate("203.0.113.2", CandidateType::kServerReflexive),
                            candidate("198.51.100.2", CandidateType::kRelayed)}));
  EXPECT_THAT(run.offered(), ElementsAre("198.51.100.1"));
  EXPECT_FALSE(run.sent()[0].candidates[0].related_address) << "it would tell where we are";
  EXPECT_THAT(run.accepted(), ElementsAre("198.51.100.2"));
}

TEST(Relays, NeverLetsNoneOutOrIn) {
  Script run(with(RelayPolicy::kNever));
  run.feed(found("192.0.2.1")).feed(found("198.51.100.1", CandidateType::kRelayed)).checking();
  run.feed(peer_candidates(
      {candidate("192.0.2.2"), candidate("198.51.100.2", CandidateType::kRelayed)}));
  EXPECT_THAT(run.offered(), ElementsAre("192.0.2.1"));
  EXPECT_THAT(run.accepted(), ElementsAre("192.0.2.2"));
}

TEST(Relays, PathsThatAreNotAllowedAreNotUsed) {
  Script only(with(RelayPolicy::kOnly));
  only.checking().feed(PairSelected{direct_path()});
  EXPECT_EQ(only.machine.state_name(), "Checking");
  Script never(with(RelayPolicy::kNever));
  never.checking().feed(PairSelected{relayed_path()});
  EXPECT_EQ(never.machine.state_name(), "Checking");
}

PathInfo unnamed_path() {
  return {false, "host", "prflx", "192.0.2.1:4000", "198.51.100.2:4000", "udp"};
}

TEST(Relays, APathFromAnAddressThatIsNamedLaterIsCorrected) {
  Script run;
  run.checking().feed(PairSelected{unnamed_path()});
  run.feed(peer_candidates({candidate("198.51.100.2", CandidateType::kRelayed)}));
  run.feed(peer_candidates({candidate("192.0.2.2")}));
  const auto paths = run.all<PathReady>();
  ASSERT_THAT(paths, SizeIs(2));
  EXPECT_FALSE(paths[0].path.relayed);
  EXPECT_TRUE(paths[1].path.relayed);
  EXPECT_EQ(paths[1].path.remote_type, "relay");
}

TEST(Relays, NeverWaitsUntilAnUnnamedAddressCannotBeARelay) {
  Script direct(with(RelayPolicy::kNever));
  direct.checking().feed(PairSelected{unnamed_path()});
  EXPECT_EQ(direct.machine.state_name(), "Checking");
  direct.feed(peer_end());
  EXPECT_EQ(direct.machine.state_name(), "Connected");

  Script relayed(with(RelayPolicy::kNever));
  relayed.checking().feed(PairSelected{unnamed_path()});
  relayed.feed(peer_candidates({candidate("198.51.100.2", CandidateType::kRelayed)}));
  relayed.feed(peer_end());
  EXPECT_EQ(relayed.machine.state_name(), "Checking");
}

}  // namespace
}  // namespace peersock::ice
