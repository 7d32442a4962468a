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
#include "programs/stun_server.hpp"
#include "programs/turn_server.hpp"
#include "scenario.hpp"
#include "world.hpp"

namespace peersock::sim {

/// Of one of them, in each family.
struct ServerAddress;

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

  /// What a session is told of them: servers, engine, time limits. With the addresses of the family
  /// that its host has.
  [[nodiscard]] adapters::GlibHostConfig config(wire::Mode mode) const;

 private:
  [[nodiscard]] std::vector<std::string> addresses_of(const ServerAddress& server) const;

  const Scenario& scenario_;
  bool ipv6_;
  adapters::SystemRng rng_;
  Host& mailbox_host_;
  Host& stun_host_;
  Host& turn_host_;
  std::unique_ptr<adapters::MailboxServer> mailbox_;
  std::vector<std::unique_ptr<StunServer>> stun_;  // one for each family
  std::vector<std::unique_ptr<TurnServer>> turn_;  // likewise
  bool closed_ = false;
};

}  // namespace peersock::sim
