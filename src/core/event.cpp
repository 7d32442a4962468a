#include "core/event.hpp"

namespace peersock {
namespace {

struct ReasonNames {
  std::string_view token;
  std::string_view text;
};

ReasonNames names_of(RelayReason reason) {
  switch (reason) {
    case RelayReason::kNone:
      return {};
    case RelayReason::kStillChecking:
      return {"still_checking", "direct paths are still being tried"};
    case RelayReason::kRelayOnlyHere:
      return {"relay_only_here", "only relays are allowed here"};
    case RelayReason::kRelayOnlyThere:
      return {"relay_only_there", "the other side offers only a relay"};
    case RelayReason::kNoCommonFamily:
      return {"no_common_family", "one side has IPv4 alone and the other one IPv6 alone"};
    case RelayReason::kUdpBlockedHere:
      return {"udp_blocked_here", "no answer to UDP comes from the Internet here"};
    case RelayReason::kNoPublicAddressHere:
      return {"no_public_address_here", "no STUN server has told the public address of this side"};
    case RelayReason::kNoPublicAddressThere:
      return {"no_public_address_there",
              "the other side knows no public address of its own, UDP may be blocked there"};
    case RelayReason::kBothNatsDependent:
      return {"both_nats_dependent", "the NATs of both sides use another address for each peer"};
    case RelayReason::kNatHereDependent:
      return {"nat_here_dependent",
              "the NAT here uses another address for each peer, which the other side does not let "
              "in"};
    case RelayReason::kNatThereDependent:
      return {"nat_there_dependent",
              "the NAT of the other side uses another address for each peer, which is not let in "
              "here"};
    case RelayReason::kChecksUnanswered:
      return {"checks_unanswered", "no direct path has answered"};
  }
  return {};
}

}  // namespace

std::string_view to_string(RelayReason reason) {
  return names_of(reason).token;
}

std::string_view text_of(RelayReason reason) {
  return names_of(reason).text;
}

std::string_view to_string(RestartReason reason) {
  switch (reason) {
    case RestartReason::kSilent:
      return "silent";
    case RestartReason::kBroken:
      return "broken";
    case RestartReason::kNetwork:
      return "network";
    case RestartReason::kPeer:
      return "peer";
  }
  return "silent";
}

std::string_view to_string(CloseReason reason) {
  switch (reason) {
    case CloseReason::kFinished:
      return "finished";
    case CloseReason::kAborted:
      return "aborted";
    case CloseReason::kRefused:
      return "refused";
    case CloseReason::kUnreachable:
      return "unreachable";
    case CloseReason::kSessionLost:
      return "session_lost";
  }
  return "finished";
}

}  // namespace peersock
