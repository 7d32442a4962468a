// The rules of mailboxes (docs/spec/rendezvous-server.md): open, add, replay, close; one
// case each, as the lines that pass between clients and server.
#include <gtest/gtest.h>

#include "server_script.hpp"

namespace peersock::testing {
namespace {

class MailboxRules : public ::testing::TestWithParam<ServerRule> {};

TEST_P(MailboxRules, Holds) {
  ServerScript script;
  script.play(GetParam().script);
}

// --- open and add

const ServerRule kOpenRules[] = {
    {"OpenNeedsAMailbox", R"(
      1 joins a
      1> {"type":"open"}
      1< error open requires 'mailbox'
      1> {"type":"open","mailbox":5}
      1< error 'mailbox' must be a string of at most 512 octets
      1> {"type":"open","mailbox":"m"})"},
    {"OpenOncePerConnection", R"(
      1 joins a
      1> {"type":"open","mailbox":"m"}
      1> {"type":"open","mailbox":"m"}
      1< error only one open per connection
      1> {"type":"open"}
      1< error only one open per connection)"},
    {"OpenOfAnOwnIdIsLegal", R"(
      1 joins a
      1> {"type":"open","mailbox":"we chose this"}
      2 joins b
      2> {"type":"open","mailbox":"we chose this"}
      2> {"type":"add","phase":"p","body":"00"}
      1< message b p 00
      2< message b p 00)"},
    {"OpenReplaysTheWholeHistory", R"(
      1 joins a
      1> {"type":"open","mailbox":"m"}
      1> {"type":"add","phase":"p","body":"00"}
      1< message a p 00
      1> {"type":"add","phase":"p","body":"00"}
      1< message a p 00
      2 joins b
      2> {"type":"open","mailbox":"m"}
      2< message a p 00
      2< message a p 00
      2> {"type":"add","phase":"q","body":"01"}
      1< message b q 01
      2< message b q 01
      1 leaves
      3 joins a
      3> {"type":"open","mailbox":"m"}
      3< message a p 00
      3< message a p 00
      3< message b q 01)"},
    {"ReplayIsInTheOrderOfArrival", R"(
      1 joins a
      1> {"type":"open","mailbox":"m"}
      2 joins b
      2> {"type":"open","mailbox":"m"}
      2> {"type":"add","phase":"2","body":"02"}
      1< message b 2 02
      2< message b 2 02
      1> {"type":"add","phase":"1","body":"01"}
      1< message a 1 01
      2< message a 1 01
      2> {"type":"add","phase":"0","body":"00"}
      1< message b 0 00
      2< message b 0 00
      3 joins a
      3> {"type":"open","mailbox":"m"}
      3< message b 2 02
      3< message a 1 01
      3< message b 0 00)"},
    {"AddNeedsAnOpenMailbox", R"(
      1 joins a
      1> {"type":"add","phase":"p","body":"00"}
      1< error must open mailbox before adding
      1> {"type":"claim","nameplate":"4"}
      1< claimed $m
      1> {"type":"add","phase":"p","body":"00"}
      1< error must open mailbox before adding)"},
    {"AddNeedsPhaseAndBody", R"(
      1 joins a
      1> {"type":"open","mailbox":"m"}
      1> {"type":"add","body":"00"}
      1< error missing 'phase'
      1> {"type":"add","phase":"p"}
      1< error missing 'body'
      1> {"type":"add","phase":{},"body":"00"}
      1< error 'phase' must be a string of at most 512 octets
      1> {"type":"add","phase":"p","body":["00"]}
      1< error 'body' must be a string
      1> {"type":"add","phase":"p","body":"00","id":{}}
      1< error 'id' must be a string or a number)"},
    {"BodyNeedNotBeHexadecimal", R"(
      1 joins a
      1> {"type":"open","mailbox":"m"}
      1> {"type":"add","phase":"p","body":"not hex"}
      1< message a p not hex
      1> {"type":"add","phase":"p","body":""}
      1< message a p ''
      1> {"type":"add","phase":"","body":"grüße"}
      1< message a '' grüße)"},
    {"TwoConnectionsOfOneSideBothHear", R"(
      1 joins a
      1> {"type":"open","mailbox":"m"}
      2 joins a
      2> {"type":"open","mailbox":"m"}
      1> {"type":"add","phase":"p","body":"00"}
      1< message a p 00
      2< message a p 00)"},
    {"MailboxesAreSeparate", R"(
      1 joins a
      1> {"type":"open","mailbox":"m"}
      2 joins b
      2> {"type":"open","mailbox":"k"}
      1> {"type":"add","phase":"p","body":"00"}
      1< message a p 00)"},
    {"IdsAreGlobalOverApplications", R"(
      1 joins a
      1> {"type":"open","mailbox":"m"}
      2 joins b in other
      2> {"type":"open","mailbox":"m"}
      2< error the mailbox belongs to another application
      2> {"type":"close"}
      2< error the mailbox belongs to another application
      2> {"type":"list"}
      2< nameplates)"},
};
INSTANTIATE_TEST_SUITE_P(Open, MailboxRules, ::testing::ValuesIn(kOpenRules), rule_name);

// --- close

const ServerRule kCloseRules[] = {
    {"CloseFollowsOpen", R"(
      1 joins a
      1> {"type":"close"}
      1< error close without mailbox must follow open
      1> {"type":"close","mailbox":5}
      1< error 'mailbox' must be a string of at most 512 octets)"},
    {"CloseOfAnUnseenMailbox", R"(
      1 joins a
      1> {"type":"close","mailbox":"m","mood":"happy"}
      1< closed)"},
    {"OpenAndCloseAgree", R"(
      1 joins a
      1> {"type":"open","mailbox":"m"}
      1> {"type":"close","mailbox":"k"}
      1< error open and close must use same mailbox
      1> {"type":"close","mailbox":null}
      1< error open and close must use same mailbox
      1> {"type":"close","mailbox":"m"}
      1< closed)"},
    {"CloseOncePerConnection", R"(
      1 joins a
      1> {"type":"open","mailbox":"m"}
      1> {"type":"close"}
      1< closed
      1> {"type":"close"}
      1< error only one close per connection)"},
    {"AnyMoodCloses", R"(
      1 joins a
      1> {"type":"open","mailbox":"m"}
      1> {"type":"close","mood":["odd"]}
      1< closed)"},
    {"ClosedHearsNoMore", R"(
      1 joins a
      1> {"type":"open","mailbox":"m"}
      2 joins b
      2> {"type":"open","mailbox":"m"}
      1> {"type":"close"}
      1< closed
      2> {"type":"add","phase":"p","body":"00"}
      2< message b p 00
      1> {"type":"add","phase":"p","body":"00"}
      1< error must open mailbox before adding)"},
    {"ReopenAfterOwnCloseReplays", R"(
      1 joins a
      1> {"type":"open","mailbox":"m"}
      2 joins b
      2> {"type":"open","mailbox":"m"}
      1> {"type":"add","phase":"p","body":"00"}
      1< message a p 00
      2< message a p 00
      1> {"type":"close"}
      1< closed
      3 joins a
      3> {"type":"open","mailbox":"m"}
      3< message a p 00
      2> {"type":"add","phase":"q","body":"01"}
      2< message b q 01
      3< message b q 01)"},
    {"OpenAgainOnOneConnectionAfterClose", R"(
      1 joins a
      1> {"type":"open","mailbox":"m"}
      1> {"type":"close"}
      1< closed
      1> {"type":"open","mailbox":"k"}
      1> {"type":"add","phase":"p","body":"00"}
      1< message a p 00
      1> {"type":"close"}
      1< error only one close per connection)"},
    {"LastCloseDeletesTheMailbox", R"(
      1 joins a
      1> {"type":"open","mailbox":"m"}
      1> {"type":"add","phase":"p","body":"00"}
      1< message a p 00
      2 joins b
      2> {"type":"open","mailbox":"m"}
      2< message a p 00
      1> {"type":"close"}
      1< closed
      2> {"type":"close"}
      2< closed
      3 joins c
      3> {"type":"open","mailbox":"m"})"},
    {"LastCloseFreesTheNameplate", R"(
      1 joins a
      1> {"type":"claim","nameplate":"4"}
      1< claimed $m
      1> {"type":"open","mailbox":"$m"}
      1> {"type":"close"}
      1< closed
      1> {"type":"list"}
      1< nameplates
      1> {"type":"release"}
      1< released)"},
    {"MailboxWaitsForASideThatOnlyClaimed", R"(
      1 joins a
      1> {"type":"claim","nameplate":"4"}
      1< claimed $m
      2 joins b
      2> {"type":"claim","nameplate":"4"}
      2< claimed $m
      2> {"type":"open","mailbox":"$m"}
      2> {"type":"add","phase":"p","body":"00"}
      2< message b p 00
      2> {"type":"close"}
      2< closed
      1> {"type":"open","mailbox":"$m"}
      1< message b p 00)"},
    {"LastCloseOfASideThatCameBackCountsOnce", R"(
      1 joins a
      1> {"type":"open","mailbox":"m"}
      2 joins b
      2> {"type":"open","mailbox":"m"}
      1> {"type":"close"}
      1< closed
      3 joins a
      3> {"type":"open","mailbox":"m"}
      2> {"type":"close"}
      2< closed
      3> {"type":"add","phase":"p","body":"00"}
      4 joins a
      4> {"type":"open","mailbox":"m"})"},
    {"AddsOfALingeringConnectionVanish", R"(
      1 joins a
      1> {"type":"open","mailbox":"m"}
      2 joins a
      2> {"type":"open","mailbox":"m"}
      1> {"type":"close"}
      1< closed
      2> {"type":"add","phase":"p","body":"00"}
      2> {"type":"close"}
      2< closed
      3 joins a
      3> {"type":"open","mailbox":"m"})"},
    {"ALingeringConnectionDoesNotHearTheNextMailbox", R"(
      1 joins a
      1> {"type":"open","mailbox":"m"}
      2 joins a
      2> {"type":"open","mailbox":"m"}
      1> {"type":"close"}
      1< closed
      3 joins c
      3> {"type":"open","mailbox":"m"}
      3> {"type":"add","phase":"p","body":"00"}
      3< message c p 00
      2> {"type":"add","phase":"q","body":"01"})"},
    {"DisconnectKeepsTheMailbox", R"(
      1 joins a
      1> {"type":"open","mailbox":"m"}
      1> {"type":"add","phase":"p","body":"00"}
      1< message a p 00
      1 leaves
      2 joins b
      2> {"type":"open","mailbox":"m"}
      2< message a p 00)"},
};
INSTANTIATE_TEST_SUITE_P(Close, MailboxRules, ::testing::ValuesIn(kCloseRules), rule_name);

}  // namespace
}  // namespace peersock::testing
