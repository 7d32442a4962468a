// The public servers of a simulation: rendezvous, STUN, TURN.
#pragma once

#include <memory>

#include "adapters/entropy.hpp"
#include "adapters/glib_host.hpp"
#include "adapters/mailbox_server.hpp"
#include "programs/stun_server.hpp"
#include "programs/turn_server.hpp"
#include "scenario.hpp"
#include "world.hpp"

namespace peersock::sim {

/// Names that a scenario may give an answer to (Scenario::names).
inline constexpr const char* kMailboxName = "rendezvous.example";
inline constexpr const char* kStunName = "stun.example";
inline constexpr const char* kTurnName = "turn.example";
/// Addresses behind them; those of IPv6 with Scenario::servers_ipv6.
inline constexpr const char* kMailboxAddress = "198.51.100.1";
inline constexpr const char* kStunAddress = "198.51.100.2";
inline constexpr const char* kTurnAddress = "198.51.100.3";
/// Where a rendezvous server is after kMailboxMoves.
inline constexpr const char* kMovedMailboxAddress = "198.51.100.4";
inline constexpr const char* kMailboxIpv6 = "2001:db8:ff::1";
inline constexpr const char* kStunIpv6 = "2001:db8:ff::2";
inline constexpr const char* kTurnIpv6 = "2001:db8:ff::3";

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

  /// What a session is told of them: servers, engine, time limits.
  [[nodiscard]] adapters::GlibHostConfig config(wire::Mode mode) const;

 private:
  [[nodiscard]] std::string known_as(const char* name, const char* address) const;

  World& world_;
  const Scenario& scenario_;
  adapters::SystemRng rng_;
  Host& mailbox_host_;
  Host& stun_host_;
  Host& turn_host_;
  std::unique_ptr<adapters::MailboxServer> mailbox_;
  std::unique_ptr<StunServer> stun_;
  std::unique_ptr<TurnServer> turn_;
  std::string mailbox_address_ = kMailboxAddress;
  bool closed_ = false;
};

}  // namespace peersock::sim
