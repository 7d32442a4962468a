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

  /// What a session is told of them: servers, engine, time limits.
  [[nodiscard]] adapters::GlibHostConfig config(wire::Mode mode) const;

 private:
  const Scenario& scenario_;
  adapters::SystemRng rng_;
  Host& mailbox_host_;
  Host& stun_host_;
  Host& turn_host_;
  std::unique_ptr<adapters::MailboxServer> mailbox_;
  std::unique_ptr<StunServer> stun_;
  std::unique_ptr<TurnServer> turn_;
  bool closed_ = false;
};

}  // namespace peersock::sim
