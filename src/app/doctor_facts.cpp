#include "app/doctor_facts.hpp"

#include <algorithm>

namespace peersock::app {
namespace {

bool works(const Diagnosis& diagnosis, ServerKind kind) {
  return std::any_of(
      diagnosis.servers.begin(), diagnosis.servers.end(),
      [&](const DoctorServer& server) { return server.kind == kind && server.after; });
}

bool has_relay(const Diagnosis& diagnosis) {
  return diagnosis.relay != ice::RelayPolicy::kNever && works(diagnosis, ServerKind::kTurn);
}

const ice::nat::Report* first_that_works(const Diagnosis& diagnosis) {
  for (const DoctorNat& nat : diagnosis.nats) {
    if (nat.report.mapped) return &nat.report;
  }
  return nullptr;
}

bool tcp_gets_out(const Diagnosis& diagnosis) {
  return std::any_of(
      diagnosis.servers.begin(), diagnosis.servers.end(),
      [](const DoctorServer& server) { return server.after && server.shows_open_tcp; });
}

/// Whether anybody was asked who can be seen from outside.
bool looked_outside(const Diagnosis& diagnosis) {
  return !diagnosis.nats.empty() ||
         std::any_of(diagnosis.servers.begin(), diagnosis.servers.end(),
                     [](const DoctorServer& server) { return server.kind == ServerKind::kTurn; });
}

Way way_to(const Diagnosis& diagnosis, const ice::nat::Report* report, ice::nat::PeerKind kind) {
  const bool relay = has_relay(diagnosis);
  const Way without_direct = relay ? Way::kRelay : Way::kNone;
  if (diagnosis.relay == ice::RelayPolicy::kOnly) return without_direct;
  if (report == nullptr) {
    const bool over_tcp = kind == ice::nat::PeerKind::kOpen && tcp_gets_out(diagnosis);
    return over_tcp ? Way::kDirect : without_direct;
  }
  switch (ice::nat::reach(*report, kind)) {
    case ice::nat::Reach::kDirect:
      return Way::kDirect;
    case ice::nat::Reach::kNotDirect:
      return relay && diagnosis.port_search && searches_for_port(*report, kind) ? Way::kSearch
                                                                                : without_direct;
    case ice::nat::Reach::kUnknown:
      break;
  }
  return Way::kUnknown;
}

constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;

}  // namespace

bool shows_open_tcp(std::string_view host, std::uint16_t port) {
  if (port == kHttpPort || port == kHttpsPort || host == "localhost") return false;
  return ice::is_public(host);
}

std::vector<DoctorPeer> peers_of(const Diagnosis& diagnosis) {
  std::vector<DoctorPeer> peers;
  const bool relay_only = diagnosis.relay == ice::RelayPolicy::kOnly;
  if (diagnosis.has_network && !relay_only) peers.push_back({std::nullopt, Way::kDirect});
  if (!looked_outside(diagnosis)) return peers;
  const ice::nat::Report* report = first_that_works(diagnosis);
  for (const ice::nat::PeerKind kind : ice::nat::kPeerKinds) {
    peers.push_back({kind, way_to(diagnosis, report, kind)});
  }
  return peers;
}

std::optional<Error> verdict_on(const Diagnosis& diagnosis) {
  if (!works(diagnosis, ServerKind::kRendezvous)) {
    return Error{ErrorKind::kRendezvousUnreachable,
                 "No session is possible: no rendezvous server can be used; check the network, or "
                 "name another one with --rendezvous"};
  }
  const bool relay_only = diagnosis.relay == ice::RelayPolicy::kOnly;
  if (has_relay(diagnosis)) return std::nullopt;
  if (relay_only) {
    return Error{ErrorKind::kNoPath,
                 "No session is possible: --relay only allows nothing but the relay, and there is "
                 "none; check --turn, its user name and password"};
  }
  if (first_that_works(diagnosis) != nullptr) return std::nullopt;
  if (!looked_outside(diagnosis) && diagnosis.has_network) return std::nullopt;
  const std::string who = tcp_gets_out(diagnosis)
                              ? "Of the peers outside this network only those without a NAT can be "
                                "reached, over TCP"
                              : "There is no way to peers outside this network";
  return Error{
      ErrorKind::kNoPath,
      who +
          ": neither a STUN nor a TURN server answers; check whether a firewall blocks UDP, or "
          "name a TURN server with TLS on port 443"};
}

}  // namespace peersock::app
