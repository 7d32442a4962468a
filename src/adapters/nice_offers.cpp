#include "adapters/nice_offers.hpp"

#include <algorithm>
#include <utility>

namespace peersock::adapters {
namespace {

using wire::Candidate;
using wire::CandidateType;

bool same_place(const Candidate& a, const Candidate& b) {
  return a.address == b.address && a.port == b.port && a.transport == b.transport;
}

bool is_direct(const Candidate& candidate) {
  return candidate.type == CandidateType::kHost ||
         candidate.type == CandidateType::kServerReflexive;
}

/// Takes the list and what is in it.
std::vector<Candidate> peer_reflexive(GSList* list) {
  std::vector<Candidate> found;
  for (GSList* each = list; each != nullptr; each = each->next) {
    const NiceCandidatePtr known(static_cast<::NiceCandidate*>(each->data));
    if (known->type == NICE_CANDIDATE_TYPE_PEER_REFLEXIVE) found.push_back(from_nice(*known));
  }
  g_slist_free(list);
  return found;
}

}  // namespace

void NiceOffers::begin() {
  begun_ = true;
  for (const auto& call : std::exchange(waiting_, {})) call();
}

void NiceOffers::when_begun(std::function<void()> call) {
  if (begun_) return call();
  waiting_.push_back(std::move(call));
}

void NiceOffers::set_credentials(std::string ufrag, std::string password) {
  when_begun([this, name = std::move(ufrag), secret = std::move(password)] {
    nice_agent_set_remote_credentials(agent_, stream_, name.c_str(), secret.c_str());
  });
}

void NiceOffers::add(const std::vector<Candidate>& candidates) {
  when_begun([this, candidates] { take(candidates); });
}

void NiceOffers::end() {
  when_begun([this] { nice_agent_peer_candidate_gathering_done(agent_, stream_); });
}

void NiceOffers::take(const std::vector<Candidate>& candidates) {
  const std::vector<Candidate> known = seen().peers;
  std::vector<NiceCandidatePtr> first;
  std::vector<NiceCandidatePtr> again;
  for (const Candidate& candidate : candidates) {
    auto made = to_nice(candidate, stream_);
    if (!made || known_.size() >= wire::kMaxCandidates) continue;
    const bool is_seen = std::any_of(known.begin(), known.end(), [&](const Candidate& other) {
      return same_place(other, candidate);
    });
    if (is_seen) again.push_back(renamed(candidate));
    first.push_back(std::move(made));
    known_.push_back(candidate);
  }
  tell(first);
  tell(again);
}

void NiceOffers::repeat_direct() {
  if (repeats_ == kMaxRepeats) return;
  ++repeats_;
  std::vector<NiceCandidatePtr> again;
  for (const Candidate& candidate : known_) {
    if (is_direct(candidate)) again.push_back(renamed(candidate));
  }
  tell(again);
}

CandidateType NiceOffers::type_of(const ::NiceCandidate& remote) const {
  const Candidate seen = from_nice(remote);
  const auto called = std::find_if(known_.begin(), known_.end(), [&](const Candidate& candidate) {
    return same_place(candidate, seen);
  });
  return called == known_.end() ? seen.type : called->type;
}

/// libnice sorts its checks itself.
void NiceOffers::tell(const std::vector<NiceCandidatePtr>& candidates) {
  if (candidates.empty()) return;
  GSList* list = nullptr;
  for (const auto& candidate : candidates) list = g_slist_prepend(list, candidate.get());
  nice_agent_set_remote_candidates(agent_, stream_, kNiceComponent, list);
  g_slist_free(list);
}

ice::ChecksFinished NiceOffers::seen() const {
  return {peer_reflexive(nice_agent_get_local_candidates(agent_, stream_, kNiceComponent)),
          peer_reflexive(nice_agent_get_remote_candidates(agent_, stream_, kNiceComponent))};
}

NiceCandidatePtr NiceOffers::renamed(const Candidate& candidate) {
  Candidate other = candidate;
  // Of pairs with one foundation libnice checks one at a time, and these are not to wait.
  other.foundation = "again" + std::to_string(++renamed_);
  other.type = candidate.type == CandidateType::kServerReflexive ? CandidateType::kHost
                                                                 : CandidateType::kServerReflexive;
  return to_nice(other, stream_);
}

}  // namespace peersock::adapters
