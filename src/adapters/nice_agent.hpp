// The ICE agent (RFC 8445): libnice on an explicit main context, and TCP (RFC 6544) beside it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gio/gio.h>
#include <glib.h>

#include "adapters/path_policy.hpp"
#include "adapters/resolver.hpp"
#include "core/event.hpp"
#include "core/secret.hpp"
#include "ice/negotiation.hpp"
#include "ice/policy.hpp"
#include "quic/datagram.hpp"
#include "wire/http_proxy.hpp"
#include "wire/ice_message.hpp"

namespace peersock::adapters {

inline constexpr std::uint16_t kDefaultStunPort = 3478;

struct StunServer {
  std::string host;  ///< numeric or a name
  std::uint16_t port = kDefaultStunPort;
};

/// How we talk to the TURN server (RFC 8656 section 3.1); what it relays is UDP in any case.
enum class TurnTransport : std::uint8_t { kUdp, kTcp, kTls };
/// As settings and events have it: "udp", "tcp" or "tls".
[[nodiscard]] std::string_view to_string(TurnTransport transport);
/// How long the first ways to a TURN server are waited for before others are tried beside them.
inline constexpr Duration kTurnHeadStart = 250ms;

struct TurnServer {
  std::string host;
  std::uint16_t port = kDefaultStunPort;
  std::string username;
  Secret password;
  TurnTransport transport = TurnTransport::kUdp;
  bool later = false;  ///< only when the others are slow or fail (kTurnHeadStart)

  [[nodiscard]] TurnServer clone() const {
    return {host, port, username, password.clone(), transport, later};
  }
};

struct IceAgentConfig {
  /// The role (RFC 8445 section 6.1.1). libnice fixes it when gathering starts, so it must be
  /// known by then; a conflict with the peer is resolved by the protocol, and costs a round trip.
  bool controlling = false;
  ice::RelayPolicy relay = ice::RelayPolicy::kAuto;
  PathPolicy path = PathPolicy::kAuto;
  std::optional<StunServer> stun;
  std::vector<TurnServer> turn;  ///< or several ways to one; only the first four are used
  /// Which proxy to go through to TURN servers over TCP and TLS, if any.
  wire::ProxyRules proxies;
  /// Whose signature makes a TURN server's certificate good; null: the system's authorities.
  GTlsDatabase* trusted = nullptr;
  /// For servers given by name; without it only numeric ones work.
  Resolver resolver;
  Duration lookup_timeout = kServerLookupTimeout;
  /// Absent: those of this machine, when gathering starts.
  std::optional<std::vector<ice::LocalInterface>> interfaces;
  /// Paths over TCP between private addresses, too: for tests on loopback.
  bool tcp_anywhere = false;

  /// For another agent of the same session.
  [[nodiscard]] IceAgentConfig clone() const {
    IceAgentConfig made;
    made.controlling = controlling;
    made.relay = relay;
    made.path = path;
    made.stun = stun;
    for (const TurnServer& server : turn) made.turn.push_back(server.clone());
    made.proxies = proxies;
    made.trusted = trusted;
    made.resolver = resolver;
    made.lookup_timeout = lookup_timeout;
    made.interfaces = interfaces;
    made.tcp_anywhere = tcp_anywhere;
    return made;
  }
};

/// They run from the main context, never from inside a call of the agent's methods, and may
/// destroy the agent.
struct IceAgentCallbacks {
  std::function<void(std::string ufrag, std::string password)> local_credentials;
  /// As they appear; the host candidates at once, those over TCP too (TcpPaths).
  std::function<void(wire::Candidate)> local_candidate;
  std::function<void()> gathering_done;
  /// Data flows on this pair: the first one, and each change, also of what carries the datagrams.
  std::function<void(PathInfo)> pair_selected;
  /// All pairs have failed, or the peer's consent to be sent to has expired (RFC 7675).
  std::function<void()> failed;
  /// Every pair has been checked; more may come.
  std::function<void(ice::ChecksFinished)> checks_finished;
  /// `send_batch` may be tried again after kWouldBlock.
  std::function<void()> writable;
  /// A sentence for the user; the search goes on.
  std::function<void(std::string)> warning;
};

struct IceAgentStatistics {
  std::uint64_t datagrams_sent = 0;
  std::uint64_t send_calls = 0;
  std::uint64_t would_block = 0;
  std::uint64_t send_losses = 0;  ///< datagrams that the system refused
  std::uint64_t datagrams_received = 0;
  std::uint64_t deliveries = 0;         ///< calls of the trains handler
  std::uint64_t datagrams_dropped = 0;  ///< arrived while nobody took them and the store was full
};

class IceAgent {
 public:
  /// `context` outlives the agent, and should be run for some turns after it, so that sockets are
  /// closed and an allocation on a TURN server is given back.
  IceAgent(IceAgentConfig config, GMainContext* context, IceAgentCallbacks callbacks);
  ~IceAgent();
  IceAgent(const IceAgent&) = delete;
  IceAgent& operator=(const IceAgent&) = delete;
  IceAgent(IceAgent&&) = delete;
  IceAgent& operator=(IceAgent&&) = delete;

  /// What arrives before there is a handler is kept, up to 64 datagrams.
  void set_trains_handler(quic::TrainsHandler handler);

  void start_gathering();
  void set_remote_credentials(const std::string& ufrag, const std::string& password);
  /// After the credentials. Those that the agent cannot use are skipped.
  void add_remote_candidates(const std::vector<wire::Candidate>& candidates);
  void end_remote_candidates();

  /// Over the selected pair; kError while there is none.
  [[nodiscard]] quic::SendOutcome send_batch(const quic::DatagramTrain& train);

  [[nodiscard]] IceAgentStatistics statistics() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace peersock::adapters
