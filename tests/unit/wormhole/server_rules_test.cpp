// One case for each rule of the rendezvous protocol (docs/spec/rendezvous-server.md), as the lines
// that pass between clients and server.
#include <gtest/gtest.h>

#include "server_script.hpp"

namespace peersock::testing {
namespace {

class ServerRules : public ::testing::TestWithParam<ServerRule> {};

TEST_P(ServerRules, Holds) {
  ServerScript script;
  script.play(GetParam().script);
}

// --- frames, acknowledgements, binding

const ServerRule kFrameRules[] = {
    {"WelcomeComesFirst", R"(
      1 connects
      1< welcome {})"},
    {"AckCarriesTheId", R"(
      acks on
      1 joins a
      1> {"type":"list","id":"i1"}
      1< ack i1
      1< nameplates
      1> {"type":"list","id":7}
      1< ack 7
      1< nameplates
      1> {"type":"list"}
      1< ack null
      1< nameplates)"},
    {"AckPrecedesValidation", R"(
      acks on
      1 joins a
      1> {"type":"nonsense","id":"x"}
      1< ack x
      1< error unknown type)"},
    {"NoTypeNoAck", R"(
      acks on
      1 joins a
      1> {"id":"x"}
      1< error missing 'type')"},
    {"UnknownType", R"(
      1 joins a
      1> {"type":"nonsense"}
      1< error unknown type
      1> {"type":5}
      1< error unknown type
      1> {"type":null}
      1< error unknown type)"},
    {"UnknownKeysAreIgnored", R"(
      1 joins a
      1> {"type":"list","color":"red","deep":{"a":[1,2,{"b":null}]}}
      1< nameplates)"},
    {"NotJson", R"(
      1 joins a
      1> {"type":
      1< error the message is not JSON
      1> hello
      1< error the message is not JSON
      1> {"type":"list"} {"type":"list"}
      1< error the message is not JSON
      1> {"type":"list"}
      1< nameplates)"},
    {"NotAnObject", R"(
      1 joins a
      1> ["type"]
      1< error the message is not a JSON object
      1> "type"
      1< error the message is not a JSON object
      1> null
      1< error the message is not a JSON object
      1> {"type":"list"}
      1< nameplates)"},
    {"PingBeforeAndAfterBind", R"(
      1 connects
      1< welcome {}
      1> {"type":"ping","ping":5}
      1< pong 5
      1> {"type":"bind","appid":"app","side":"a"}
      1> {"type":"ping","ping":{"a":[1]}}
      1< pong {"a":[1]}
      1> {"type":"ping","ping":null}
      1< pong null)"},
    {"PingNeedsAPing", R"(
      1 connects
      1< welcome {}
      1> {"type":"ping"}
      1< error ping requires 'ping')"},
    {"BindFirst", R"(
      1 connects
      1< welcome {}
      1> {"type":"list"}
      1< error must bind first
      1> {"type":"allocate"}
      1< error must bind first
      1> {"type":"claim","nameplate":"1"}
      1< error must bind first
      1> {"type":"release"}
      1< error must bind first
      1> {"type":"open","mailbox":"m"}
      1< error must bind first
      1> {"type":"add","phase":"p","body":"00"}
      1< error must bind first
      1> {"type":"close"}
      1< error must bind first
      1> {"type":"submit-permissions","method":"hashcash","stamp":"s"}
      1< error must bind first
      1> {"type":"nonsense"}
      1< error must bind first)"},
    {"BindAnswersWithAnAckOnly", R"(
      acks on
      1 connects
      1< welcome {}
      1> {"type":"bind","appid":"app","side":"a","client_version":["x","1"]}
      1< ack null)"},
    {"BindNeedsAppidAndSide", R"(
      1 connects
      1< welcome {}
      1> {"type":"bind","side":"a"}
      1< error bind requires 'appid'
      1> {"type":"bind","appid":"app"}
      1< error bind requires 'side'
      1> {"type":"bind","appid":5,"side":"a"}
      1< error 'appid' must be a string of at most 512 octets
      1> {"type":"bind","appid":"app","side":["a"]}
      1< error 'side' must be a string of at most 512 octets
      1> {"type":"bind","appid":"app","side":"a"}
      1> {"type":"list"}
      1< nameplates)"},
    {"BindOnce", R"(
      1 joins a
      1> {"type":"bind","appid":"app","side":"a"}
      1< error already bound)"},
    {"SubmitPermissionsIsUnknown", R"(
      1 joins a
      1> {"type":"submit-permissions","method":"hashcash","stamp":"s"}
      1< error unknown type)"},
};
INSTANTIATE_TEST_SUITE_P(Frames, ServerRules, ::testing::ValuesIn(kFrameRules), rule_name);

// --- nameplates

const ServerRule kNameplateRules[] = {
    {"AllocateClaimsImplicitly", R"(
      1 joins a
      1> {"type":"allocate"}
      1< allocated $n
      1> {"type":"list"}
      1< nameplates $n
      1> {"type":"claim","nameplate":"$n"}
      1< claimed $m)"},
    {"AllocateOnce", R"(
      1 joins a
      1> {"type":"allocate"}
      1< allocated $n
      1> {"type":"allocate"}
      1< error you already allocated one, don't be greedy)"},
    {"AllocateAfterClaim", R"(
      1 joins a
      1> {"type":"claim","nameplate":"77"}
      1< claimed $m
      1> {"type":"allocate"}
      1< allocated $n)"},
    {"AllocatedButUnclaimedIsNotReleasedByDefault", R"(
      1 joins a
      1> {"type":"allocate"}
      1< allocated $n
      1> {"type":"release"}
      1< error release without nameplate must follow claim
      1> {"type":"release","nameplate":"$n"}
      1< released
      1> {"type":"list"}
      1< nameplates)"},
    {"ListShowsTwoSidedNameplatesToo", R"(
      1 joins a
      1> {"type":"claim","nameplate":"10"}
      1< claimed $m
      2 joins b
      2> {"type":"claim","nameplate":"10"}
      2< claimed $m
      3 joins c
      3> {"type":"claim","nameplate":"9"}
      3< claimed $k
      3> {"type":"list"}
      3< nameplates 10 9)"},
    {"ListIsOfOneApplication", R"(
      1 joins a
      1> {"type":"claim","nameplate":"4"}
      1< claimed $m
      2 joins b in other
      2> {"type":"list"}
      2< nameplates)"},
    {"SameNumberInAnotherApplication", R"(
      1 joins a
      1> {"type":"claim","nameplate":"4"}
      1< claimed $m
      2 joins a in other
      2> {"type":"claim","nameplate":"4"}
      2< claimed $k
      2> {"type":"open","mailbox":"$m"}
      2< error the mailbox belongs to another application
      2> {"type":"open","mailbox":"$k"})"},
    {"ClaimNeedsANameplate", R"(
      1 joins a
      1> {"type":"claim"}
      1< error claim requires 'nameplate'
      1> {"type":"claim","nameplate":"4"}
      1< claimed $m)"},
    {"ClaimOncePerConnection", R"(
      1 joins a
      1> {"type":"claim","nameplate":"4"}
      1< claimed $m
      1> {"type":"claim","nameplate":"4"}
      1< error only one claim per connection
      1> {"type":"claim"}
      1< error claim requires 'nameplate')"},
    {"ClaimOfAnInvalidNameplateUsesItUp", R"(
      1 joins a
      1> {"type":"claim","nameplate":"4x"}
      1< error 'nameplate' must be a string of 1 to 40 digits
      1> {"type":"claim","nameplate":"4"}
      1< error only one claim per connection
      1> {"type":"release"}
      1< error release without nameplate must follow claim)"},
    {"BothSidesGetTheSameMailbox", R"(
      1 joins a
      1> {"type":"claim","nameplate":"4"}
      1< claimed $m
      2 joins b
      2> {"type":"claim","nameplate":"4"}
      2< claimed $m)"},
    {"ClaimIsIdempotentOverReconnects", R"(
      1 joins a
      1> {"type":"claim","nameplate":"4"}
      1< claimed $m
      1 leaves
      2 joins a
      2> {"type":"claim","nameplate":"4"}
      2< claimed $m
      3 joins b
      3> {"type":"claim","nameplate":"4"}
      3< claimed $m)"},
    {"ClaimDoesNotSubscribe", R"(
      1 joins a
      1> {"type":"claim","nameplate":"4"}
      1< claimed $m
      2 joins b
      2> {"type":"open","mailbox":"$m"}
      2> {"type":"add","phase":"p","body":"00"}
      2< message b p 00)"},
    {"ThirdClaimIsCrowdedAndUsesItUp", R"(
      1 joins a
      1> {"type":"claim","nameplate":"4"}
      1< claimed $m
      2 joins b
      2> {"type":"claim","nameplate":"4"}
      2< claimed $m
      3 joins c
      3> {"type":"claim","nameplate":"4"}
      3< error crowded
      3> {"type":"claim","nameplate":"5"}
      3< error only one claim per connection
      3> {"type":"release"}
      3< released)"},
    {"ReleaseOnce", R"(
      1 joins a
      1> {"type":"claim","nameplate":"4"}
      1< claimed $m
      1> {"type":"release"}
      1< released
      1> {"type":"release"}
      1< error only one release per connection)"},
    {"ReleaseFollowsClaim", R"(
      1 joins a
      1> {"type":"release"}
      1< error release without nameplate must follow claim)"},
    {"ReleaseAndClaimAgree", R"(
      1 joins a
      1> {"type":"claim","nameplate":"4"}
      1< claimed $m
      1> {"type":"release","nameplate":"5"}
      1< error release and claim must use same nameplate
      1> {"type":"release","nameplate":4}
      1< error release and claim must use same nameplate
      1> {"type":"release","nameplate":"4"}
      1< released)"},
    {"ReleaseByName", R"(
      1 joins a
      1> {"type":"claim","nameplate":"4"}
      1< claimed $m
      1 leaves
      2 joins a
      2> {"type":"release","nameplate":"4"}
      2< released
      2> {"type":"list"}
      2< nameplates)"},
    {"ReleaseOfAnUnknownNameplate", R"(
      1 joins a
      1> {"type":"release","nameplate":"nobody's"}
      1< released)"},
    {"ReleaseOfAnothersNameplateChangesNothing", R"(
      1 joins a
      1> {"type":"claim","nameplate":"4"}
      1< claimed $m
      2 joins b
      2> {"type":"release","nameplate":"4"}
      2< released
      2> {"type":"list"}
      2< nameplates 4)"},
    {"ReleaseNeedsAString", R"(
      1 joins a
      1> {"type":"release","nameplate":null}
      1< error 'nameplate' must be a string of 1 to 40 digits
      1> {"type":"release","nameplate":"4"}
      1< released)"},
    {"NameplateStaysUntilBothRelease", R"(
      1 joins a
      1> {"type":"claim","nameplate":"4"}
      1< claimed $m
      2 joins b
      2> {"type":"claim","nameplate":"4"}
      2< claimed $m
      1> {"type":"release"}
      1< released
      1> {"type":"list"}
      1< nameplates 4
      2> {"type":"release"}
      2< released
      2> {"type":"list"}
      2< nameplates)"},
    {"ReclaimIsRefusedWhileTheOtherSideClaims", R"(
      1 joins a
      1> {"type":"claim","nameplate":"4"}
      1< claimed $m
      2 joins b
      2> {"type":"claim","nameplate":"4"}
      2< claimed $m
      1> {"type":"release"}
      1< released
      3 joins a
      3> {"type":"claim","nameplate":"4"}
      3< error reclaimed)"},
    {"ReclaimAfterBothReleasedIsANewMailbox", R"(
      1 joins a
      1> {"type":"claim","nameplate":"4"}
      1< claimed $m
      1> {"type":"release"}
      1< released
      2 joins a
      2> {"type":"claim","nameplate":"4"}
      2< claimed $k
      2> {"type":"open","mailbox":"$k"}
      2> {"type":"add","phase":"p","body":"00"}
      2< message a p 00
      3 joins a
      3> {"type":"open","mailbox":"$m"})"},
    {"ReleaseLeavesTheMailboxOpen", R"(
      1 joins a
      1> {"type":"claim","nameplate":"4"}
      1< claimed $m
      1> {"type":"open","mailbox":"$m"}
      1> {"type":"release"}
      1< released
      1> {"type":"add","phase":"p","body":"00"}
      1< message a p 00)"},
};
INSTANTIATE_TEST_SUITE_P(Nameplates, ServerRules, ::testing::ValuesIn(kNameplateRules), rule_name);

}  // namespace
}  // namespace peersock::testing
