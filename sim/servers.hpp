// The public servers of a simulation: rendezvous, STUN, TURN. They have IPv6 addresses besides when
// somebody has nothing else, as ns-3's hosts of both families do not refuse TCP connections over
// IPv4; the relay lends IPv4 endpoints alone, as coturn does to who does not ask for others.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "adapters/entropy.hpp"
#include "adapters/glib_host.hpp"
#include "adapters/mailbox_server.hpp"
#include "programs/http_proxy.hpp"
#include "programs/stun_server.hpp"
#include "programs/turn_server.hpp"
#include "scenario.hpp"
#include "world.hpp"

namespace peersock::sim {

/// Names that a scenario may give an answer to (Scenario::names).
inline constexpr const char* kMailboxName = "rendezvous.example";
inline constexpr const char* kStunName = "stun.example";
inline constexpr const char* kTurnName = "turn.example";

/// Of one of them, in each family.
struct ServerAddress {
  const char* ipv4;
  const char* ipv6;
};
inline constexpr ServerAddress kMailboxAddress{"198.51.100.1", "2001:db8:ffff:1::1"};
inline constexpr ServerAddress kStunAddress{"198.51.100.2", "2001:db8:ffff:2::1"};
inline constexpr ServerAddress kTurnAddress{"198.51.100.3", "2001:db8:ffff:3::1"};
/// Where a rendezvous server is after kMailboxMoves.
inline constexpr const char* kMovedMailboxAddress = "198.51.100.4";
inline constexpr const char* kProxyAddress = "198.51.100.5";
inline constexpr std::uint16_t kProxyPort = 3128;
/// Packets to it vanish.
inline constexpr ServerAddress kNobodysAddress{"192.0.2.9", "2001:db8:dead::9"};

class Servers {
 public:
  /// `world` and `scenario` outlive them.
  Servers(World& world, const Scenario& scenario);
  /// Time must go on afterwards, for sockets to be closed.
  ~Servers();
  Servers(const Servers&) = delete;
  Servers& operator=(const Servers&) = delete;
  Servers(Servers&&) = delete;
  Servers& operator=(Servers&&) = delete;

  void start();
  /// No server is started again from now on.
  void close() { closed_ = true; }

  [[nodiscard]] Host& mailbox_host() const { return mailbox_host_; }
  void kill_mailbox();
  /// With everything forgotten.
  void start_mailbox();
  /// It will be started at another address, which its name means from now on.
  void move_mailbox();

  /// Ends all connections and allocations. To be started again it has to reset them: ns-3 has no
  /// SO_REUSEADDR, and closed ones keep the address for minutes.
  void kill_turn(bool resets = false);
  void start_turn();

  /// What a session is told of them: servers, engine, time limits. With the addresses of the family
  /// that its host has.
  [[nodiscard]] adapters::GlibHostConfig config(wire::Mode mode) const;

 private:
  [[nodiscard]] std::vector<std::string> addresses_of(const ServerAddress& server) const;
  [[nodiscard]] std::vector<std::string> mailbox_addresses() const;
  /// What a session is told in place of an address.
  [[nodiscard]] std::string known_as(const char* name, const ServerAddress& server,
                                     bool ipv6) const;

  World& world_;
  const Scenario& scenario_;
  bool ipv6_;
  adapters::SystemRng rng_;
  Host& mailbox_host_;
  Host& stun_host_;
  Host& turn_host_;
  std::unique_ptr<adapters::MailboxServer> mailbox_;
  std::vector<std::unique_ptr<StunServer>> stun_;  // one for each family
  std::vector<std::unique_ptr<TurnServer>> turn_;  // likewise
  Host* proxy_host_;                               // null: nobody goes through it
  std::unique_ptr<HttpProxy> proxy_;
  std::string mailbox_address_ = kMailboxAddress.ipv4;
  bool closed_ = false;
};

}  // namespace peersock::sim
