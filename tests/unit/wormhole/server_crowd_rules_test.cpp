// The rules of third parties and of idleness (docs/spec/rendezvous-server.md); one case each, as
// the lines that pass between clients and server.
#include <gtest/gtest.h>

#include "server_script.hpp"

namespace peersock::testing {
namespace {

class CrowdRules : public ::testing::TestWithParam<ServerRule> {};

TEST_P(CrowdRules, Holds) {
  ServerScript script;
  script.play(GetParam().script);
}

const ServerRule kCrowdRules[] = {
    {"ThirdSideIsCrowded", R"(
      1 joins a
      1> {"type":"open","mailbox":"m"}
      2 joins b
      2> {"type":"open","mailbox":"m"}
      3 joins c
      3> {"type":"open","mailbox":"m"}
      3< error crowded
      3> {"type":"add","phase":"p","body":"00"}
      3< error must open mailbox before adding
      3> {"type":"open","mailbox":"m"}
      3< error crowded
      3> {"type":"close"}
      3< error crowded
      1> {"type":"add","phase":"p","body":"00"}
      1< message a p 00
      2< message a p 00)"},
    {"CrowdingSticks", R"(
      1 joins a
      1> {"type":"claim","nameplate":"4"}
      1< claimed $m
      1> {"type":"open","mailbox":"$m"}
      2 joins b
      2> {"type":"open","mailbox":"$m"}
      3 joins c
      3> {"type":"claim","nameplate":"4"}
      3< error crowded
      3 leaves
      4 joins a
      4> {"type":"open","mailbox":"$m"}
      4< error crowded
      4> {"type":"claim","nameplate":"4"}
      4< error crowded
      5 joins b
      5> {"type":"close","mailbox":"$m"}
      5< error crowded
      1> {"type":"add","phase":"p","body":"00"}
      1< message a p 00
      2< message a p 00)"},
    {"CrowdedMailboxSurvivesTheClosesAndIsPruned", R"(
      1 joins a
      1> {"type":"open","mailbox":"m"}
      2 joins b
      2> {"type":"open","mailbox":"m"}
      3 joins c
      3> {"type":"open","mailbox":"m"}
      3< error crowded
      1> {"type":"close"}
      1< closed
      2> {"type":"close"}
      2< closed
      4 joins d
      4> {"type":"open","mailbox":"m"}
      4< error crowded
      after 1200
      5 joins a
      5> {"type":"open","mailbox":"m"})"},
    {"AFourthClaimIsCrowdedToo", R"(
      1 joins a
      1> {"type":"claim","nameplate":"4"}
      1< claimed $m
      2 joins b
      2> {"type":"claim","nameplate":"4"}
      2< claimed $m
      3 joins c
      3> {"type":"claim","nameplate":"4"}
      3< error crowded
      4 joins d
      4> {"type":"claim","nameplate":"4"}
      4< error crowded
      1> {"type":"release"}
      1< released
      2> {"type":"release"}
      2< released
      3> {"type":"release"}
      3< released
      1> {"type":"list"}
      1< nameplates 4
      4> {"type":"release"}
      4< released
      1> {"type":"list"}
      1< nameplates)"},
    {"IdleMailboxAndNameplateArePruned", R"(
      1 joins a
      1> {"type":"claim","nameplate":"4"}
      1< claimed $m
      1> {"type":"open","mailbox":"$m"}
      1> {"type":"add","phase":"p","body":"00"}
      1< message a p 00
      1 leaves
      after 599
      2 joins b
      2> {"type":"list"}
      2< nameplates 4
      after 600
      2> {"type":"list"}
      2< nameplates
      2> {"type":"open","mailbox":"$m"})"},
    {"AListenerKeepsTheMailbox", R"(
      1 joins a
      1> {"type":"claim","nameplate":"4"}
      1< claimed $m
      1> {"type":"open","mailbox":"$m"}
      1> {"type":"add","phase":"p","body":"00"}
      1< message a p 00
      after 86400
      2 joins b
      2> {"type":"claim","nameplate":"4"}
      2< claimed $m
      2> {"type":"open","mailbox":"$m"}
      2< message a p 00)"},
    {"AClaimAloneDoesNotKeepTheMailbox", R"(
      1 joins a
      1> {"type":"claim","nameplate":"4"}
      1< claimed $m
      after 1200
      1> {"type":"list"}
      1< nameplates)"},
    {"ActivityKeepsTheMailbox", R"(
      1 joins a
      1> {"type":"claim","nameplate":"4"}
      1< claimed $m
      1 leaves
      after 500
      2 joins a
      2> {"type":"claim","nameplate":"4"}
      2< claimed $m
      2 leaves
      after 500
      3 joins b
      3> {"type":"list"}
      3< nameplates 4)"},
};
INSTANTIATE_TEST_SUITE_P(Crowds, CrowdRules, ::testing::ValuesIn(kCrowdRules), rule_name);

}  // namespace
}  // namespace peersock::testing
