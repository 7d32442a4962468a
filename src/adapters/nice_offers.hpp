// The peer's candidates, as they are told to libnice.
//
// libnice 0.1.21 makes pairs of a candidate only when the candidate is new to it, and forgets pairs
// that it has not come to check when another one is nominated (RFC 8445 section 8.1.2). So an
// address that was first seen in a check, be it the peer's relay, may never be tried, nor a
// candidate that comes while a relayed pair is being nominated: the session stays on its relay, or
// finds no path at all. A candidate of another type at the same address is new to libnice: told so,
// it makes the pairs.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <nice/agent.h>

#include "adapters/nice_candidate.hpp"
#include "ice/negotiation.hpp"

namespace peersock::adapters {

class NiceOffers {
 public:
  /// `agent` has one stream and outlives this object.
  NiceOffers(::NiceAgent* agent, guint stream) : agent_(agent), stream_(stream) {}

  /// From now on libnice is told of everything at once, and now of what has come so far: it makes
  /// pairs of what the peer offers only with addresses that it has.
  void begin();
  void set_credentials(std::string ufrag, std::string password);
  /// The peer has offered everything.
  void end();
  /// After the credentials. At most wire::kMaxCandidates are kept.
  void add(const std::vector<wire::Candidate>& candidates);

  /// Has every direct pair checked once more; kMaxRepeats times in the life of an agent, which is
  /// some 14 seconds of checks.
  void repeat_direct();

  /// The peer reflexive candidates that checks have shown so far.
  [[nodiscard]] ice::ChecksFinished seen() const;

  /// The type by which the peer calls the address and port of `remote`.
  [[nodiscard]] wire::CandidateType type_of(const ::NiceCandidate& remote) const;

  static constexpr int kMaxRepeats = 3;

 private:
  void when_begun(std::function<void()> call);
  void take(const std::vector<wire::Candidate>& candidates);
  void tell(const std::vector<NiceCandidatePtr>& candidates);
  [[nodiscard]] NiceCandidatePtr renamed(const wire::Candidate& candidate);

  ::NiceAgent* agent_;
  guint stream_;
  bool begun_ = false;
  std::vector<std::function<void()>> waiting_;
  std::vector<wire::Candidate> known_;
  int repeats_ = 0;
  int renamed_ = 0;
};

}  // namespace peersock::adapters
