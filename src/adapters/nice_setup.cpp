#include "adapters/nice_setup.hpp"

namespace peersock::adapters {
namespace {

/// First retransmission towards a STUN or TURN server, in milliseconds. Checks between peers have
/// 500 (RFC 8445 section 14.3), which libnice keeps to by itself.
constexpr guint kStunInitialTimeout = 250;
/// With these a check is sent 4 times within 3.5 s and given up after 4.5 s, a request to a server
/// after 2.25 s. Each further one doubles it.
constexpr guint kTransmissions = 4;
/// Over TCP there are no retransmissions, only patience; in milliseconds.
constexpr guint kStunReliableTimeout = 5000;
/// From the failure of the last pair to the report of it, in milliseconds.
constexpr guint kIdleTimeout = 2000;

}  // namespace

GObjectPtr<::NiceAgent> make_nice_agent(const IceAgentConfig& config, GMainContext* context) {
  // Aggressive nomination (the default of libnice): the first pair that works carries data, and a
  // better one takes over when it works too. Regular nomination takes three times as long.
  //
  // No consent checks (RFC 7675) and no checks as keep-alives: QUIC's authenticated
  // acknowledgements say more about the peer than STUN can, its idle time-out ends a dead session,
  // and a loaded peer that answers checks late is no reason to stop a transfer that flows.
  //
  // No TCP of libnice's: see tcp_paths.hpp.
  constexpr auto kOptions = NICE_AGENT_OPTION_ICE_TRICKLE;
  ::NiceAgent* agent = nice_agent_new_full(context, NICE_COMPATIBILITY_RFC5245, kOptions);
  g_object_set(agent, "upnp", FALSE, "ice-tcp", FALSE, "keepalive-conncheck", FALSE,
               "controlling-mode", config.controlling ? TRUE : FALSE, "force-relay",
               config.relay == ice::RelayPolicy::kOnly ? TRUE : FALSE, "stun-pacing-timer",
               kNicePacing, "stun-initial-timeout", kStunInitialTimeout, "stun-max-retransmissions",
               kTransmissions, "stun-reliable-timeout", kStunReliableTimeout, "idle-timeout",
               kIdleTimeout, nullptr);
  return GObjectPtr<::NiceAgent>(agent);
}

}  // namespace peersock::adapters
