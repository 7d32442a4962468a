// Why there is no direct path: what can be told from both sides' candidates. Pure.
#pragma once

#include <vector>

#include "core/event.hpp"
#include "ice/policy.hpp"
#include "wire/ice_message.hpp"

namespace peersock::ice {

struct RelayFacts {
  RelayPolicy policy = RelayPolicy::kAuto;
  bool has_stun = true;  ///< a STUN server is asked here
  std::vector<wire::Candidate> own;
  std::vector<wire::Candidate> peers;
  /// Peer reflexive ones, as checks have shown them, with their base where it is known.
  std::vector<wire::Candidate> own_seen;
  std::vector<wire::Candidate> peers_seen;
  bool own_ended = false;    ///< no candidate of ours follows
  bool peers_ended = false;  ///< none of the peer's follows
  bool checks_over = false;  ///< the agent has checked every pair that it has
};

/// The most telling reason that the facts allow; kStillChecking when more may become known.
///
/// A NAT's mapping is endpoint-dependent (RFC 4787 section 4.1) when one base has two reflexive
/// addresses, by STUN or by checks. Whose base is not known, of that nothing is concluded unless it
/// is the only one of its family.
[[nodiscard]] RelayReason relay_reason(const RelayFacts& facts);

}  // namespace peersock::ice
