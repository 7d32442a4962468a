// libnice's candidates and addresses in our terms, and the other way round.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <nice/agent.h>

#include "core/event.hpp"
#include "wire/ice_message.hpp"

namespace peersock::adapters {

/// A stream of ours has one component (RFC 8445 section 13).
inline constexpr guint kNiceComponent = 1;

struct NiceCandidateFree {
  void operator()(::NiceCandidate* candidate) const { nice_candidate_free(candidate); }
};
using NiceCandidatePtr = std::unique_ptr<::NiceCandidate, NiceCandidateFree>;

/// The related address is there for server reflexive and relayed candidates.
[[nodiscard]] wire::Candidate from_nice(const ::NiceCandidate& candidate);

/// Null for what the agent cannot use: TCP, and peer reflexive candidates, which are discovered
/// and never signalled.
[[nodiscard]] NiceCandidatePtr to_nice(const wire::Candidate& candidate, guint stream_id);

[[nodiscard]] PathInfo path_of(const ::NiceCandidate& local, const ::NiceCandidate& remote);

/// `address` is numeric; `interface_name` gives the scope of a link-local IPv6 address.
[[nodiscard]] std::optional<::NiceAddress> nice_address_of(const std::string& address,
                                                           const std::string& interface_name);

}  // namespace peersock::adapters
