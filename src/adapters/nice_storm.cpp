#include "adapters/nice_storm.hpp"

#include "adapters/nice_candidate.hpp"

namespace peersock::adapters {
namespace {

std::size_t count_peer_reflexive(::NiceAgent* agent, guint stream) {
  std::size_t count = 0;
  GSList* list = nice_agent_get_remote_candidates(agent, stream, kNiceComponent);
  for (GSList* each = list; each != nullptr; each = each->next) {
    const NiceCandidatePtr known(static_cast<::NiceCandidate*>(each->data));
    if (known->type == NICE_CANDIDATE_TYPE_PEER_REFLEXIVE) ++count;
  }
  g_slist_free(list);
  return count;
}

}  // namespace

NiceStorm::NiceStorm(::NiceAgent* agent, guint stream, GMainContext* context)
    : agent_(agent), stream_(stream), again_(context, [this] { look(); }) {}

void NiceStorm::watch() {
  if (ended_) return;
  looks_left_ = kLooks;
  again_.after(kInterval);
}

void NiceStorm::stop() {
  again_.cancel();
}

void NiceStorm::look() {
  if (count_peer_reflexive(agent_, stream_) > kMostAddresses) {
    ended_ = true;
    // The peer answers a check with other credentials by an error, and learns nothing from it
    // (RFC 8445 section 7.3, RFC 8489 section 9.1.3).
    nice_agent_set_remote_credentials(agent_, stream_, "over", "no-more-checks-are-valid");
    return;
  }
  if (--looks_left_ > 0) again_.after(kInterval);
}

}  // namespace peersock::adapters
