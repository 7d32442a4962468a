// The ICE agent (RFC 8445): libnice on an explicit main context.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <glib.h>

#include "adapters/resolver.hpp"
#include "core/event.hpp"
#include "core/secret.hpp"
#include "ice/policy.hpp"
#include "quic/datagram.hpp"
#include "wire/ice_message.hpp"

namespace peersock::adapters {

inline constexpr std::uint16_t kDefaultStunPort = 3478;

struct StunServer {
  std::string host;  ///< numeric or a name
  std::uint16_t port = kDefaultStunPort;
};

enum class TurnTransport : std::uint8_t { kUdp, kTcp };

struct TurnServer {
  std::string host;
  std::uint16_t port = kDefaultStunPort;
  std::string username;
  Secret password;
  TurnTransport transport = TurnTransport::kUdp;

  [[nodiscard]] TurnServer clone() const {
    return {host, port, username, password.clone(), transport};
  }
};

struct IceAgentConfig {
  /// The role (RFC 8445 section 6.1.1). libnice fixes it when gathering starts, so it must be
  /// known by then; a conflict with the peer is resolved by the protocol, and costs a round trip.
  bool controlling = false;
  ice::RelayPolicy relay = ice::RelayPolicy::kAuto;
  std::optional<StunServer> stun;
  std::vector<TurnServer> turn;  ///< of one or more, only the first four are used
  /// For servers given by name; without it only numeric ones work.
  Resolver resolver;
  Duration lookup_timeout = kServerLookupTimeout;
  /// Absent: those of this machine, when gathering starts.
  std::optional<std::vector<ice::LocalInterface>> interfaces;

  /// For another agent of the same session.
  [[nodiscard]] IceAgentConfig clone() const {
    IceAgentConfig made{controlling, relay, stun, {}, resolver, lookup_timeout, interfaces};
    for (const TurnServer& server : turn) made.turn.push_back(server.clone());
    return made;
  }
};

/// They run from the main context, never from inside a call of the agent's methods, and may
/// destroy the agent.
struct IceAgentCallbacks {
  std::function<void(std::string ufrag, std::string password)> local_credentials;
  /// As they appear; the host candidates at once.
  std::function<void(wire::Candidate)> local_candidate;
  std::function<void()> gathering_done;
  /// Data flows on this pair: the first one, and each change.
  std::function<void(PathInfo)> pair_selected;
  /// All pairs have failed, or the peer's consent to be sent to has expired (RFC 7675).
  std::function<void()> failed;
  /// `send_batch` may be tried again after kWouldBlock.
  std::function<void()> writable;
  /// A sentence for the user; the search goes on.
  std::function<void(std::string)> warning;
};

/// Trains that arrived together; one call is one reason to run the QUIC side.
using TrainsHandler = std::function<void(std::span<const quic::DatagramTrain>)>;

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
  void set_trains_handler(TrainsHandler handler);

  void start_gathering();
  void set_remote_credentials(const std::string& ufrag, const std::string& password);
  /// After the credentials. Those that the agent cannot use (TCP) are skipped.
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
