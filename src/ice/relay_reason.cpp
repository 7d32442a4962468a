#include "ice/relay_reason.hpp"

#include <algorithm>
#include <optional>

namespace peersock::ice {
namespace {

using wire::Candidate;
using wire::CandidateType;
using Candidates = std::vector<Candidate>;

bool is_direct(const Candidate& candidate) {
  return candidate.type != CandidateType::kRelayed;
}

bool is_reflexive(const Candidate& candidate) {
  return candidate.type == CandidateType::kServerReflexive;
}

bool knows_public_address(const Candidates& candidates) {
  return std::any_of(candidates.begin(), candidates.end(), [](const Candidate& candidate) {
    return is_direct(candidate) && (is_reflexive(candidate) || is_public(candidate.address));
  });
}

bool all_relayed(const Candidates& candidates) {
  return !candidates.empty() && std::none_of(candidates.begin(), candidates.end(), is_direct);
}

bool have_common_family(const Candidates& own, const Candidates& peers) {
  const auto offers = [](const Candidates& candidates, bool ipv6) {
    return std::any_of(candidates.begin(), candidates.end(), [&](const Candidate& candidate) {
      return is_direct(candidate) && is_ipv6(candidate.address) == ipv6;
    });
  };
  return (offers(own, false) && offers(peers, false)) || (offers(own, true) && offers(peers, true));
}

bool same_place(const Candidate& a, const Candidate& b) {
  return a.address == b.address && a.port == b.port;
}

bool same_base(const Candidate& a, const Candidate& b) {
  return a.related_address && a.related_port.value_or(0) != 0 &&
         a.related_address == b.related_address && a.related_port == b.related_port;
}

bool has_one_base(const Candidates& candidates, bool ipv6) {
  return std::count_if(candidates.begin(), candidates.end(), [&](const Candidate& candidate) {
           return candidate.type == CandidateType::kHost && is_ipv6(candidate.address) == ipv6;
         }) == 1;
}

/// What STUN has shown, and `seen` beside it, are two addresses of one base.
bool differs(const Candidates& candidates, const Candidate& seen) {
  const bool ipv6 = is_ipv6(seen.address);
  const bool one_base = has_one_base(candidates, ipv6);
  bool any = false;
  for (const Candidate& candidate : candidates) {
    if (same_place(candidate, seen)) return false;
    if (!is_reflexive(candidate) || is_ipv6(candidate.address) != ipv6) continue;
    any = any || one_base || same_base(candidate, seen);
  }
  return any;
}

/// One base, two addresses at two servers.
bool two_by_stun(const Candidates& candidates) {
  for (const Candidate& a : candidates) {
    for (const Candidate& b : candidates) {
      if (is_reflexive(a) && is_reflexive(b) && same_base(a, b) && !same_place(a, b) &&
          is_ipv6(a.address) == is_ipv6(b.address)) {
        return true;
      }
    }
  }
  return false;
}

bool nat_depends(const Candidates& candidates, const Candidates& seen) {
  return two_by_stun(candidates) ||
         std::any_of(seen.begin(), seen.end(),
                     [&](const Candidate& candidate) { return differs(candidates, candidate); });
}

/// Checks of ours have come back through a NAT, so UDP does get out.
bool udp_gets_out(const RelayFacts& facts) {
  return !facts.own_seen.empty();
}

std::optional<RelayReason> reason_in_candidates(const RelayFacts& facts) {
  if (facts.peers_ended && all_relayed(facts.peers)) return RelayReason::kRelayOnlyThere;
  if (facts.own_ended && facts.peers_ended && !have_common_family(facts.own, facts.peers)) {
    return RelayReason::kNoCommonFamily;
  }
  if (facts.own_ended && !knows_public_address(facts.own)) {
    return facts.has_stun && !udp_gets_out(facts) ? RelayReason::kUdpBlockedHere
                                                  : RelayReason::kNoPublicAddressHere;
  }
  if (facts.peers_ended && !knows_public_address(facts.peers)) {
    return RelayReason::kNoPublicAddressThere;
  }
  return std::nullopt;
}

}  // namespace

RelayReason relay_reason(const RelayFacts& facts) {
  if (facts.policy == RelayPolicy::kOnly) return RelayReason::kRelayOnlyHere;
  if (const auto found = reason_in_candidates(facts)) return *found;
  const bool here = nat_depends(facts.own, facts.own_seen);
  const bool there = nat_depends(facts.peers, facts.peers_seen);
  if (here && there) return RelayReason::kBothNatsDependent;
  // One such NAT is no obstacle where the other side lets everybody in.
  if (!facts.checks_over) return RelayReason::kStillChecking;
  if (here) return RelayReason::kNatHereDependent;
  if (there) return RelayReason::kNatThereDependent;
  const bool all_told = facts.own_ended && facts.peers_ended;
  return all_told ? RelayReason::kChecksUnanswered : RelayReason::kStillChecking;
}

}  // namespace peersock::ice
