#include "adapters/nice_candidate.hpp"

#include <array>

#include <net/if.h>
#include <netinet/in.h>

#include "ice/policy.hpp"

namespace peersock::adapters {
namespace {

std::string text_of(const ::NiceAddress& address) {
  std::array<char, NICE_ADDRESS_STRING_LEN> text{};
  nice_address_to_string(&address, text.data());
  return text.data();
}

std::uint16_t port_of(const ::NiceAddress& address) {
  return static_cast<std::uint16_t>(nice_address_get_port(&address));
}

std::string endpoint_of(const ::NiceAddress& address) {
  return ice::endpoint_text(text_of(address), port_of(address));
}

wire::CandidateType type_of(const ::NiceCandidate& candidate) {
  switch (candidate.type) {
    case NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE:
      return wire::CandidateType::kServerReflexive;
    case NICE_CANDIDATE_TYPE_PEER_REFLEXIVE:
      return wire::CandidateType::kPeerReflexive;
    case NICE_CANDIDATE_TYPE_RELAYED:
      return wire::CandidateType::kRelayed;
    case NICE_CANDIDATE_TYPE_HOST:
      break;
  }
  return wire::CandidateType::kHost;
}

wire::CandidateTransport transport_of(const ::NiceCandidate& candidate) {
  switch (candidate.transport) {
    case NICE_CANDIDATE_TRANSPORT_TCP_ACTIVE:
      return wire::CandidateTransport::kTcpActive;
    case NICE_CANDIDATE_TRANSPORT_TCP_PASSIVE:
      return wire::CandidateTransport::kTcpPassive;
    case NICE_CANDIDATE_TRANSPORT_TCP_SO:
      return wire::CandidateTransport::kTcpSimultaneous;
    case NICE_CANDIDATE_TRANSPORT_UDP:
      break;
  }
  return wire::CandidateTransport::kUdp;
}

std::optional<NiceCandidateType> nice_type_of(wire::CandidateType type) {
  switch (type) {
    case wire::CandidateType::kHost:
      return NICE_CANDIDATE_TYPE_HOST;
    case wire::CandidateType::kServerReflexive:
      return NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE;
    case wire::CandidateType::kRelayed:
      return NICE_CANDIDATE_TYPE_RELAYED;
    case wire::CandidateType::kPeerReflexive:
      break;
  }
  return std::nullopt;
}

}  // namespace

wire::Candidate from_nice(const ::NiceCandidate& candidate) {
  wire::Candidate result;
  result.foundation = candidate.foundation;
  result.transport = transport_of(candidate);
  result.priority = candidate.priority;
  result.address = text_of(candidate.addr);
  result.port = port_of(candidate.addr);
  result.type = type_of(candidate);
  if (result.type != wire::CandidateType::kHost && nice_address_is_valid(&candidate.base_addr)) {
    result.related_address = text_of(candidate.base_addr);
    result.related_port = port_of(candidate.base_addr);
  }
  return result;
}

NiceCandidatePtr to_nice(const wire::Candidate& candidate, guint stream_id) {
  const auto type = nice_type_of(candidate.type);
  if (!type || candidate.transport != wire::CandidateTransport::kUdp) return nullptr;
  NiceCandidatePtr result(nice_candidate_new(*type));
  result->stream_id = stream_id;
  result->component_id = kNiceComponent;
  result->transport = NICE_CANDIDATE_TRANSPORT_UDP;
  result->priority = candidate.priority;
  g_strlcpy(result->foundation, candidate.foundation.c_str(), sizeof result->foundation);
  if (!nice_address_set_from_string(&result->addr, candidate.address.c_str())) return nullptr;
  nice_address_set_port(&result->addr, candidate.port);
  return result;
}

PathInfo path_of(const ::NiceCandidate& local, const ::NiceCandidate& remote) {
  PathInfo path;
  path.relayed =
      local.type == NICE_CANDIDATE_TYPE_RELAYED || remote.type == NICE_CANDIDATE_TYPE_RELAYED;
  path.local_type = wire::to_string(type_of(local));
  path.remote_type = wire::to_string(type_of(remote));
  path.local_address = endpoint_of(local.addr);
  path.remote_address = endpoint_of(remote.addr);
  path.transport = local.transport == NICE_CANDIDATE_TRANSPORT_UDP ? "udp" : "tcp";
  return path;
}

std::optional<::NiceAddress> nice_address_of(const std::string& address,
                                             const std::string& interface_name) {
  ::NiceAddress result;
  nice_address_init(&result);
  if (!nice_address_set_from_string(&result, address.c_str())) return std::nullopt;
  if (nice_address_ip_version(&result) == 6 && IN6_IS_ADDR_LINKLOCAL(&result.s.ip6.sin6_addr)) {
    result.s.ip6.sin6_scope_id = if_nametoindex(interface_name.c_str());
  }
  return result;
}

}  // namespace peersock::adapters
