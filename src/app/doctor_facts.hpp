// What `peersock doctor` finds out, and what follows from it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/error.hpp"
#include "core/time.hpp"
#include "ice/nat_report.hpp"
#include "ice/policy.hpp"

namespace peersock::app {

enum class ServerKind : std::uint8_t { kProxy, kRendezvous, kStun, kTurn };

struct DoctorServer {
  ServerKind kind = ServerKind::kRendezvous;
  std::string name;               ///< URL, or HOST:PORT
  std::optional<Duration> after;  ///< how soon it did its work; absent: it did not
  std::string problem;            ///< then: why, as the end of a sentence
  std::string transport{};        ///< to a TURN server: "udp", "tcp" or "tls"; empty for others
  /// Who gets there gets to any peer with a public address over TCP: see shows_open_tcp.
  bool shows_open_tcp = false;
};

/// Whether a connection over TCP to this place, a name or a numeric address, without a proxy, tells
/// that others can be made: it is outside, and at no port that firewalls let through in any case.
[[nodiscard]] bool shows_open_tcp(std::string_view host, std::uint16_t port);

/// The way to the internet of one address family.
struct DoctorNat {
  bool ipv6 = false;
  ice::nat::Report report;
  std::string problem;  ///< why no address is known; empty if one is
};

enum class Way : std::uint8_t {
  kDirect,
  kRelay,   ///< and no other
  kSearch,  ///< through the relay, and directly from when the search for a port has found one
  kNone,
  kUnknown,
};

struct DoctorPeer {
  std::optional<ice::nat::PeerKind> kind;  ///< absent: peers on the same network
  Way way = Way::kUnknown;
};

using DoctorFact = std::variant<DoctorServer, DoctorNat, DoctorPeer>;

struct Diagnosis {
  std::vector<DoctorServer> servers;
  std::vector<DoctorNat> nats;
  ice::RelayPolicy relay = ice::RelayPolicy::kAuto;
  bool port_search = true;   ///< a relayed session may search for a port
  bool has_network = false;  ///< an address that is not loopback
};

/// One for each kind of peer that anything is known about: the way to it is that of the first
/// address family that works. Where UDP gets no answer, and TCP gets out, peers without a NAT are
/// reached over TCP (docs/spec/ice.md).
[[nodiscard]] std::vector<DoctorPeer> peers_of(const Diagnosis& diagnosis);

/// Why no session is possible (kRendezvousUnreachable, kNoPath); nothing if one is.
[[nodiscard]] std::optional<Error> verdict_on(const Diagnosis& diagnosis);

}  // namespace peersock::app
