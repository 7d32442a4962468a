#include "ice/nat_report.hpp"

#include "ice/policy.hpp"

namespace peersock::ice::nat {
namespace {

enum class Mapped : std::uint8_t { kAlike, kDiffering, kUnknown };

Mapped as_seen(Mapping mapping) {
  switch (mapping) {
    case Mapping::kEndpointIndependent:
      return Mapped::kAlike;
    case Mapping::kEndpointDependent:
    case Mapping::kAddressDependent:
    case Mapping::kAddressAndPortDependent:
      return Mapped::kDiffering;
    case Mapping::kUnknown:
      break;
  }
  return Mapped::kUnknown;
}

/// The peer's datagrams come from a port that nobody has told us. Ours open our filter for its
/// address, so they come in unless the filter looks at ports; then the answer goes back to where
/// they came from, which must be the port that the peer has sent to: ours must stay the same.
Reach reach_symmetric(const Report& ours) {
  if (as_seen(ours.mapping) == Mapped::kDiffering) return Reach::kNotDirect;
  if (ours.filtering == Filtering::kAddressAndPortDependent) return Reach::kNotDirect;
  if (ours.filtering == Filtering::kUnknown || ours.mapping == Mapping::kUnknown) {
    return Reach::kUnknown;
  }
  return Reach::kDirect;
}

/// Its own check has opened its filter for the address that we have told, from whatever port we
/// come.
Reach reach_address_restricted(const Report& ours) {
  const bool may_come_from_another =
      ours.address_varies && as_seen(ours.mapping) == Mapped::kDiffering;
  return may_come_from_another ? Reach::kNotDirect : Reach::kDirect;
}

/// Of a peer whose port is known, only a filter that looks at our port is in the way, and only when
/// that port is not the one that we have told.
Reach reach_port_restricted(const Report& ours) {
  switch (as_seen(ours.mapping)) {
    case Mapped::kAlike:
      return Reach::kDirect;
    case Mapped::kDiffering:
      return Reach::kNotDirect;
    case Mapped::kUnknown:
      break;
  }
  return Reach::kUnknown;
}

}  // namespace

std::string_view to_string(Mapping mapping) {
  switch (mapping) {
    case Mapping::kEndpointIndependent:
      return "endpoint-independent";
    case Mapping::kEndpointDependent:
      return "endpoint-dependent";
    case Mapping::kAddressDependent:
      return "address-dependent";
    case Mapping::kAddressAndPortDependent:
      return "address-and-port-dependent";
    case Mapping::kUnknown:
      break;
  }
  return "unknown";
}

std::string_view to_string(Filtering filtering) {
  switch (filtering) {
    case Filtering::kEndpointIndependent:
      return "endpoint-independent";
    case Filtering::kAddressDependent:
      return "address-dependent";
    case Filtering::kAddressAndPortDependent:
      return "address-and-port-dependent";
    case Filtering::kUnknown:
      break;
  }
  return "unknown";
}

std::string_view to_string(Hairpin hairpin) {
  switch (hairpin) {
    case Hairpin::kWorks:
      return "works";
    case Hairpin::kFails:
      return "fails";
    case Hairpin::kUnknown:
      break;
  }
  return "unknown";
}

std::string_view to_string(PeerKind kind) {
  switch (kind) {
    case PeerKind::kOpen:
      return "open";
    case PeerKind::kFullCone:
      return "full-cone";
    case PeerKind::kAddressRestricted:
      return "address-restricted";
    case PeerKind::kPortRestricted:
      return "port-restricted";
    case PeerKind::kSymmetric:
      break;
  }
  return "symmetric";
}

Reach reach(const Report& ours, PeerKind peer) {
  if (!ours.mapped) return Reach::kNotDirect;
  switch (peer) {
    case PeerKind::kOpen:
    case PeerKind::kFullCone:
      return Reach::kDirect;
    case PeerKind::kAddressRestricted:
      return reach_address_restricted(ours);
    case PeerKind::kPortRestricted:
      return reach_port_restricted(ours);
    case PeerKind::kSymmetric:
      break;
  }
  return reach_symmetric(ours);
}

bool searches_for_port(const Report& ours, PeerKind peer) {
  if (!ours.mapped || is_ipv6(ours.mapped->address)) return false;
  const Mapped here = as_seen(ours.mapping);
  return here != (peer == PeerKind::kSymmetric ? Mapped::kDiffering : Mapped::kAlike);
}

}  // namespace peersock::ice::nat
